-- Calls the functions of a type for a message, and replies.

local ffi = require "ffi"
local lib = require "resty.ngx_ipc.ffi"
local outcome = require "resty.ngx_ipc.outcome"
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


-- A function can end the light thread, and then the next one continues with the message.
-- So these are fields of the queue:
--   item: the message, which the module keeps until it gives the next one
--   functions, at: the functions of the type, and the number of the one that was called last
--   value, why, failed: what the functions before have returned: the first value, the error
--     text beside it, and the first error. They are set if another function follows.


local function reply(item, status, text)
    local from, request, clients = item.from, item.request, item.count
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


local function fail(queue, value)
    local text = text_of(value)

    ngx.log(ngx.ERR, "a function for messages of the type \"", queue.type.name,
            "\" failed: ", text)

    return text
end


-- Calls the functions of a type, and replies with the value of the first that has one.
-- Without an item it continues with the message that a function has interrupted.
local function handle(queue, item)
    local found = queue.type
    local is_new = item ~= nil
    local first = 1
    local data, value, why, failed

    if is_new then
        -- a function can unsubscribe
        queue.item, queue.functions, queue.at = item, found.functions, 0

    else
        item, first = queue.item, queue.at + 1
        value, why, failed = queue.value, queue.why, queue.failed
    end

    local functions = queue.functions
    local worker = item.worker >= 0 and tonumber(item.worker) or nil

    if is_new or first <= #functions then
        data = ffi_str(item.data, item.len)
    end

    if is_new and found.retained then
        found.last = data
    end

    for i = first, #functions do
        queue.at = i

        local ok, result, err = pcall(functions[i], data, worker)

        if not ok then
            local text = fail(queue, result)

            failed = failed or text

        elseif value == nil and why == nil then
            value, why = result, err
        end

        if i < #functions then
            queue.value, queue.why, queue.failed = value, why, failed
        end
    end

    if item.request == 0 then
        return
    end

    if #functions == 0 then
        reply(item, TAKEN, "")
    elseif value ~= nil then
        reply(item, VALUE, text_of(value))
    elseif why or failed then
        reply(item, ERROR, text_of(why or failed))
    else
        reply(item, NOTHING, "")
    end
end


-- A function has ended the light thread, or there was no memory for the data.
local function interrupt(queue)
    if queue.at == 0 then
        ngx.log(ngx.ERR, "a message of the type \"", queue.type.name,
                "\" is not handled: no memory")
        queue.at = #queue.functions
        queue.value, queue.why, queue.failed = nil, nil, "no memory"
        return
    end

    local at = debug.getinfo(queue.functions[queue.at], "S")

    ngx.log(ngx.ERR, "a function for messages of the type \"", queue.type.name,
            "\" has ended its light thread, for example with ngx.exit(): ",
            at.short_src, ":", at.linedefined)

    if queue.at == 1 then
        queue.value, queue.why, queue.failed = nil, nil, nil
    end

    queue.failed = queue.failed or "the function has ended its light thread"
end


-- Opens the queue of a type, if it is not open.
function _M.open(found)
    if found.queue then
        return true
    end

    -- The light thread of the queue of outcomes starts those of other queues again. If
    -- another virtual machine of Lua has this queue, it cannot start them, and nginx only
    -- logs that they are missing.
    local ok, err = outcome.open()

    if not ok and err ~= queues.OTHER then
        return nil, err
    end

    found.queue, err = queues.open(found, handle, interrupt)

    if not found.queue then
        return nil, err
    end

    return true
end


return _M
