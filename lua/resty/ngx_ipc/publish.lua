-- Sends messages without a reply.

local ffi = require "ffi"
local lib = require "resty.ngx_ipc.ffi"
local outcome = require "resty.ngx_ipc.outcome"
local types = require "resty.ngx_ipc.type"

local C = lib.C
local type = type
local tonumber = tonumber
local tostring = tostring
local failure, to_worker, get = lib.failure, lib.to_worker, types.get
local WORKERS, ALL_GENERATIONS, SELF = lib.WORKERS, lib.ALL_GENERATIONS, lib.SELF
local TO_ONE_OF, NGX_OK = lib.TO_ONE_OF, lib.OK

local OPTIONS = { to = true, all_generations = true }

local missed_n = ffi.new("uintptr_t[1]")


local function missed()
    local array = C.ngx_ipc_message_missed(missed_n)
    local workers = {}

    for i = 0, tonumber(missed_n[0]) - 1 do
        workers[i + 1] = tonumber(C.ngx_ipc_message_worker(array[i]))
    end

    return workers
end


local NONE = setmetatable({}, { __newindex = function () error("read only") end })

-- Sends the data. Returns the number of workers, and a list of the workers that have
-- no room; or nil and an error.
local function publish(name, data, options)
    local found, err = types.all[name]

    if options ~= nil then
        lib.check_options(options, OPTIONS)
    end

    if not found then
        found, err = get(name)

        if not found then
            return nil, err
        end
    end

    if C.ngx_http_ipc_queue_unguarded ~= 0 then
        outcome.open()
    end

    if type(data) ~= "string" then
        data = tostring(data)
    end

    local to = options and options.to or "all"
    local set = WORKERS + SELF
    local rc

    if options and options.all_generations then
        set = set + ALL_GENERATIONS
    end

    if to == "all" or to == "others" then
        if to == "others" then
            set = set - SELF
        end

        rc = tonumber(C.ngx_ipc_message_broadcast(found.c, set, data, #data))

        if rc < 0 then
            return nil, failure(rc)
        end

        missed_n[0] = 0
        C.ngx_ipc_message_missed(missed_n)

        return rc, missed_n[0] == 0 and NONE or missed()
    end

    if to == "exactly_one" then
        rc = C.ngx_ipc_message_send(found.c, TO_ONE_OF + set, data, #data)
    elseif type(to) == "number" then
        rc = C.ngx_ipc_message_send(found.c, to_worker(to), data, #data)
    elseif type(to) == "table" and type(to.key) == "string" then
        rc = C.ngx_ipc_message_send_by_key(found.c, set, to.key, #to.key, data,
                                           #data)
    else
        error('no receiver: "to" is "all", "others", "exactly_one", the number of a '
              .. "worker, or { key = TEXT }", 2)
    end

    rc = tonumber(rc)

    if rc ~= NGX_OK then
        return nil, failure(rc)
    end

    return 1, NONE
end


return publish
