-- Messages between nginx's workers, for programs in Lua.
--
-- It needs the module ngx_ipc_module.so, or an nginx on the library with the module
-- in nginx/messages, and the directive "ipc_messages" in the main context.
-- docs/nginx-lua.md explains it.
--
-- Nothing polls here. A light thread for each type waits for a semaphore. The module
-- posts the semaphore in the event of nginx in which a message arrives.

local ffi = require "ffi"
local semaphore = require "ngx.semaphore"
local text_of = require "resty.ngx_ipc.text"

local C = ffi.C
local ngx = ngx
local pcall = pcall
local type = type
local tonumber = tonumber
local tostring = tostring
local ffi_str = ffi.string
local errno = ffi.errno

ffi.cdef [[
typedef struct ngx_http_ipc_type_s   ngx_http_ipc_type_t;
typedef struct ngx_http_ipc_queue_s  ngx_http_ipc_queue_t;

typedef struct {
    char       *data;
    size_t      len;
    intptr_t    worker;
    uint64_t    from;
    uintptr_t   request;
    uintptr_t   what;
    uintptr_t   id;
    uintptr_t   status;
    uintptr_t   count;
} ngx_http_ipc_item_t;

typedef int (*ngx_http_ipc_wake_pt)(void *semaphore, int n);

ngx_http_ipc_type_t *ngx_http_ipc_queue_type(const char *name, size_t len,
    uintptr_t flags);
ngx_http_ipc_queue_t *ngx_http_ipc_queue_open(ngx_http_ipc_type_t *type,
    ngx_http_ipc_wake_pt wake, void *semaphore);
void ngx_http_ipc_queue_close(ngx_http_ipc_queue_t *queue);
ngx_http_ipc_item_t *ngx_http_ipc_queue_take(ngx_http_ipc_queue_t *queue);
intptr_t ngx_http_ipc_queue_wait(ngx_http_ipc_queue_t *queue, intptr_t waits);
intptr_t ngx_http_ipc_queue_want_gaps(void);
intptr_t ngx_http_ipc_queue_ask(ngx_http_ipc_type_t *type, uint64_t to,
    const char *data, size_t len, uintptr_t timeout, uintptr_t id);
intptr_t ngx_http_ipc_queue_reply(uint64_t to, uintptr_t request,
    uintptr_t clients, uintptr_t status, const char *data, size_t len);

intptr_t ngx_ipc_message_send(ngx_http_ipc_type_t *type, uint64_t to,
    const char *data, size_t len);
intptr_t ngx_ipc_message_send_by_key(ngx_http_ipc_type_t *type, uintptr_t set,
    const char *key, size_t key_len, const char *data, size_t len);
uint64_t ngx_ipc_message_to_key(uintptr_t set, const char *key, size_t key_len);
intptr_t ngx_ipc_message_broadcast(ngx_http_ipc_type_t *type, uintptr_t set,
    const char *data, size_t len);
const uint64_t *ngx_ipc_message_missed(uintptr_t *n);
intptr_t ngx_ipc_message_worker(uint64_t to);
]]

if not pcall(function () return C.ngx_http_ipc_queue_open end) then
    error("resty.ngx_ipc: nginx has not loaded ngx_ipc_module.so", 2)
end


-- ngx_ipc_message.h

local CONTROL, ONCE_PER_KEY, RETAINED = 1, 4, 8
local WORKERS, ALL_GENERATIONS, SELF = 1, 16, 32
local TO_WORKER = 72057594037927936ULL
local TO_ONE_OF = 288230376151711744ULL
local NO_WORKER = 4294967295
local REPLIED, TOO_LATE = 1, 2
local EINVAL, ESRCH, ENOTSUP, EBUSY, EEXIST, EPIPE = 22, 3, 95, 16, 17, 32
local NGX_OK, NGX_AGAIN, NGX_DECLINED = 0, -2, -5
local CAUSES = { "damaged", "not for this process", "died", "descriptors",
                 "no process" }

-- nginx/messages/ngx_http_ipc_queue.c and ngx_http_ipc.h

local MESSAGE, OUTCOME = 0, 1
local TAKEN, VALUE, NOTHING, ERROR, EXITING = 0, 1, 2, 3, 4

-- A light thread that waits wakes up after so many seconds, and waits again.
local LONG = 86400
-- nginx frees the memory of a light thread when it ends. So another one takes over
-- after so many messages.
local MOST = 1000


local _M = { version = "0.1.0" }

-- by name: { name, c, flags, functions, queue, last, n }
local types = {}
-- by number of the request
local calls = {}
local last_call = 0
local idle_semaphores = {}
local outcomes
local gap_functions = {}

local wake = ffi.cast("ngx_http_ipc_wake_pt", C.ngx_http_lua_ffi_sema_post)
local missed_n = ffi.new("uintptr_t[1]")


-- Returns the type with this name, which is registered in this worker.
local function get(name, flags)
    local found = types[name]

    if found and (not flags or found.flags == flags) then
        return found
    end

    if type(name) ~= "string" then
        error("the type of a message is a string", 3)
    end

    if ngx.get_phase() == "init" then
        return nil, "no messages in init_by_lua: use init_worker_by_lua"
    end

    if found then
        return nil, "the type is registered with other options"
    end

    local c = C.ngx_http_ipc_queue_type(name, #name, flags or 0)

    if c == nil then
        local err = errno()

        if err == EINVAL then
            return nil, "invalid name of a type: it has 1 to 48 bytes"
        elseif err == EEXIST then
            return nil, "the type is registered with other options"
        end

        return nil, "the type cannot be registered, see the log; "
                    .. 'is there a directive "ipc_messages"?'
    end

    found = { name = name, c = c, flags = flags or 0, functions = {} }
    types[name] = found

    return found
end


local function failure(rc)
    if rc == NGX_AGAIN then
        return "full"
    elseif rc == NGX_DECLINED then
        return "too large"
    end

    local err = errno()

    if err == ESRCH then
        return "no process"
    elseif err == ENOTSUP then
        return "no messages"
    elseif err == EBUSY then
        return "busy"
    elseif err == EPIPE then
        return "exiting"
    end

    return "errno " .. err
end


local take_over

-- Waits for items and handles each with "handle", until the worker exits.
local function run(_, queue, handle)
    local mine = {}
    local c = queue.c
    local n = 0

    if queue.busy then
        -- a function of the program waits for something in the light thread before
        return
    end

    queue.owner = mine

    if queue.waits then
        queue.semaphore:post(1)
    end

    repeat
        local item = C.ngx_http_ipc_queue_take(c)

        if item ~= nil then
            queue.busy = true
            handle(queue, item)
            queue.busy = false
            n = n + 1

        else
            if n >= MOST and take_over(queue, handle) then
                n = 0
            end

            if C.ngx_http_ipc_queue_wait(c, 1) ~= 0 then
                return
            end

            queue.waits = true
            queue.semaphore:wait(LONG)

            if queue.owner == mine then
                queue.waits = false
                C.ngx_http_ipc_queue_wait(c, 0)
            end
        end
    until queue.owner ~= mine
end


take_over = function (queue, handle)
    return ngx.timer.at(0, run, queue, handle)
end


-- Opens the queue of a type, or the queue of outcomes, with a light thread.
local function open(found, handle)
    local sema, err = semaphore.new()

    if not sema then
        return nil, err
    end

    local c = C.ngx_http_ipc_queue_open(found and found.c, wake, sema.sem)

    if c == nil then
        if errno() == EEXIST then
            return nil, "another virtual machine of Lua has subscribed"
        end

        return nil, "no memory"
    end

    local queue = {
        -- the virtual machine ends: the module must not post the semaphore
        c = ffi.gc(c, C.ngx_http_ipc_queue_close),
        semaphore = sema,
        type = found,
    }
    local ok

    ok, err = ngx.timer.at(0, run, queue, handle)

    if not ok then
        C.ngx_http_ipc_queue_close(ffi.gc(c, nil))
        return nil, err
    end

    return queue
end


local function tell_of_gap(gap)
    for i = 1, #gap_functions do
        local ok, err = pcall(gap_functions[i], gap)

        if not ok then
            ngx.log(ngx.ERR, "a function for gaps failed: ", text_of(err))
        end
    end
end


-- Handles the outcome of a request, or a gap.
local function handle_outcome(_, item)
    if item.what == OUTCOME then
        local id = tonumber(item.id)
        local call = calls[id]

        calls[id] = nil

        if call then
            call.outcome = tonumber(item.status)
            call.status = tonumber(item.count)
            call.data = ffi_str(item.data, item.len)
            call.semaphore:post(1)
        end

        return
    end

    -- A function for gaps can use ipc.call(), whose outcome this light thread handles.
    ngx.thread.spawn(tell_of_gap, {
        count = tonumber(item.count),
        worker = item.worker >= 0 and tonumber(item.worker) or nil,
        cause = CAUSES[tonumber(item.status)],
    })
end


local function open_outcomes()
    if outcomes then
        return outcomes
    end

    local err

    outcomes, err = open(nil, handle_outcome)

    return outcomes, err
end


local function call_all(functions, data, worker)
    local result, why, failed

    for i = 1, #functions do
        local ok, value, err = pcall(functions[i], data, worker)

        if not ok then
            local text = text_of(value)

            ngx.log(ngx.ERR, "a function for messages failed: ", text)
            failed = failed or text

        elseif result == nil and why == nil then
            result, why = value, err
        end
    end

    return result, why, failed
end


-- Calls the functions of a type, and replies with the value of the first that has one.
local function handle_message(queue, item)
    local found = queue.type
    local data = ffi_str(item.data, item.len)
    local worker = item.worker >= 0 and tonumber(item.worker) or nil
    local from, request, clients = item.from, item.request, item.count

    if found.retained then
        found.last = data
    end

    -- a function can unsubscribe
    local functions = found.functions
    local value, why, failed = call_all(functions, data, worker)

    if request == 0 then
        return
    end

    local status, text = NOTHING, ""

    if #functions == 0 then
        status = TAKEN
    elseif value ~= nil then
        status, text = VALUE, text_of(value)
    elseif why or failed then
        status, text = ERROR, text_of(why or failed)
    end

    local rc = C.ngx_http_ipc_queue_reply(from, request, clients, status, text,
                                          #text)

    if rc ~= NGX_OK then
        local err = failure(rc)

        ngx.log(ngx.ERR, "a reply could not be sent: ", err)

        if #text > 0 then
            err = "the reply could not be sent: " .. err
            C.ngx_http_ipc_queue_reply(from, request, clients, ERROR, err, #err)
        end
    end
end


local function open_type(found)
    if found.queue then
        return true
    end

    local err

    found.queue, err = open(found, handle_message)

    if not found.queue then
        return nil, err
    end

    return true
end


-- Registers a type with options, before it is used otherwise.
function _M.register(name, options)
    local flags = 0

    for option, value in pairs(options or {}) do
        if option == "control" then
            flags = flags + (value and CONTROL or 0)
        elseif option == "once_per_key" then
            flags = flags + (value and ONCE_PER_KEY or 0)
        elseif option == "retained" then
            flags = flags + (value and RETAINED or 0)
        else
            error("unknown option \"" .. tostring(option) .. '"', 2)
        end
    end

    local found, err = get(name, flags)

    if not found then
        return nil, err
    end

    if options and options.retained then
        found.retained = true
        return open_type(found)
    end

    return true
end


-- Calls fn(data, worker) for each message of the type.
function _M.subscribe(name, fn)
    if type(fn) ~= "function" then
        error("no function", 2)
    end

    local found, err = get(name)

    if not found then
        return nil, err
    end

    local ok

    ok, err = open_type(found)

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
    local found = types[name]
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


-- The address of a worker. With a number that no worker has, it is that of no process,
-- and of no other kind.
local function to_worker(number)
    if number < 0 or number >= NO_WORKER or number % 1 ~= 0 then
        number = NO_WORKER
    end

    return TO_WORKER + number
end


local function missed()
    local array = C.ngx_ipc_message_missed(missed_n)
    local workers = {}

    for i = 0, tonumber(missed_n[0]) - 1 do
        workers[i + 1] = tonumber(C.ngx_ipc_message_worker(array[i]))
    end

    return workers
end


local NONE = setmetatable({}, { __newindex = function () error("read only") end })

-- Sends the data. Returns the number of workers, and a list of the workers that have
-- no room; or nil and an error.
function _M.publish(name, data, options)
    local found, err = types[name]

    if not found then
        found, err = get(name)

        if not found then
            return nil, err
        end
    end

    if type(data) ~= "string" then
        data = tostring(data)
    end

    local to = options and options.to or "all"
    local set = WORKERS + SELF
    local rc

    if options and options.all_generations then
        set = set + ALL_GENERATIONS
    end

    if to == "all" or to == "others" then
        if to == "others" then
            set = set - SELF
        end

        rc = tonumber(C.ngx_ipc_message_broadcast(found.c, set, data, #data))

        if rc < 0 then
            return nil, failure(rc)
        end

        missed_n[0] = 0
        C.ngx_ipc_message_missed(missed_n)

        return rc, missed_n[0] == 0 and NONE or missed()
    end

    if to == "exactly_one" then
        rc = C.ngx_ipc_message_send(found.c, TO_ONE_OF + set, data, #data)
    elseif type(to) == "number" then
        rc = C.ngx_ipc_message_send(found.c, to_worker(to), data, #data)
    elseif type(to) == "table" and type(to.key) == "string" then
        rc = C.ngx_ipc_message_send_by_key(found.c, set, to.key, #to.key, data,
                                           #data)
    else
        error("invalid receiver", 2)
    end

    rc = tonumber(rc)

    if rc ~= NGX_OK then
        return nil, failure(rc)
    end

    return 1, NONE
end


local function address(to)
    if to == nil or to == "exactly_one" then
        return TO_ONE_OF + WORKERS + SELF
    elseif type(to) == "number" then
        return to_worker(to)
    elseif type(to) == "table" and type(to.key) == "string" then
        return C.ngx_ipc_message_to_key(WORKERS + SELF, to.key, #to.key)
    end

    error("invalid receiver", 3)
end


local function result(call)
    if call.outcome ~= REPLIED then
        return nil, call.outcome == TOO_LATE and "timeout" or "died"
    end

    if call.status == VALUE then
        return call.data
    elseif call.status == NOTHING then
        return true
    elseif call.status == ERROR then
        return nil, call.data
    elseif call.status == EXITING then
        return nil, "exiting"
    end

    return nil, "no subscriber"
end


-- Asks one worker, and waits for its reply. Returns the reply, true if the function
-- has returned nothing, or nil and an error.
function _M.call(name, data, options)
    local found, err = get(name)

    if found then
        local ok

        ok, err = open_outcomes()
        found = ok and found
    end

    if not found then
        return nil, err
    end

    local to = address(options and options.to)
    -- a time that is left can be negative
    local timeout = math.max(options and options.timeout or 1, 0)
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

    if rc ~= NGX_OK then
        idle_semaphores[#idle_semaphores + 1] = sema
        return nil, failure(tonumber(rc))
    end

    calls[id] = call

    -- the outcome comes in any case
    local ok

    ok, err = sema:wait(timeout + LONG)

    if not ok then
        return nil, err
    end

    idle_semaphores[#idle_semaphores + 1] = sema

    return result(call)
end


-- Returns the last message of a type with the option "retained" that this worker has.
function _M.retained(name)
    local found = types[name]

    if not found or not found.retained then
        return nil, "the type is not registered as retained"
    end

    return found.last
end


-- Calls fn(gap) when messages to this worker were lost.
function _M.on_gap(fn)
    if type(fn) ~= "function" then
        error("no function", 2)
    end

    local ok, err = open_outcomes()

    if not ok then
        return nil, err
    end

    gap_functions[#gap_functions + 1] = fn

    if C.ngx_http_ipc_queue_want_gaps() ~= NGX_OK then
        return nil, "no memory"
    end

    return true
end


return _M
