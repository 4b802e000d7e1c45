-- The functions of ngx_ipc_module.so for Lua, and their constants.

local ffi = require "ffi"

-- It declares ngx_http_lua_ffi_sema_post().
require "ngx.semaphore"

local C = ffi.C
local ngx = ngx
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
intptr_t ngx_http_ipc_queue_wait(ngx_http_ipc_queue_t *queue);
intptr_t ngx_http_ipc_queue_enter(ngx_http_ipc_queue_t *queue, void *r);
intptr_t ngx_http_ipc_queue_is_overfull(ngx_http_ipc_queue_t *queue);
extern uintptr_t ngx_http_ipc_queue_unguarded;
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
    error("resty.ngx_ipc: nginx has not loaded ngx_ipc_module.so", 0)
end


local _M = {
    C = C,

    -- ngx_ipc_message.h
    CONTROL = 1, ONCE_PER_KEY = 4, RETAINED = 8,
    WORKERS = 1, ALL_GENERATIONS = 16, SELF = 32,
    TO_ONE_OF = 288230376151711744ULL,
    REPLIED = 1, TOO_LATE = 2,
    CAUSES = { "damaged", "not for this process", "died", "descriptors",
               "no process" },

    -- nginx/messages/ngx_http_ipc_queue.h and ngx_http_ipc.h
    OUTCOME = 1, GAP = 2, THREAD = 3, NO_MEMORY = 16,
    TAKEN = 0, VALUE = 1, NOTHING = 2, ERROR = 3, EXITING = 4,

    TOO_EARLY = "no messages in init_by_lua: use init_worker_by_lua",

    EINVAL = 22, EEXIST = 17, OK = 0,

    wake = ffi.cast("ngx_http_ipc_wake_pt", C.ngx_http_lua_ffi_sema_post),
}

local ESRCH, ENOTSUP, EBUSY, EPIPE = 3, 95, 16, 32
local NGX_AGAIN, NGX_DECLINED = -2, -5
local TO_WORKER = 72057594037927936ULL
local NO_WORKER = 4294967295


-- Checks the options of a function, which are nil or a table, for its caller. "known" has
-- the names of the options as keys.
function _M.check_options(options, known)
    if options == nil then
        return
    end

    if type(options) ~= "table" then
        error("options are a table, not a " .. type(options), 3)
    end

    for option in pairs(options) do
        if not known[option] then
            error("unknown option \"" .. tostring(option) .. '"', 3)
        end
    end
end


-- Whether no worker runs yet.
function _M.is_too_early()
    return ngx.get_phase() == "init"
end


-- The text of an error of a function that sends.
function _M.failure(rc)
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


-- The address of a worker. For a number that no worker can have, it is the address of a
-- worker that does not exist, and never an address of another kind.
function _M.to_worker(number)
    if number < 0 or number >= NO_WORKER or number % 1 ~= 0 then
        number = NO_WORKER
    end

    return TO_WORKER + number
end


return _M
