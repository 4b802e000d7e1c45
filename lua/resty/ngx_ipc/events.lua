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
    if type(opts) ~= "table" then
        error("Expected a table, got " .. type(opts), 2)
    end

    local listening, timeout = opts.listening, opts.unique_timeout

    if not listening and not opts.testing then
        error('"listening" option required to start', 2)
    elseif listening and (type(listening) ~= "string" or listening:sub(1, 5) ~= "unix:") then
        error('"listening" option must be a string that starts with unix:', 2)
    elseif timeout and (type(timeout) ~= "number" or timeout <= 0) then
        error('"unique_timeout" must be a number greater than 0', 2)
    end

    local self = setmetatable({ callbacks = {}, ids = {}, last = 0,
                                testing = opts.testing }, mt)

    -- several objects have several types
    self.bus = bus.new("resty.events." .. ngx.md5(listening or ""),
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
        error("target is required", 2)
    elseif type(source) ~= "string" or source == "" then
        error("source is required", 2)
    elseif type(event) ~= "string" or event == "" then
        error("event is required", 2)
    end

    if self.testing then
        dispatch(self, data, event, source)
        return true
    elseif target == "current" then
        return self.bus:post_here(source, event, data)
    end

    local ok, err = self.bus:post(source, event, data, target ~= "all" and target or nil)

    if not ok then
        return nil, "failed to publish event: " .. err
    end

    return true
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

    local id = tostring(self.last)

    list[#list + 1] = { fn = callback, id = id }
    self.ids[id] = list

    return id
end


function _M:unsubscribe(id)
    if type(id) ~= "string" or id == "" then
        error("id is required", 2)
    end

    local list = self.ids[id] or {}

    self.ids[id] = nil

    for i = #list, 1, -1 do
        if list[i].id == id then
            table.remove(list, i)
        end
    end
end


return _M
