-- The functions of resty.events, on messages between workers. A program changes
-- one line: require "resty.ngx_ipc.events" in place of require "resty.events".
-- docs/nginx-lua.md lists what differs.

local bus = require "resty.ngx_ipc.bus"

local ngx = ngx
local type = type

local _M = {}
local mt = { __index = _M }


local function dispatch(self, data, event, source, worker)
    local lists = { { "*", "*" }, { source, "*" }, { source, event } }

    for i = 1, #lists do
        local of_source = self.callbacks[lists[i][1]]
        local list = of_source and of_source[lists[i][2]]

        -- a function can subscribe, or unsubscribe
        for _, callback in ipairs(list and { unpack(list) } or {}) do
            bus.protect(callback.fn, data, event, source, worker)
        end
    end
end


function _M.new(opts)
    opts = opts or {}

    if type(opts.listening) ~= "string" and not opts.testing then
        return nil, '"listening" option required to start'
    end

    local timeout = opts.unique_timeout

    if timeout ~= nil and (type(timeout) ~= "number" or timeout <= 0) then
        return nil, '"unique_timeout" must be a number greater than 0'
    end

    local self = setmetatable({ callbacks = {}, ids = {}, last = 0,
                                testing = opts.testing }, mt)

    -- several objects have several types
    self.bus = bus.new("resty.events." .. ngx.md5(opts.listening or ""),
                       function (data, event, source, _, worker)
                           dispatch(self, data, event, source, worker)
                       end)
    self.bus.timeout = timeout or 5

    return self
end


function _M:init_worker()
    if not self.testing then
        local ok, err = self.bus:start()

        if not ok then
            return nil, err
        end
    end

    self.ready = true

    return true
end


-- There is no broker: the location that calls this function gets no requests.
function _M:run()
    return ngx.exit(ngx.HTTP_NOT_FOUND)
end


function _M:is_ready()
    return self.ready == true
end


function _M:publish(target, source, event, data)
    if type(target) ~= "string" or target == "" then
        return nil, "target is required"
    elseif type(source) ~= "string" or source == "" then
        return nil, "source is required"
    elseif type(event) ~= "string" or event == "" then
        return nil, "event is required"
    end

    if target == "current" or self.testing then
        return self.bus:post_here(source, event, data)
    end

    return self.bus:post(source, event, data, target ~= "all" and target or nil)
end


function _M:subscribe(source, event, callback)
    if type(source) ~= "string" or source == "" then
        error("source is required", 2)
    elseif type(event) ~= "string" or event == "" then
        error("event is required", 2)
    elseif type(callback) ~= "function" then
        error("expected function, got: " .. type(callback), 2)
    end

    local of_source = self.callbacks[source] or {}
    local list = of_source[event] or {}

    self.callbacks[source] = of_source
    of_source[event] = list

    self.last = self.last + 1
    list[#list + 1] = { fn = callback, id = self.last }
    self.ids[self.last] = list

    return self.last
end


function _M:unsubscribe(id)
    local list = self.ids[id] or {}

    self.ids[id] = nil

    for i = #list, 1, -1 do
        if list[i].id == id then
            table.remove(list, i)
        end
    end
end


return _M
