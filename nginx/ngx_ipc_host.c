
/*
 * The part of ngx-ipc that depends on the version of nginx, or on structures of
 * nginx that the library does not know in full.  nginx's make compiles it with
 * nginx's headers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>

#include <stddef.h>


/* functions of the library that only this file calls */

void ngx_ipc_channel_added(ngx_fd_t fd);
ngx_int_t ngx_ipc_init_signals(ngx_log_t *log);


/*
 * The library relies on these layouts and numbers.  The compilation fails if
 * this nginx has others, since the library would corrupt its memory.
 */

#define ngx_ipc_assert(name, condition)                                       \
    typedef char  ngx_ipc_assert_##name[(condition) ? 1 : -1]

#define ngx_ipc_assert_field(type, field, at, bytes)                          \
    ngx_ipc_assert(type##_##field,                                            \
                   offsetof(type, field) == (at)                              \
                   && sizeof(((type *) 0)->field) == (bytes))

#if (NGX_PTR_SIZE != 8)
#error ngx-ipc needs a 64-bit platform
#endif

ngx_ipc_assert(ngx_int_t, sizeof(ngx_int_t) == 8);
ngx_ipc_assert(ngx_uint_t, sizeof(ngx_uint_t) == 8);
ngx_ipc_assert(ngx_pid_t, sizeof(ngx_pid_t) == 4);
ngx_ipc_assert(ngx_fd_t, sizeof(ngx_fd_t) == 4);
ngx_ipc_assert(ngx_socket_t, sizeof(ngx_socket_t) == 4);
ngx_ipc_assert(ngx_err_t, sizeof(ngx_err_t) == 4);
ngx_ipc_assert(sig_atomic_t, sizeof(sig_atomic_t) == 4);

ngx_ipc_assert(ngx_process_t, sizeof(ngx_process_t) == 48);
ngx_ipc_assert_field(ngx_process_t, pid, 0, 4);
ngx_ipc_assert_field(ngx_process_t, status, 4, 4);
ngx_ipc_assert_field(ngx_process_t, channel, 8, 8);
ngx_ipc_assert_field(ngx_process_t, proc, 16, 8);
ngx_ipc_assert_field(ngx_process_t, data, 24, 8);
ngx_ipc_assert_field(ngx_process_t, name, 32, 8);

ngx_ipc_assert(ngx_channel_t, sizeof(ngx_channel_t) == 32);
ngx_ipc_assert_field(ngx_channel_t, command, 0, 8);
ngx_ipc_assert_field(ngx_channel_t, pid, 8, 4);
ngx_ipc_assert_field(ngx_channel_t, slot, 16, 8);
ngx_ipc_assert_field(ngx_channel_t, fd, 24, 4);

ngx_ipc_assert(ngx_shm_t, sizeof(ngx_shm_t) == 48);
ngx_ipc_assert_field(ngx_shm_t, addr, 0, 8);
ngx_ipc_assert_field(ngx_shm_t, size, 8, 8);
ngx_ipc_assert_field(ngx_shm_t, name, 16, 16);
ngx_ipc_assert_field(ngx_shm_t, log, 32, 8);
ngx_ipc_assert_field(ngx_shm_t, exists, 40, 8);

ngx_ipc_assert(ngx_exec_ctx_t, sizeof(ngx_exec_ctx_t) == 32);
ngx_ipc_assert_field(ngx_exec_ctx_t, path, 0, 8);
ngx_ipc_assert_field(ngx_exec_ctx_t, name, 8, 8);
ngx_ipc_assert_field(ngx_exec_ctx_t, argv, 16, 8);
ngx_ipc_assert_field(ngx_exec_ctx_t, envp, 24, 8);

ngx_ipc_assert_field(ngx_str_t, len, 0, 8);
ngx_ipc_assert_field(ngx_str_t, data, 8, 8);

ngx_ipc_assert_field(ngx_log_t, log_level, 0, 8);

ngx_ipc_assert_field(ngx_cycle_t, conf_ctx, 0, 8);
ngx_ipc_assert_field(ngx_cycle_t, pool, 8, 8);
ngx_ipc_assert_field(ngx_cycle_t, log, 16, 8);

ngx_ipc_assert(codes, NGX_OK == 0 && NGX_ERROR == -1 && NGX_AGAIN == -2
                      && NGX_INVALID_PID == -1);
ngx_ipc_assert(table, NGX_MAX_PROCESSES == 1024);
ngx_ipc_assert(modes, NGX_PROCESS_NORESPAWN == -1
                      && NGX_PROCESS_JUST_SPAWN == -2
                      && NGX_PROCESS_RESPAWN == -3
                      && NGX_PROCESS_JUST_RESPAWN == -4
                      && NGX_PROCESS_DETACHED == -5);
ngx_ipc_assert(commands, NGX_CMD_OPEN_CHANNEL == 1
                         && NGX_CMD_CLOSE_CHANNEL == 2
                         && NGX_CMD_QUIT == 3
                         && NGX_CMD_TERMINATE == 4
                         && NGX_CMD_REOPEN == 5);
ngx_ipc_assert(roles, NGX_PROCESS_SINGLE == 0
                      && NGX_PROCESS_MASTER == 1
                      && NGX_PROCESS_WORKER == 3
                      && NGX_PROCESS_HELPER == 4);
ngx_ipc_assert(levels, NGX_LOG_EMERG == 1 && NGX_LOG_ALERT == 2
                       && NGX_LOG_CRIT == 3 && NGX_LOG_WARN == 5
                       && NGX_LOG_NOTICE == 6 && NGX_LOG_INFO == 7
                       && NGX_LOG_DEBUG == 8
                       && NGX_LOG_DEBUG_CORE == 0x010
                       && NGX_LOG_DEBUG_EVENT == 0x080);
ngx_ipc_assert(signals,
               ngx_signal_value(NGX_SHUTDOWN_SIGNAL) == SIGQUIT
               && ngx_signal_value(NGX_TERMINATE_SIGNAL) == SIGTERM
               && ngx_signal_value(NGX_NOACCEPT_SIGNAL) == SIGWINCH
               && ngx_signal_value(NGX_RECONFIGURE_SIGNAL) == SIGHUP
               && ngx_signal_value(NGX_REOPEN_SIGNAL) == SIGUSR1
               && ngx_signal_value(NGX_CHANGEBIN_SIGNAL) == SIGUSR2);


/* without variadic macros ngx_log_error_core() takes a va_list */
ngx_ipc_assert(log, NGX_HAVE_VARIADIC_MACROS);


/* without NGX_DEBUG nginx writes no debug lines at any log level */

#if (NGX_DEBUG)
const ngx_uint_t  ngx_ipc_debug_levels = 1;
#else
const ngx_uint_t  ngx_ipc_debug_levels = 0;
#endif


#if (nginx_version < 1013003)

/*
 * This nginx has no ngx_parent.  It is set in ngx_init_signals(), before the
 * process becomes a daemon.
 */

ngx_pid_t  ngx_parent;

#endif


#if (nginx_version < 1009001)

/*
 * This nginx has no ngx_worker either.  The number of a worker is the data with
 * which it was spawned.
 */

ngx_uint_t  ngx_worker;

#endif


/* A bit-field has no offset, so its bit is checked at run time. */

static ngx_int_t
ngx_ipc_check_bits(ngx_log_t *log)
{
    ngx_uint_t     i;
    unsigned       bits[5];
    ngx_process_t  process[5];

    ngx_memzero(process, sizeof(process));

    process[0].respawn = 1;
    process[1].just_spawn = 1;
    process[2].detached = 1;
    process[3].exiting = 1;
    process[4].exited = 1;

    for (i = 0; i < 5; i++) {
        ngx_memcpy(&bits[i], (u_char *) &process[i] + 40, sizeof(unsigned));

        if (bits[i] != 1u << i) {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "the bit-fields of ngx_process_t differ from "
                          "those that ngx-ipc expects");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_init_signals(ngx_log_t *log)
{
    if (ngx_ipc_check_bits(log) != NGX_OK) {
        return NGX_ERROR;
    }

#if (nginx_version < 1013003)
    ngx_parent = getppid();
#endif

    return ngx_ipc_init_signals(log);
}


/*
 * Called in the signal handler when the process pid has exited: unlocks the
 * accept mutex and the slab pools that it has left locked.
 */

void
ngx_ipc_unlock_mutexes(ngx_pid_t pid)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;
    ngx_slab_pool_t  *pool;

    if (ngx_accept_mutex_ptr != NULL) {
        (void) ngx_shmtx_force_unlock(&ngx_accept_mutex, pid);
    }

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part != NULL;
         part = part->next)
    {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            pool = (ngx_slab_pool_t *) zone[i].shm.addr;

            if (pool != NULL && ngx_shmtx_force_unlock(&pool->mutex, pid)) {
                ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                              "shared memory zone \"%V\" was locked by %P",
                              &zone[i].shm.name, pid);
            }
        }
    }
}


void
ngx_debug_point(void)
{
    ngx_core_conf_t  *conf;

    conf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                            ngx_core_module);

    if (conf->debug_points == NGX_DEBUG_POINTS_STOP) {
        raise(SIGSTOP);

    } else if (conf->debug_points == NGX_DEBUG_POINTS_ABORT) {
        ngx_abort();
    }
}


static ngx_int_t
ngx_ipc_watch(ngx_connection_t *c, ngx_event_t *ev, ngx_int_t event)
{
    if (ngx_add_conn != NULL && !(ngx_event_flags & NGX_USE_EPOLL_EVENT)) {
        return ngx_add_conn(c);
    }

    return ngx_add_event(ev, event, 0);
}


ngx_int_t
ngx_add_channel_event(ngx_cycle_t *cycle, ngx_fd_t fd, ngx_int_t event,
    ngx_event_handler_pt handler)
{
    ngx_event_t       *ev;
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->pool = cycle->pool;

    c->read->log = cycle->log;
    c->read->channel = 1;

    c->write->log = cycle->log;
    c->write->channel = 1;

    ev = (event == NGX_READ_EVENT) ? c->read : c->write;
    ev->handler = handler;

    if (ngx_ipc_watch(c, ev, event) == NGX_ERROR) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

#if (nginx_version < 1009001)
    if (ngx_process == NGX_PROCESS_WORKER) {
        ngx_worker = (ngx_uint_t) ngx_processes[ngx_process_slot].data;
    }
#endif

    ngx_ipc_channel_added(fd);

    return NGX_OK;
}
