/*
 * ngx_ipc.hpp: classes for C++17 that free what they own.
 *
 * No exception crosses the library: it is written for C. A handler of a message that
 * throws ends the process with std::terminate(). Hooks of modules, handlers of
 * connections and other functions that C code calls must not throw. If shared memory
 * or sockets cannot be made, the object is false. The reason is in the log of ngx_cycle,
 * if there is a cycle.
 */

#ifndef NGX_IPC_HPP
#define NGX_IPC_HPP

#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace ngx_ipc {

inline ngx_log_t *log() { return ngx_cycle ? ngx_cycle->log : nullptr; }

/* Shared memory for a T, which is zero at first. Processes spawned later share it. */
template <typename T> class shm {
    static_assert(std::is_trivially_destructible_v<T>, "a worker can be killed");

public:
    shm() { shm_.size = sizeof(T); shm_.log = log(); ngx_shm_alloc(&shm_); }
    ~shm() { if (shm_.addr) ngx_shm_free(&shm_); }
    shm(const shm &) = delete;
    shm &operator=(const shm &) = delete;

    explicit operator bool() const { return shm_.addr != nullptr; }
    T *operator->() const { return reinterpret_cast<T *>(shm_.addr); }
    T &operator*() const { return *operator->(); }

private:
    ngx_shm_t shm_{};
};

/* A pool that is destroyed at the end of the scope, ngx_create_pool(). */
struct destroy_pool {
    void operator()(ngx_pool_t *pool) const { ngx_destroy_pool(pool); }
};
using pool = std::unique_ptr<ngx_pool_t, destroy_pool>;

inline pool create_pool(size_t size = NGX_DEFAULT_POOL_SIZE)
{
    return pool(ngx_create_pool(size, log()));
}

/* Two connected, nonblocking sockets for ngx_write_channel() and ngx_read_channel(). */
class channel_pair {
public:
    channel_pair()
    {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd_)) {
            if (log()) {
                ngx_log_error(NGX_LOG_ALERT, log(), ngx_errno, "socketpair() failed");
            }
            fd_[0] = fd_[1] = -1;
        }
    }
    ~channel_pair() { if (*this) ngx_close_channel(fd_, log()); }
    channel_pair(const channel_pair &) = delete;
    channel_pair &operator=(const channel_pair &) = delete;

    explicit operator bool() const { return fd_[0] != -1; }
    ngx_socket_t operator[](int end) const { return fd_[end]; }
    ngx_int_t write(int end, ngx_channel_t &ch)
    {
        return ngx_write_channel(fd_[end], &ch, sizeof(ch), log());
    }
    ngx_int_t read(int end, ngx_channel_t &ch)
    {
        return ngx_read_channel(fd_[end], &ch, sizeof(ch), log());
    }

private:
    ngx_fd_t fd_[2];
};

/* A type of messages with a payload T. The object lives as long as the program. */
template <typename T> class message {
    static_assert(std::is_trivially_copyable_v<T>, "processes exchange copies of the bytes");

public:
    using handler = std::function<void(const T &, const ngx_ipc_peer_t &)>;

    explicit message(const char *name, handler h = {}, ngx_uint_t flags = 0)
        : handler_(std::move(h))
    {
        type_.name = name;
        type_.flags = flags;
        type_.ctx = this;
        type_.handler = handler_ ? call : nullptr;
    }
    message(const message &) = delete;
    message &operator=(const message &) = delete;

    ngx_int_t register_type() { return ngx_ipc_message_register(&type_); }
    ngx_int_t send(ngx_ipc_to_t to, const T &data)
    {
        return ngx_ipc_message_send(&type_, to, &data, sizeof(T));
    }
    ngx_int_t broadcast(ngx_uint_t set, const T &data)
    {
        return ngx_ipc_message_broadcast(&type_, set, &data, sizeof(T));
    }

private:
    /* The handler gets a copy: another process can change the payload in shared memory. */
    static void call(ngx_ipc_message_t *m) noexcept
    {
        if (m->len != sizeof(T)) {
            return;
        }
        alignas(T) unsigned char copy[sizeof(T)];
        memcpy(copy, m->data, sizeof(T));
        static_cast<message *>(m->ctx)->handler_(*reinterpret_cast<T *>(copy), *m->sender);
    }

    ngx_ipc_message_type_t type_{};
    handler handler_;
};

/* A module, whose hooks the program sets. The object lives as long as the program. */
struct program_module : ngx_module_t {
    program_module() : ngx_module_t{}
    {
        ctx_index = index = NGX_MODULE_UNSET_INDEX;
        signature = NGX_MODULE_SIGNATURE;
        type = NGX_CORE_MODULE;
    }
};

/* The configuration of a program, with its modules and listening sockets. */
class configuration : public ngx_core_conf_t {
public:
    configuration() { ngx_ipc_conf_init(this); }

    configuration &add(program_module &m) { modules_.push_back(&m); return *this; }
    configuration &listen(const char *at, void (*accepted)(ngx_connection_t *))
    {
        ngx_listening_t l{};
        l.address = at;
        l.handler = accepted;
        listening_.push_back(l);
        return *this;
    }

    /* Runs the program, ngx_ipc_main(). */
    int run(int argc, char **argv)
    {
        modules_.push_back(nullptr);
        modules = modules_.data();
        listening = listening_.data();
        listening_n = listening_.size();
        return ngx_ipc_main(this, argc, argv);
    }

private:
    std::vector<ngx_module_t *> modules_;
    std::vector<ngx_listening_t> listening_;
};

}  // namespace ngx_ipc

#endif /* NGX_IPC_HPP */
