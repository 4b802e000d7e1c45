-- A cache in each worker. A purge removes a page from the caches of all workers.
local ipc = require "resty.ngx_ipc"
local lrucache = require "resty.lrucache"

local cache = lrucache.new(1000)
local _M = {}

function _M.init_worker()
    ipc.on_gap(function ()
        cache:flush_all()    -- a purge can be among the lost messages
    end)

    return ipc.subscribe("purge", function (url)
        cache:delete(url)
    end)
end

-- Returns the page from the cache, or from load(url).
function _M.get(url, load)
    local page = cache:get(url)

    if page == nil then
        page = load(url)
        cache:set(url, page)
    end

    return page
end

-- Purges a page. Waits for workers that have no room.
function _M.purge(url)
    local to = "all"

    for _ = 1, 100 do
        local n, missed = ipc.publish("purge", url, { to = to, all_generations = true })

        if not n then
            return nil, missed
        elseif #missed == 0 then
            return true
        end

        ngx.sleep(0.05)    -- a page that is purged twice does no harm
    end

    return nil, "a worker has no room"
end

return _M
