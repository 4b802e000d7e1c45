-- Worker 0 checks the servers, and tells its results to all workers. A worker that starts
-- later gets the last results at once.
local ipc = require "resty.ngx_ipc"

local up = {}    -- by the name of a server
local _M = {}

-- Checks each server all "interval" seconds: check(server) returns whether it is up.
function _M.init_worker(servers, interval, check)
    local ok, err = ipc.register("health", { retained = true })

    if not ok then
        return nil, err
    end

    ok, err = ipc.subscribe("health", function (text)
        up = {}

        for server in text:gmatch("%S+") do
            up[server] = true
        end
    end)

    if not ok or ngx.worker.id() ~= 0 then
        return ok, err
    end

    return ngx.timer.every(interval, function ()
        local healthy = {}

        for _, server in ipairs(servers) do
            if check(server) then
                healthy[#healthy + 1] = server
            end
        end

        ipc.publish("health", table.concat(healthy, " "))
    end)
end

function _M.is_up(server)
    return up[server] == true
end

return _M
