
/*
 * The ABI, as shared by nginx and this library: compiled once against our
 * headers and once against nginx's own.  It is a failure if it does not
 * compile; what it prints must be the same both times.
 *
 * Prototypes and variables are compared by abi.sh, not here.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>

#include <stdio.h>
#include <string.h>


#define T_SAME(a, b)                                                          \
    _Static_assert(__builtin_types_compatible_p(a, b), #a " is not " #b)

#define T_SIZE(type, size)                                                    \
    _Static_assert(sizeof(type) == size, "size of " #type)

#define T_FIELD(type, field, at, as)                                          \
    _Static_assert(offsetof(type, field) == at, #type "." #field " moved");   \
    T_SAME(__typeof__(((type *) 0)->field), as)

#define T_CONSTANT(name, value)                                               \
    _Static_assert(name == value, #name)


/* basic types */

T_SAME(ngx_int_t, intptr_t);
T_SAME(ngx_uint_t, uintptr_t);
T_SAME(ngx_pid_t, pid_t);
T_SAME(ngx_err_t, int);
T_SAME(ngx_fd_t, int);
T_SAME(ngx_socket_t, int);
T_SAME(ngx_msec_t, uintptr_t);
T_SAME(ngx_msec_int_t, intptr_t);
T_SAME(ngx_spawn_proc_pt, void (*)(ngx_cycle_t *, void *));
T_SAME(ngx_event_handler_pt, void (*)(ngx_event_t *));
T_SAME(ngx_log_handler_pt, u_char *(*)(ngx_log_t *, u_char *, size_t));
T_SAME(ngx_log_writer_pt, void (*)(ngx_log_t *, ngx_uint_t, u_char *, size_t));
T_SAME(ngx_pool_cleanup_pt, void (*)(void *));

/* structures whose layout third-party modules rely on */

T_SIZE(ngx_process_t, 48);
T_FIELD(ngx_process_t, pid, 0, pid_t);
T_FIELD(ngx_process_t, status, 4, int);
T_FIELD(ngx_process_t, channel, 8, int [2]);
T_FIELD(ngx_process_t, proc, 16, ngx_spawn_proc_pt);
T_FIELD(ngx_process_t, data, 24, void *);
T_FIELD(ngx_process_t, name, 32, char *);

T_SIZE(ngx_channel_t, 32);
T_FIELD(ngx_channel_t, command, 0, ngx_uint_t);
T_FIELD(ngx_channel_t, pid, 8, pid_t);
T_FIELD(ngx_channel_t, slot, 16, ngx_int_t);
T_FIELD(ngx_channel_t, fd, 24, int);

T_SIZE(ngx_str_t, 16);
T_FIELD(ngx_str_t, len, 0, size_t);
T_FIELD(ngx_str_t, data, 8, u_char *);

T_SIZE(ngx_shm_t, 48);
T_FIELD(ngx_shm_t, addr, 0, u_char *);
T_FIELD(ngx_shm_t, size, 8, size_t);
T_FIELD(ngx_shm_t, name, 16, ngx_str_t);
T_FIELD(ngx_shm_t, log, 32, ngx_log_t *);
T_FIELD(ngx_shm_t, exists, 40, ngx_uint_t);

T_SIZE(ngx_exec_ctx_t, 32);
T_FIELD(ngx_exec_ctx_t, path, 0, char *);
T_FIELD(ngx_exec_ctx_t, name, 8, char *);
T_FIELD(ngx_exec_ctx_t, argv, 16, char *const *);
T_FIELD(ngx_exec_ctx_t, envp, 24, char *const *);

/* the host's: the beginning is fixed */

T_FIELD(ngx_log_t, log_level, 0, ngx_uint_t);
T_FIELD(ngx_cycle_t, conf_ctx, 0, void ****);
T_FIELD(ngx_cycle_t, pool, 8, ngx_pool_t *);
T_FIELD(ngx_cycle_t, log, 16, ngx_log_t *);

/* the host's: not fixed, but the same in nginx 1.28 */

T_SIZE(ngx_log_t, 80);
T_FIELD(ngx_log_t, file, 8, ngx_open_file_t *);
T_FIELD(ngx_log_t, disk_full_time, 24, time_t);
T_FIELD(ngx_log_t, handler, 32, ngx_log_handler_pt);
T_FIELD(ngx_log_t, data, 40, void *);
T_FIELD(ngx_log_t, writer, 48, ngx_log_writer_pt);
T_FIELD(ngx_log_t, wdata, 56, void *);
T_FIELD(ngx_log_t, action, 64, char *);
T_FIELD(ngx_log_t, next, 72, ngx_log_t *);
T_FIELD(ngx_open_file_t, fd, 0, int);
T_FIELD(ngx_open_file_t, name, 8, ngx_str_t);

T_SIZE(ngx_time_t, 24);
T_FIELD(ngx_time_t, sec, 0, time_t);
T_FIELD(ngx_time_t, msec, 8, ngx_uint_t);
T_FIELD(ngx_time_t, gmtoff, 16, ngx_int_t);

T_SIZE(ngx_pool_cleanup_t, 24);
T_FIELD(ngx_pool_cleanup_t, handler, 0, ngx_pool_cleanup_pt);
T_FIELD(ngx_pool_cleanup_t, data, 8, void *);
T_FIELD(ngx_pool_cleanup_t, next, 16, ngx_pool_cleanup_t *);

T_SIZE(ngx_module_t, 200);
T_FIELD(ngx_module_t, name, 16, char *);
T_FIELD(ngx_module_t, ctx, 56, void *);
T_FIELD(ngx_module_t, type, 72, ngx_uint_t);
T_FIELD(ngx_module_t, init_master, 80, ngx_int_t (*)(ngx_log_t *));
T_FIELD(ngx_module_t, init_module, 88, ngx_int_t (*)(ngx_cycle_t *));
T_FIELD(ngx_module_t, init_process, 96, ngx_int_t (*)(ngx_cycle_t *));
T_FIELD(ngx_module_t, exit_process, 120, void (*)(ngx_cycle_t *));
T_FIELD(ngx_module_t, exit_master, 128, void (*)(ngx_cycle_t *));

T_FIELD(ngx_connection_t, data, 0, void *);
T_FIELD(ngx_connection_t, read, 8, ngx_event_t *);
T_FIELD(ngx_connection_t, write, 16, ngx_event_t *);
T_FIELD(ngx_connection_t, fd, 24, int);

T_FIELD(ngx_event_t, data, 0, void *);
T_FIELD(ngx_event_t, available, 12, int);
T_FIELD(ngx_event_t, handler, 16, ngx_event_handler_pt);

/* constants */

T_CONSTANT(NGX_OK, 0);
T_CONSTANT(NGX_ERROR, -1);
T_CONSTANT(NGX_AGAIN, -2);
T_CONSTANT(NGX_BUSY, -3);
T_CONSTANT(NGX_DONE, -4);
T_CONSTANT(NGX_DECLINED, -5);
T_CONSTANT(NGX_ABORT, -6);

T_CONSTANT(NGX_MAX_PROCESSES, 1024);
T_CONSTANT(NGX_INVALID_PID, -1);
T_CONSTANT(NGX_PROCESS_NORESPAWN, -1);
T_CONSTANT(NGX_PROCESS_JUST_SPAWN, -2);
T_CONSTANT(NGX_PROCESS_RESPAWN, -3);
T_CONSTANT(NGX_PROCESS_JUST_RESPAWN, -4);
T_CONSTANT(NGX_PROCESS_DETACHED, -5);

T_CONSTANT(NGX_CMD_OPEN_CHANNEL, 1);
T_CONSTANT(NGX_CMD_CLOSE_CHANNEL, 2);
T_CONSTANT(NGX_CMD_QUIT, 3);
T_CONSTANT(NGX_CMD_TERMINATE, 4);
T_CONSTANT(NGX_CMD_REOPEN, 5);

T_CONSTANT(NGX_PROCESS_SINGLE, 0);
T_CONSTANT(NGX_PROCESS_MASTER, 1);
T_CONSTANT(NGX_PROCESS_SIGNALLER, 2);
T_CONSTANT(NGX_PROCESS_WORKER, 3);
T_CONSTANT(NGX_PROCESS_HELPER, 4);

T_CONSTANT(ngx_signal_value(NGX_SHUTDOWN_SIGNAL), SIGQUIT);
T_CONSTANT(ngx_signal_value(NGX_TERMINATE_SIGNAL), SIGTERM);
T_CONSTANT(ngx_signal_value(NGX_NOACCEPT_SIGNAL), SIGWINCH);
T_CONSTANT(ngx_signal_value(NGX_RECONFIGURE_SIGNAL), SIGHUP);
T_CONSTANT(ngx_signal_value(NGX_REOPEN_SIGNAL), SIGUSR1);
T_CONSTANT(ngx_signal_value(NGX_CHANGEBIN_SIGNAL), SIGUSR2);

T_CONSTANT(NGX_LOG_STDERR, 0);
T_CONSTANT(NGX_LOG_EMERG, 1);
T_CONSTANT(NGX_LOG_ALERT, 2);
T_CONSTANT(NGX_LOG_CRIT, 3);
T_CONSTANT(NGX_LOG_ERR, 4);
T_CONSTANT(NGX_LOG_WARN, 5);
T_CONSTANT(NGX_LOG_NOTICE, 6);
T_CONSTANT(NGX_LOG_INFO, 7);
T_CONSTANT(NGX_LOG_DEBUG, 8);
T_CONSTANT(NGX_LOG_DEBUG_CORE, 0x10);
T_CONSTANT(NGX_LOG_DEBUG_ALLOC, 0x20);
T_CONSTANT(NGX_LOG_DEBUG_MUTEX, 0x40);
T_CONSTANT(NGX_LOG_DEBUG_EVENT, 0x80);
T_CONSTANT(NGX_LOG_DEBUG_HTTP, 0x100);
T_CONSTANT(NGX_LOG_DEBUG_MAIL, 0x200);
T_CONSTANT(NGX_LOG_DEBUG_STREAM, 0x400);
T_CONSTANT(NGX_LOG_DEBUG_CONNECTION, 0x80000000);
T_CONSTANT(NGX_LOG_DEBUG_ALL, 0x7ffffff0);
T_CONSTANT(NGX_MAX_ERROR_STR, 2048);
T_CONSTANT(NGX_DEFAULT_POOL_SIZE, 16384);
T_CONSTANT(NGX_DEBUG_POINTS_STOP, 1);
T_CONSTANT(NGX_DEBUG_POINTS_ABORT, 2);
T_CONSTANT(NGX_READ_EVENT, 0x2001);
T_CONSTANT(NGX_WRITE_EVENT, 4);
T_CONSTANT(NGX_TIMER_INFINITE, (ngx_msec_t) -1);
T_CONSTANT(NGX_CORE_MODULE, 0x45524F43);


/* The words that hold bit-fields, each bit by the name of its field. */

#define T_BIT(type, word, field)                                              \
    do {                                                                      \
        type      s;                                                          \
        unsigned  bits;                                                       \
                                                                              \
        memset(&s, 0, sizeof(s));                                             \
        s.field = 1;                                                          \
        memcpy(&bits, (char *) &s + word, sizeof(bits));                      \
        printf(#type "." #field " %#x\n", bits);                              \
    } while (0)


int
main(void)
{
    T_BIT(ngx_process_t, 40, respawn);
    T_BIT(ngx_process_t, 40, just_spawn);
    T_BIT(ngx_process_t, 40, detached);
    T_BIT(ngx_process_t, 40, exiting);
    T_BIT(ngx_process_t, 40, exited);

    T_BIT(ngx_event_t, 8, write);
    T_BIT(ngx_event_t, 8, accept);
    T_BIT(ngx_event_t, 8, instance);
    T_BIT(ngx_event_t, 8, active);
    T_BIT(ngx_event_t, 8, disabled);
    T_BIT(ngx_event_t, 8, ready);
    T_BIT(ngx_event_t, 8, oneshot);
    T_BIT(ngx_event_t, 8, complete);
    T_BIT(ngx_event_t, 8, eof);
    T_BIT(ngx_event_t, 8, error);
    T_BIT(ngx_event_t, 8, timedout);
    T_BIT(ngx_event_t, 8, timer_set);
    T_BIT(ngx_event_t, 8, delayed);
    T_BIT(ngx_event_t, 8, deferred_accept);
    T_BIT(ngx_event_t, 8, pending_eof);
    T_BIT(ngx_event_t, 8, posted);
    T_BIT(ngx_event_t, 8, closed);
    T_BIT(ngx_event_t, 8, channel);
    T_BIT(ngx_event_t, 8, resolver);
    T_BIT(ngx_event_t, 8, cancelable);

    return 0;
}
