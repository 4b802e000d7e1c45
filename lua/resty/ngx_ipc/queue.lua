-- Queues of items that arrive, and the light threads of Lua that handle them.
--
-- A light thread for each queue waits for a semaphore. The module posts the semaphore in
-- the event of nginx in which an item arrives.

local ffi = require "ffi"
local semaphore = require "ngx.semaphore"
local lib = require "resty.ngx_ipc.ffi"

local C = lib.C
local ngx = ngx

-- A light thread that waits wakes up after so many seconds, and waits again.
local LONG = 86400
-- nginx frees the memory of a light thread when it ends. So another one takes over
-- after so many messages.
local MOST = 1000

local _M = {}

local take_over

-- Waits for items and handles each with "handle", until the worker exits.
local function run(_, queue, handle)
    local mine = {}
    local c = queue.c
    local n = 0

    if queue.busy then
        -- a function of the program waits for something in the light thread before
        return
    end

    queue.owner = mine

    if queue.waits then
        queue.semaphore:post(1)
    end

    repeat
        local item = C.ngx_http_ipc_queue_take(c)

        if item ~= nil then
            queue.busy = true
            handle(queue, item)
            queue.busy = false
            n = n + 1

        else
            if n >= MOST and take_over(queue, handle) then
                n = 0
            end

            if C.ngx_http_ipc_queue_wait(c, 1) ~= 0 then
                return
            end

            queue.waits = true
            queue.semaphore:wait(LONG)

            if queue.owner == mine then
                queue.waits = false
                C.ngx_http_ipc_queue_wait(c, 0)
            end
        end
    until queue.owner ~= mine
end


take_over = function (queue, handle)
    return ngx.timer.at(0, run, queue, handle)
end


-- Opens the queue of a type, or the queue of outcomes, with a light thread.
function _M.open(found, handle)
    local sema, err = semaphore.new()

    if not sema then
        return nil, err
    end

    local c = C.ngx_http_ipc_queue_open(found and found.c, lib.wake, sema.sem)

    if c == nil then
        if ffi.errno() == lib.EEXIST then
            return nil, "another virtual machine of Lua has subscribed"
        end

        return nil, "no memory"
    end

    local queue = {
        -- the virtual machine ends: the module must not post the semaphore
        c = ffi.gc(c, C.ngx_http_ipc_queue_close),
        semaphore = sema,
        type = found,
    }
    local ok

    ok, err = ngx.timer.at(0, run, queue, handle)

    if not ok then
        C.ngx_http_ipc_queue_close(ffi.gc(c, nil))
        return nil, err
    end

    return queue
end


return _M
