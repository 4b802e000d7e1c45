-- Settings that change in all workers without a reload. A worker that starts later has
-- them too.
local ipc = require "resty.ngx_ipc"

local settings = {}
local _M = {}

function _M.init_worker()
    local ok, err = ipc.register("settings", { retained = true })

    if not ok then
        return nil, err
    end

    return ipc.subscribe("settings", function (text)
        settings = ngx.decode_args(text, 0)
    end)
end

function _M.get(name)
    return settings[name]
end

-- Replaces all settings, in all workers: set { color = "blue" }. Returns the workers
-- that have no room now; they get the settings later.
function _M.set(new)
    local n, missed = ipc.publish("settings", ngx.encode_args(new))

    return n and missed, missed
end

return _M
