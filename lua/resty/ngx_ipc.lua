-- Messages between nginx's workers, for programs in Lua.
--
-- It needs the module ngx_ipc_module.so, or an nginx on the library with the module
-- in nginx/messages, and the directive "ipc_messages" in the main context.
-- docs/nginx-lua.md explains it.

local lib = require "resty.ngx_ipc.ffi"
local message = require "resty.ngx_ipc.message"
local outcome = require "resty.ngx_ipc.outcome"
local types = require "resty.ngx_ipc.type"

local type = type

-- by option of register()
local FLAGS = {
    control = lib.CONTROL,
    once_per_key = lib.ONCE_PER_KEY,
    retained = lib.RETAINED,
}

local _M = {
    version = "0.1.0",
    publish = require "resty.ngx_ipc.publish",
    call = require "resty.ngx_ipc.call",
    on_gap = outcome.on_gap,
}


-- Registers a type with options, before it is used otherwise.
function _M.register(name, options)
    local flags = 0

    lib.check_options(options, FLAGS)

    for option, value in pairs(options or {}) do
        if value then
            flags = flags + FLAGS[option]
        end
    end

    local found, err = types.get(name, flags)

    if not found then
        return nil, err
    end

    if options and options.retained then
        found.retained = true
        return message.open(found)
    end

    return true
end


-- Calls fn(data, worker) for each message of the type.
function _M.subscribe(name, fn)
    if type(fn) ~= "function" then
        error("subscribe() needs a function", 2)
    end

    local found, err = types.get(name)

    if not found then
        return nil, err
    end

    local ok

    ok, err = message.open(found)

    if not ok then
        return nil, err
    end

    local functions = { unpack(found.functions) }

    functions[#functions + 1] = fn
    found.functions = functions

    return true
end


-- Undoes subscribe(). Returns whether the function was found.
function _M.unsubscribe(name, fn)
    local found = types.all[name]
    local functions, is = {}, false

    for _, known in ipairs(found and found.functions or {}) do
        if known == fn and not is then
            is = true
        else
            functions[#functions + 1] = known
        end
    end

    if is then
        found.functions = functions
    end

    return is
end


-- Returns the last message of a type with the option "retained" that this worker has.
function _M.retained(name)
    local found = types.all[name]

    if not found or not found.retained then
        return nil, "the type is not registered as retained"
    end

    return found.last
end


return _M
