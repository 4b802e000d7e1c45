-- The types of messages that this worker has registered.

local ffi = require "ffi"
local lib = require "resty.ngx_ipc.ffi"

local type = type
local errno = ffi.errno

-- by name: { name, c, flags, functions, queue, last, ... }
local types = {}

local _M = { all = types }


-- Returns the type with this name, which is registered in this worker.
function _M.get(name, flags)
    local found = types[name]

    if found and (not flags or found.flags == flags) then
        return found
    end

    if type(name) ~= "string" then
        error("the type of a message is a string", 3)
    end

    if lib.is_too_early() then
        return nil, lib.TOO_EARLY
    end

    if found then
        return nil, "the type is registered with other options"
    end

    local c = lib.C.ngx_http_ipc_queue_type(name, #name, flags or 0)

    if c == nil then
        local err = errno()

        if err == lib.EINVAL then
            return nil, "invalid name of a type: it has 1 to 48 bytes, no byte 0, "
                        .. 'and does not begin with "("'
        elseif err == lib.EEXIST then
            return nil, "the type is registered with other options"
        end

        return nil, "the type cannot be registered, see the log; "
                    .. 'is there a directive "ipc_messages"?'
    end

    found = { name = name, c = c, flags = flags or 0, functions = {} }
    types[name] = found

    return found
end


return _M
