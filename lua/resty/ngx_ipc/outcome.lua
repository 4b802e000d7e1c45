-- The outcomes of calls, and lost messages.

local ffi = require "ffi"
local lib = require "resty.ngx_ipc.ffi"
local queues = require "resty.ngx_ipc.queue"
local text_of = require "resty.ngx_ipc.text"

local C = lib.C
local ngx = ngx
local pcall = pcall
local tonumber = tonumber
local ffi_str = ffi.string
local OUTCOME, THREAD, CAUSES = lib.OUTCOME, lib.THREAD, lib.CAUSES

-- the calls that have no outcome yet, by their number
local calls = {}
local gap_functions = {}
local outcomes

local _M = { calls = calls }


local function tell_of_gap(_, gap)
    for i = 1, #gap_functions do
        local ok, err = pcall(gap_functions[i], gap)

        if not ok then
            ngx.log(ngx.ERR, "a function for gaps failed: ", text_of(err))
        end
    end
end


-- Handles an outcome, a gap, or a queue without a light thread. It calls no function of the
-- program, which could end this light thread.
local function handle(_, item)
    if item.what == OUTCOME then
        local id = tonumber(item.id)
        local call = calls[id]

        calls[id] = nil

        -- the call can have stopped waiting
        if call then
            call.outcome = tonumber(item.status)
            call.status = tonumber(item.count)
            call.data = ffi_str(item.data, item.len)
            call.semaphore:post(1)
        end

    elseif item.what == THREAD then
        queues.restart_at(item.id)

    else
        local gap = {
            count = tonumber(item.count),
            worker = item.worker >= 0 and tonumber(item.worker) or nil,
            cause = CAUSES[tonumber(item.status)],
        }
        local ok, err = ngx.timer.at(0, tell_of_gap, gap)

        if not ok then
            ngx.log(ngx.ERR, gap.count, " messages are lost, and no function for gaps is ",
                    "called: ", err)
        end
    end
end


-- Opens the queue of outcomes, if it is not open. If it has lost its light thread, another
-- one is started.
function _M.open()
    local err

    if not outcomes then
        outcomes, err = queues.open(nil, handle)

    elseif C.ngx_http_ipc_queue_unguarded ~= 0 then
        C.ngx_http_ipc_queue_unguarded = 0
        queues.restart(outcomes)
    end

    return outcomes, err
end


-- Calls fn(gap) when messages to this worker were lost.
function _M.on_gap(fn)
    if type(fn) ~= "function" then
        error("on_gap() needs a function", 2)
    end

    if lib.is_too_early() then
        return nil, lib.TOO_EARLY
    end

    local ok, err = _M.open()

    if not ok then
        return nil, err
    end

    gap_functions[#gap_functions + 1] = fn

    if C.ngx_http_ipc_queue_want_gaps() ~= lib.OK then
        return nil, "no memory"
    end

    return true
end


return _M
