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


-- The message that a queue handles is in these fields of the queue, because a function can
-- end the light thread, and the next one continues:
--   data, worker, from, request, clients: those of the item
--   functions, at: the functions of the type, and the number of the one that was called last
--   value, why, failed: the first value, the error text beside it, the first error


local function begin(queue, item)
    local found = queue.type

    queue.data = ffi_str(item.data, item.len)
    queue.worker = item.worker >= 0 and tonumber(item.worker) or nil
    queue.from, queue.request, queue.clients = item.from, item.request, item.count

    -- a function can unsubscribe
    queue.functions, queue.at = found.functions, 0
    queue.value, queue.why, queue.failed = nil, nil, nil

    if found.retained then
        found.last = queue.data
    end
end


local function call_next(queue)
    queue.at = queue.at + 1

    local ok, value, err = pcall(queue.functions[queue.at], queue.data, queue.worker)

    if not ok then
        local text = text_of(value)

        ngx.log(ngx.ERR, "a function for messages failed: ", text)
        queue.failed = queue.failed or text

    elseif queue.value == nil and queue.why == nil then
        queue.value, queue.why = value, err
    end
end


local function reply(queue)
    local from, request, clients = queue.from, queue.request, queue.clients
    local value, why = queue.value, queue.why or queue.failed
    local status, text = NOTHING, ""

    if #queue.functions == 0 then
        status = TAKEN
    elseif value ~= nil then
        status, text = VALUE, text_of(value)
    elseif why then
        status, text = ERROR, text_of(why)
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


-- Calls the functions of a type, and replies with the value of the first that has one.
-- Without an item it continues with the message that a function has interrupted.
local function handle(queue, item)
    if item then
        begin(queue, item)
    end

    while queue.at < #queue.functions do
        call_next(queue)
    end

    if queue.request ~= 0 then
        reply(queue)
    end
end


-- A function has ended the light thread.
local function interrupt(queue)
    local at = debug.getinfo(queue.functions[queue.at], "S")

    ngx.log(ngx.ERR, "a function for messages of the type \"", queue.type.name,
            "\" has ended its light thread, for example with ngx.exit(): ",
            at.short_src, ":", at.linedefined)
    queue.failed = queue.failed or "the function has ended its light thread"
end


-- Opens the queue of a type, if it is not open.
function _M.open(found)
    if found.queue then
        return true
    end

    -- Its light thread starts those of other queues again. Without it there is the log: the
    -- virtual machine that has it is another one.
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
