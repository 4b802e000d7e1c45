-- Calls the functions of a type for a message, and replies.

local ffi = require "ffi"
local lib = require "resty.ngx_ipc.ffi"
local queues = require "resty.ngx_ipc.queue"
local text_of = require "resty.ngx_ipc.text"

local C = lib.C
local ngx = ngx
local pcall = pcall
local tonumber = tonumber
local ffi_str = ffi.string
local failure = lib.failure
local TAKEN, VALUE, NOTHING, ERROR = lib.TAKEN, lib.VALUE, lib.NOTHING, lib.ERROR

local _M = {}


local function call_all(functions, data, worker)
    local result, why, failed

    for i = 1, #functions do
        local ok, value, err = pcall(functions[i], data, worker)

        if not ok then
            local text = text_of(value)

            ngx.log(ngx.ERR, "a function for messages failed: ", text)
            failed = failed or text

        elseif result == nil and why == nil then
            result, why = value, err
        end
    end

    return result, why, failed
end


-- Calls the functions of a type, and replies with the value of the first that has one.
local function handle(queue, item)
    local found = queue.type
    local data = ffi_str(item.data, item.len)
    local worker = item.worker >= 0 and tonumber(item.worker) or nil
    local from, request, clients = item.from, item.request, item.count

    if found.retained then
        found.last = data
    end

    -- a function can unsubscribe
    local functions = found.functions
    local value, why, failed = call_all(functions, data, worker)

    if request == 0 then
        return
    end

    local status, text = NOTHING, ""

    if #functions == 0 then
        status = TAKEN
    elseif value ~= nil then
        status, text = VALUE, text_of(value)
    elseif why or failed then
        status, text = ERROR, text_of(why or failed)
    end

    local rc = C.ngx_http_ipc_queue_reply(from, request, clients, status, text,
                                          #text)

    if rc ~= lib.OK then
        local err = failure(rc)

        ngx.log(ngx.ERR, "a reply could not be sent: ", err)

        if #text > 0 then
            err = "the reply could not be sent: " .. err
            C.ngx_http_ipc_queue_reply(from, request, clients, ERROR, err, #err)
        end
    end
end


-- Opens the queue of a type, if it is not open.
function _M.open(found)
    if found.queue then
        return true
    end

    local err

    found.queue, err = queues.open(found, handle)

    if not found.queue then
        return nil, err
    end

    return true
end


return _M
