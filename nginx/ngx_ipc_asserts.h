
/*
 * Checks the layouts and numbers on which the library relies.  If this nginx
 * has other layouts or numbers, the compilation fails, because the library
 * would corrupt nginx's memory.  A test also compiles this file with the
 * headers of ngx-ipc, which are generated from the library's own types.
 */

#ifndef _NGX_IPC_ASSERTS_H_INCLUDED_
#define _NGX_IPC_ASSERTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_channel.h>

#include <stddef.h>


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

#if (NGX_IPC_ZONES)

#if !(NGX_HAVE_ATOMIC_OPS && NGX_HAVE_POSIX_SEM)
#error ngx-ipc needs atomic operations and semaphores: set NGX_IPC_KEEP=zones
#endif

ngx_ipc_assert(ngx_atomic_t, sizeof(ngx_atomic_t) == 8);

ngx_ipc_assert(ngx_shmtx_sh_t, sizeof(ngx_shmtx_sh_t) == 16);
ngx_ipc_assert_field(ngx_shmtx_sh_t, lock, 0, 8);
ngx_ipc_assert_field(ngx_shmtx_sh_t, wait, 8, 8);

ngx_ipc_assert(ngx_shmtx_t, sizeof(ngx_shmtx_t) == 64);
ngx_ipc_assert_field(ngx_shmtx_t, lock, 0, 8);
ngx_ipc_assert_field(ngx_shmtx_t, wait, 8, 8);
ngx_ipc_assert_field(ngx_shmtx_t, semaphore, 16, 8);
ngx_ipc_assert_field(ngx_shmtx_t, sem, 24, 32);
ngx_ipc_assert_field(ngx_shmtx_t, spin, 56, 8);

ngx_ipc_assert(ngx_slab_page_t, sizeof(ngx_slab_page_t) == 24);
ngx_ipc_assert_field(ngx_slab_page_t, slab, 0, 8);
ngx_ipc_assert_field(ngx_slab_page_t, next, 8, 8);
ngx_ipc_assert_field(ngx_slab_page_t, prev, 16, 8);

ngx_ipc_assert(ngx_slab_stat_t, sizeof(ngx_slab_stat_t) == 32);
ngx_ipc_assert_field(ngx_slab_stat_t, total, 0, 8);
ngx_ipc_assert_field(ngx_slab_stat_t, used, 8, 8);
ngx_ipc_assert_field(ngx_slab_stat_t, reqs, 16, 8);
ngx_ipc_assert_field(ngx_slab_stat_t, fails, 24, 8);

ngx_ipc_assert(ngx_slab_pool_t, sizeof(ngx_slab_pool_t) == 200);
ngx_ipc_assert_field(ngx_slab_pool_t, lock, 0, 16);
ngx_ipc_assert_field(ngx_slab_pool_t, min_size, 16, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, min_shift, 24, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, pages, 32, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, last, 40, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, free, 48, 24);
ngx_ipc_assert_field(ngx_slab_pool_t, stats, 72, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, pfree, 80, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, start, 88, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, end, 96, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, mutex, 104, 64);
ngx_ipc_assert_field(ngx_slab_pool_t, log_ctx, 168, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, zero, 176, 1);
ngx_ipc_assert_field(ngx_slab_pool_t, data, 184, 8);
ngx_ipc_assert_field(ngx_slab_pool_t, addr, 192, 8);

#endif

#if (NGX_IPC_ZONES && !NGX_IPC_NO_TYPED_ZONES)

ngx_ipc_assert_field(ngx_shm_zone_t, data, 0, 8);
ngx_ipc_assert_field(ngx_shm_zone_t, shm, 8, 48);
ngx_ipc_assert_field(ngx_shm_zone_t, init, 56, 8);
ngx_ipc_assert_field(ngx_shm_zone_t, tag, 64, 8);
ngx_ipc_assert_field(ngx_shm_zone_t, sync, 72, 8);
ngx_ipc_assert_field(ngx_shm_zone_t, noreuse, 80, 8);

#endif

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


#endif /* _NGX_IPC_ASSERTS_H_INCLUDED_ */
