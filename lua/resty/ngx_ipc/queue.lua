-- Queues of items that arrive, and the light threads of Lua that handle them.
--
-- A light thread for each queue waits for a semaphore. The module posts the semaphore in
-- the event of nginx in which an item arrives.

local ffi = require "ffi"
local semaphore = require "ngx.semaphore"
local get_request = require("resty.core.base").get_request
local lib = require "resty.ngx_ipc.ffi"

local C = lib.C
local ngx = ngx
local tonumber = tonumber

-- A light thread that waits wakes up after so many seconds, and waits again.
local LONG = 86400
-- nginx frees the memory of a light thread only when it ends. So another one takes over
-- after so many messages.
local MOST = 1000

-- the queues of this virtual machine, by the address that the module has for each
local by_address = {}
-- by coroutine: the queue that a light thread handles
local by_thread = setmetatable({}, { __mode = "k" })

local _M = { OTHER = "another virtual machine of Lua has subscribed" }

local take_over


local function handle(queue, item)
    queue.busy = true
    queue.handle(queue, item)
    queue.busy = false
end


-- Waits for items and handles each with queue.handle, until the worker exits.
local function run(_, queue)
    local mine = {}
    local c = queue.c
    local n = 0

    if queue.busy then
        -- a function of the program still waits in the previous light thread
        return
    end

    if C.ngx_http_ipc_queue_enter(c, get_request()) ~= lib.OK then
        return
    end

    by_thread[coroutine.running()] = queue
    queue.owner = mine

    if queue.waits then
        queue.semaphore:post(1)
    end

    if queue.is_interrupted then
        queue.is_interrupted = false
        handle(queue)
    end

    repeat
        local item = C.ngx_http_ipc_queue_take(c)

        if item ~= nil then
            handle(queue, item)
            n = n + 1

        else
            if n >= MOST and take_over(queue) then
                n = 0
            end

            if C.ngx_http_ipc_queue_wait(c) ~= 0 then
                return
            end

            queue.waits = true
            queue.semaphore:wait(LONG)

            if queue.owner == mine then
                queue.waits = false
            end
        end
    until queue.owner ~= mine
end


take_over = function (queue)
    return ngx.timer.at(0, run, queue)
end


-- Starts a light thread for a queue that has none. If a function of the program has ended
-- it, queue.interrupt() says which one, and the next light thread calls queue.handle()
-- without an item: it continues with the item that was being handled.
function _M.restart(queue)
    if queue.busy then
        queue.busy = false

        if queue.interrupt then
            queue.is_interrupted = true
            queue.interrupt(queue)
        end
    end

    local ok, err = take_over(queue)

    if not ok then
        ngx.log(ngx.ERR, "no light thread for messages, trying again: ", err)
    end
end


-- The same for the queue with this address in the module.
function _M.restart_at(address)
    local queue = by_address[tonumber(address)]

    if queue then
        _M.restart(queue)
    end
end


-- Whether a function of the program, which this light thread has called, works on a queue
-- that takes no outcomes of calls.
function _M.is_overfull()
    local queue = by_thread[coroutine.running()]

    return queue and C.ngx_http_ipc_queue_is_overfull(queue.c) ~= 0
end


-- Opens the queue of a type, or the queue of outcomes, with a light thread.
-- handle_item(queue, item) is called for each item.
function _M.open(found, handle_item, interrupt)
    local sema, err = semaphore.new()

    if not sema then
        return nil, err
    end

    local c = C.ngx_http_ipc_queue_open(found and found.c, lib.wake, sema.sem)

    if c == nil then
        if ffi.errno() == lib.EEXIST then
            return nil, _M.OTHER
        end

        return nil, "no memory"
    end

    local queue = {
        -- when the virtual machine ends, the module must not post the semaphore any more
        c = ffi.gc(c, C.ngx_http_ipc_queue_close),
        semaphore = sema,
        type = found,
        handle = handle_item,
        interrupt = interrupt,
    }
    local ok

    ok, err = take_over(queue)

    if not ok then
        C.ngx_http_ipc_queue_close(ffi.gc(c, nil))
        return nil, "no light thread for messages: " .. err
    end

    by_address[tonumber(ffi.cast("uintptr_t", c))] = queue

    return queue
end


return _M
