-- Asks one worker, and waits for its reply.

local semaphore = require "ngx.semaphore"
local lib = require "resty.ngx_ipc.ffi"
local outcome = require "resty.ngx_ipc.outcome"
local queues = require "resty.ngx_ipc.queue"
local types = require "resty.ngx_ipc.type"

local C = lib.C
local ngx = ngx
local type = type
local tonumber = tonumber
local tostring = tostring

-- The seconds that a call waits after its timeout. The module reports the outcome when the
-- timeout is over, and later if this worker takes no messages.
local GRACE = 1

-- phases of a request, or of nginx, in which Lua cannot wait
local CANNOT_WAIT = {
    init_worker = true, set = true, balancer = true, header_filter = true,
    body_filter = true, log = true, exit_worker = true,
}
-- in seconds: a timer of nginx cannot be much longer
local MOST = 86400 * 20

local OPTIONS = { to = true, timeout = true }

local calls = outcome.calls
local last_call = 0
local idle_semaphores = {}


local function address(to)
    if to == nil or to == "exactly_one" then
        return lib.TO_ONE_OF + lib.WORKERS + lib.SELF
    elseif type(to) == "number" then
        return lib.to_worker(to)
    elseif type(to) == "table" and type(to.key) == "string" then
        return C.ngx_ipc_message_to_key(lib.WORKERS + lib.SELF, to.key, #to.key)
    end

    error('no receiver: "to" is "exactly_one", the number of a worker, or '
          .. "{ key = TEXT }", 3)
end


local function result(call)
    if call.outcome == lib.TOO_LATE then
        return nil, "timeout"
    elseif call.outcome == lib.NO_MEMORY then
        return nil, "no memory"
    elseif call.outcome ~= lib.REPLIED then
        return nil, "died"
    end

    if call.status == lib.VALUE then
        return call.data
    elseif call.status == lib.NOTHING then
        return true
    elseif call.status == lib.ERROR then
        return nil, call.data
    elseif call.status == lib.EXITING then
        return nil, "exiting"
    end

    return nil, "no subscriber"
end


-- Returns the reply, true if the function has returned nothing, or nil and an error.
local function call(name, data, options)
    lib.check_options(options, OPTIONS)

    local timeout = options and options.timeout or 1

    if type(timeout) ~= "number" or timeout ~= timeout then
        error("the timeout is a number of seconds", 2)
    end

    local found, err = types.get(name)

    if found and CANNOT_WAIT[ngx.get_phase()] then
        return nil, "no call in " .. ngx.get_phase() .. "_by_lua: it cannot wait"
    end

    if found then
        local ok

        ok, err = outcome.open()
        found = ok and found
    end

    if not found then
        return nil, err
    end

    local to = address(options and options.to)

    if queues.is_overfull() then
        -- the worker takes no messages now, so it would not take the reply
        return nil, "full"
    end

    -- the program can compute the time that is left, which can be negative
    timeout = math.min(math.max(timeout, 0), MOST)

    local sema = table.remove(idle_semaphores)

    if not sema then
        sema, err = semaphore.new()

        if not sema then
            return nil, err
        end
    end

    if type(data) ~= "string" then
        data = tostring(data)
    end

    last_call = last_call + 1

    local call = { semaphore = sema }
    local id = last_call
    local rc = C.ngx_http_ipc_queue_ask(found.c, to, data, #data, timeout * 1000, id)

    if rc ~= lib.OK then
        idle_semaphores[#idle_semaphores + 1] = sema
        return nil, lib.failure(tonumber(rc))
    end

    calls[id] = call

    if not sema:wait(timeout + GRACE) then
        calls[id] = nil
        return nil, "timeout"
    end

    idle_semaphores[#idle_semaphores + 1] = sema

    return result(call)
end


return call
