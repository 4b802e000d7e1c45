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
local OUTCOME, CAUSES = lib.OUTCOME, lib.CAUSES

-- the calls that have no outcome yet, by their number
local calls = {}
local gap_functions = {}
local outcomes

local _M = { calls = calls }


local function tell_of_gap(gap)
    for i = 1, #gap_functions do
        local ok, err = pcall(gap_functions[i], gap)

        if not ok then
            ngx.log(ngx.ERR, "a function for gaps failed: ", text_of(err))
        end
    end
end


-- Handles the outcome of a request, or a gap.
local function handle_outcome(_, item)
    if item.what == OUTCOME then
        local id = tonumber(item.id)
        local call = calls[id]

        calls[id] = nil

        if call then
            call.outcome = tonumber(item.status)
            call.status = tonumber(item.count)
            call.data = ffi_str(item.data, item.len)
            call.semaphore:post(1)
        end

        return
    end

    -- A function for gaps can use ipc.call(), whose outcome this light thread handles.
    ngx.thread.spawn(tell_of_gap, {
        count = tonumber(item.count),
        worker = item.worker >= 0 and tonumber(item.worker) or nil,
        cause = CAUSES[tonumber(item.status)],
    })
end


-- Opens the queue of outcomes, if it is not open.
function _M.open()
    if outcomes then
        return outcomes
    end

    local err

    outcomes, err = queues.open(nil, handle_outcome)

    return outcomes, err
end


-- Calls fn(gap) when messages to this worker were lost.
function _M.on_gap(fn)
    if type(fn) ~= "function" then
        error("no function", 2)
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
