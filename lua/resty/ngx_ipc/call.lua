-- Asks one worker, and waits for its reply.

local semaphore = require "ngx.semaphore"
local lib = require "resty.ngx_ipc.ffi"
local outcome = require "resty.ngx_ipc.outcome"
local types = require "resty.ngx_ipc.type"

local C = lib.C
local type = type
local tonumber = tonumber
local tostring = tostring

-- The seconds after the timeout in which the outcome comes.
local LONG = 86400

local calls = outcome.calls
local last_call = 0
local idle_semaphores = {}


local function address(to)
    if to == nil or to == "exactly_one" then
        return lib.TO_ONE_OF + lib.WORKERS + lib.SELF
    elseif type(to) == "number" then
        return lib.to_worker(to)
    elseif type(to) == "table" and type(to.key) == "string" then
        return C.ngx_ipc_message_to_key(lib.WORKERS + lib.SELF, to.key, #to.key)
    end

    error("invalid receiver", 3)
end


local function result(call)
    if call.outcome ~= lib.REPLIED then
        return nil, call.outcome == lib.TOO_LATE and "timeout" or "died"
    end

    if call.status == lib.VALUE then
        return call.data
    elseif call.status == lib.NOTHING then
        return true
    elseif call.status == lib.ERROR then
        return nil, call.data
    elseif call.status == lib.EXITING then
        return nil, "exiting"
    end

    return nil, "no subscriber"
end


-- Returns the reply, true if the function has returned nothing, or nil and an error.
local function call(name, data, options)
    local found, err = types.get(name)

    if found then
        local ok

        ok, err = outcome.open()
        found = ok and found
    end

    if not found then
        return nil, err
    end

    local to = address(options and options.to)
    -- a time that is left can be negative
    local timeout = math.max(options and options.timeout or 1, 0)
    local sema = table.remove(idle_semaphores)

    if not sema then
        sema, err = semaphore.new()

        if not sema then
            return nil, err
        end
    end

    if type(data) ~= "string" then
        data = tostring(data)
    end

    last_call = last_call + 1

    local call = { semaphore = sema }
    local id = last_call
    local rc = C.ngx_http_ipc_queue_ask(found.c, to, data, #data, timeout * 1000, id)

    if rc ~= lib.OK then
        idle_semaphores[#idle_semaphores + 1] = sema
        return nil, lib.failure(tonumber(rc))
    end

    calls[id] = call

    -- the outcome comes in any case
    local ok

    ok, err = sema:wait(timeout + LONG)

    if not ok then
        return nil, err
    end

    idle_semaphores[#idle_semaphores + 1] = sema

    return result(call)
end


return call
