-- Events in a shared dictionary, as a program without messages has them: a ring of keys,
-- and each worker polls. It is the baseline of benches/lua/run.sh.

local dict = ngx.shared.events
local _M = {}

local last = 0
local handle

function _M.publish(_, data)
    local id, err = dict:incr("last", 1, 0)

    if not id then
        return nil, err
    end

    return dict:set(id, data)
end

local function poll()
    local newest = dict:get("last") or 0

    while last < newest do
        local data = dict:get(last + 1)

        if data == nil then
            return    -- its worker has not stored it yet
        end

        last = last + 1
        handle(data)
    end
end

-- Polls all "interval" seconds.
function _M.start(interval, fn)
    handle = fn

    return ngx.timer.at(0, function ()
        while not ngx.worker.exiting() do
            poll()
            ngx.sleep(interval)
        end
    end)
end

return _M
