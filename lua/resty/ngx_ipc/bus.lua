-- Events with a source, a name and data of any kind, on top of messages: what
-- resty.ngx_ipc.events and resty.ngx_ipc.worker_events have in common.

local ipc = require "resty.ngx_ipc"
local text_of = require "resty.ngx_ipc.text"

local ngx = ngx
local pcall = pcall
local setmetatable = setmetatable

local encode, decode

do
    local ok, buffer = pcall(require, "string.buffer")

    if ok then
        encode, decode = buffer.encode, buffer.decode
    else
        local cjson = require "cjson.safe"

        encode = function (value)
            local text, err = cjson.encode(value)

            return text or error(err, 0)
        end
        decode = function (text)
            local value, err = cjson.decode(text)

            return value or error(err, 0)
        end
    end
end


local _M = {}
local mt = { __index = _M }

-- by light thread: true while it calls a handler
local handling = setmetatable({}, { __mode = "k" })


-- handler(data, event, source, pid, worker) is called for each event. The pid and the
-- number of the worker are those of its sender, and nil for a local event.
function _M.new(name, handler)
    return setmetatable({
        name = name,
        handler = handler,
        timeout = 5,
        recent = {},
        n_recent = 0,
        mine = {},
        n_sent = 0,
        n_came = 0,
    }, mt)
end


-- Whether no event with this key came within the timeout.
local function is_first(self, key)
    local now = ngx.now()
    local recent = self.recent
    local last = recent[key]

    if last and now < last + self.timeout then
        return false
    end

    recent[key] = now
    self.n_recent = self.n_recent + 1

    if self.n_recent > 1000 then
        self.n_recent = 0

        for known, time in pairs(recent) do
            if now >= time + self.timeout then
                recent[known] = nil
            else
                self.n_recent = self.n_recent + 1
            end
        end
    end

    return true
end


-- Calls the handler. Meanwhile _M.is_handling() returns true in it.
local function handle(self, ...)
    local thread = coroutine.running()

    if not thread or handling[thread] then
        return pcall(self.handler, ...)
    end

    handling[thread] = true

    local ok, err = pcall(self.handler, ...)

    handling[thread] = nil

    return ok, err
end


-- Whether the caller is called by a handler.
function _M.is_handling()
    return handling[coroutine.running() or ""] == true
end


-- Begins to receive in this worker.
function _M:start()
    return ipc.subscribe(self.name, function (text, worker)
        local is_event, m = pcall(decode, text)

        if not is_event then
            ngx.log(ngx.ERR, "an event cannot be decoded: ", text_of(m))
        elseif m.key == nil or is_first(self, m.key) then
            local ok, err = handle(self, m.data, m.event, m.source, m.pid, worker)

            if not ok then
                ngx.log(ngx.ERR, "a function for events failed: ", text_of(err))
            end
        end

        if is_event and m.key == nil and m.pid == ngx.worker.pid() then
            self.n_came = self.n_came + 1
        end
    end)
end


-- Sends an event to all workers; if it has a key, to the worker of the key, which drops
-- later events with the key for a while.
function _M:post(source, event, data, key)
    key = key and tostring(key)

    local ok, text = pcall(encode, {
        source = source, event = event, data = data, key = key,
        pid = ngx.worker.pid(),
    })

    if not ok then
        return nil, "the event cannot be encoded: " .. text_of(text)
    end

    local options = { to = key and { key = key },
                      all_generations = self.all_generations }
    local n, missed = ipc.publish(self.name, text, options)

    if not n then
        return nil, missed
    end

    if not key then
        self.n_sent = self.n_sent + 1
    end

    if #missed > 0 then
        return nil, "no room in worker " .. table.concat(missed, ", ")
    end

    return true
end


-- Waits until the events that this worker has sent have come back to it, but at most half a
-- second. It waits at least once, so that nginx handles what has arrived.
function _M:wait()
    local wanted = self.n_sent

    for _ = 1, 500 do
        if not pcall(ngx.sleep, 0.001) or self.n_came >= wanted then
            return
        end
    end

    self.n_came = wanted
end


local function handle_mine(_, self)
    local mine = self.mine

    self.mine = {}

    for i = 1, #mine do
        local m = mine[i]
        local ok, err = handle(self, m.data, m.event, m.source)

        if not ok then
            ngx.log(ngx.ERR, "a function for events failed: ", text_of(err))
        end
    end
end


-- Handles an event in this worker only, after the caller yields. Its data is not copied.
function _M:post_here(source, event, data)
    local mine = self.mine

    mine[#mine + 1] = { source = source, event = event, data = data }

    if #mine == 1 then
        local ok, err = ngx.timer.at(0, handle_mine, self)

        if not ok then
            mine[#mine] = nil
            return nil, err
        end
    end

    return true
end


-- Handles the events of post_here() now.
function _M:handle_here()
    handle_mine(nil, self)
end


-- Calls a function. Logs its error, so that other functions are called too.
function _M.protect(callback, data, event, source, from)
    local ok, err = xpcall(callback, debug.traceback, data, event, source, from)

    if not ok then
        ngx.log(ngx.ERR, "a function for the event \"", event, "\" of \"", source,
                "\" failed: ", text_of(err))
    end
end


return _M
