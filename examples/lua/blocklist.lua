-- A limit of requests for each client. The worker that finds a client over the limit tells
-- all workers to block it.
local ipc = require "resty.ngx_ipc"

local counts, blocked = {}, {}
local _M = {}

function _M.init_worker()
    ngx.timer.every(1, function ()
        counts = {}
    end)

    return ipc.subscribe("block", function (client)
        blocked[client] = ngx.now() + 60
    end)
end

-- Counts a request of the client. Returns whether the client may have an answer.
function _M.allows(client, most)
    local until_when = blocked[client]

    if until_when and ngx.now() < until_when then
        return false
    end

    blocked[client] = nil
    counts[client] = (counts[client] or 0) + 1

    if counts[client] > most then
        blocked[client] = ngx.now() + 60
        ipc.publish("block", client, { to = "others" })
        return false
    end

    return true
end

return _M
