-- The functions of resty.worker.events, on messages between workers. A program changes
-- one line: require "resty.ngx_ipc.worker_events" in place of
-- require "resty.worker.events". docs/nginx-lua.md lists what differs.

local bus = require "resty.ngx_ipc.bus"

local ngx = ngx
local type = type

local _M = {}

-- entries { fn, rank, source, event } in the order in which their functions are called. fn is
-- a table with the function, and is weak for register_weak()
local entries = {}
local configured = false


-- Functions for all events come first, and those for one event last. Among those for the
-- same events, weak ones come first.
local function add(entry, callback, is_weak)
    local list = {}

    entry.fn = setmetatable({ callback }, is_weak and { __mode = "v" } or nil)
    entry.rank = (entry.source and 2 or 0) + (entry.event and 2 or 0) + (is_weak and 0 or 1)

    for i = 1, #entries do
        if entry and entries[i].rank > entry.rank then
            list[#list + 1] = entry
            entry = nil
        end

        list[#list + 1] = entries[i]
    end

    list[#list + 1] = entry
    entries = list
end


local function handle(data, event, source, pid)
    local list = entries
    local alive = {}

    for i = 1, #list do
        local entry = list[i]
        local callback = entry.fn[1]

        if callback then
            alive[#alive + 1] = entry

            if (entry.source or source) == source and (entry.event or event) == event
            then
                bus.protect(callback, data, event, source, pid)
            end
        end
    end

    if list == entries and #list > #alive then
        entries = alive
    end
end


local all = bus.new("resty.worker.events", handle)

all.timeout = 2
-- old workers of a reload get the events too, as with the shared dictionary of
-- resty.worker.events
all.all_generations = true


-- Returns a table with the names, in which other names are errors.
function _M.event_list(source, ...)
    local list = { _source = source }

    for _, name in ipairs { ... } do
        list[name] = name
    end

    return setmetatable(list, {
        __index = function (_, name)
            error("event '" .. tostring(name) .. "' is an unknown event", 2)
        end,
    })
end


_M.events = _M.event_list("resty-worker-events", "started", "stopping")


function _M.post(source, event, data, unique)
    if type(source) ~= "string" or source == "" then
        return nil, "source is required"
    elseif type(event) ~= "string" or event == "" then
        return nil, "event is required"
    end

    local ok, err = all:post(source, event, data, unique)

    if not ok then
        return nil, 'failed posting event "' .. event .. '" by "' .. source .. '"; ' .. err
    end

    return true
end


function _M.post_local(source, event, data)
    if type(source) ~= "string" or source == "" then
        return nil, "source is required"
    elseif type(event) ~= "string" or event == "" then
        return nil, "event is required"
    end

    return all:post_here(source, event, data)
end


-- Events come without a poll. This function handles local events, and lets nginx handle
-- those that have arrived.
function _M.poll()
    if bus.is_handling() then
        return "recursive"
    end

    all:handle_here()
    all:wait()

    return "done"
end


local function register(is_weak, callback, source, ...)
    if type(callback) ~= "function" then
        error("expected function, got: " .. type(callback), 3)
    end

    local events = { ... }

    if #events == 0 then
        add({ source = source }, callback, is_weak)
    end

    for i = 1, #events do
        add({ source = source, event = events[i] }, callback, is_weak)
    end

    return true
end


function _M.register(callback, source, ...)
    return register(false, callback, source, ...)
end


function _M.register_weak(callback, source, ...)
    return register(true, callback, source, ...)
end


function _M.unregister(callback, source, ...)
    if type(callback) ~= "function" then
        error("expected function, got: " .. type(callback), 2)
    end

    local events = { ... }
    local left, is = {}, false

    for _, entry in ipairs(entries) do
        local matches = entry.fn[1] == callback and entry.source == source

        if matches and #events > 0 then
            matches = false

            for i = 1, #events do
                matches = matches or entry.event == events[i]
            end
        elseif matches then
            matches = entry.event == nil
        end

        if matches then
            is = true
        else
            left[#left + 1] = entry
        end
    end

    entries = left

    return is
end


-- nginx ends this timer early when the worker begins to exit.
local function wait_for_exit(premature)
    if premature then
        _M.post(_M.events._source, _M.events.stopping)
    else
        ngx.timer.at(86400, wait_for_exit)
    end
end


function _M.configure(opts)
    if type(opts) ~= "table" then
        error("Expected a table, got " .. type(opts), 2)
    end

    for _, name in ipairs { "timeout", "interval", "wait_interval", "wait_max",
                            "shm_retries" } do
        local value = opts[name]

        if value and type(value) ~= "number" then
            return nil, 'optional "' .. name .. '" option must be a number'
        elseif value and name == "timeout" and value <= 0 then
            return nil, '"timeout" must be greater than 0'
        elseif value and value < 0 then
            return nil, '"' .. name .. '" must be greater than or equal to 0'
        end
    end

    all.timeout = opts.timeout or all.timeout

    if configured then
        return true
    end

    local ok, err = all:start()

    if not ok then
        return nil, err
    end

    configured = true
    ngx.timer.at(86400, wait_for_exit)

    return _M.post(_M.events._source, _M.events.started)
end


function _M.configured()
    return configured
end


return _M
