
/*
 * The part of ngx-ipc that depends on the version of nginx, or on structures
 * of nginx whose fields the library does not all know.  nginx's make compiles
 * this file with nginx's headers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>

#include "ngx_ipc_asserts.h"
#include "ngx_ipc_messages.h"


/* functions of the library that only this file calls */

void ngx_ipc_channel_added(ngx_fd_t fd);
ngx_int_t ngx_ipc_init_signals(ngx_log_t *log);
ngx_uint_t ngx_ipc_zone_unlock(void *pool, size_t size, ngx_pid_t pid);


/* the library is linked with nginx */
const ngx_uint_t  ngx_ipc_loaded = 0;


/* changes that relatives of nginx have made in ngx_process.c */

#if (NGX_IPC_SINGLE_EXITS)

/* OpenResty: a process without a master exits at SIGHUP */
const ngx_uint_t  ngx_ipc_single_exits = 1;

#else
const ngx_uint_t  ngx_ipc_single_exits = 0;
#endif


#if (NGX_PROCS)

/* Tengine: a role that handles signals as a worker does */
const ngx_uint_t  ngx_ipc_proc_role = NGX_PROCESS_PROC;

#else
const ngx_uint_t  ngx_ipc_proc_role = 0;
#endif


#if (T_PIPES)

/* Tengine: children of the master that are not in the process table */
const ngx_uint_t  ngx_ipc_pipe_role = NGX_PROCESS_PIPE;

#else
const ngx_uint_t  ngx_ipc_pipe_role = 0;
#endif


#if (T_NGX_HAVE_XUDP)
#error ngx-ipc does not handle the signal of XUDP: configure without XUDP
#endif


#if (NGX_HAVE_PROC_EXIT)

/* OpenResty: called when a child has exited */

ngx_proc_exit_pt  ngx_proc_exit_top_handler = ngx_proc_exit_def_handler;


void
ngx_proc_exit_def_handler(ngx_pid_t pid)
{
}

#endif


#if (nginx_version < 1013003)

/*
 * This version of nginx has no ngx_parent.  ngx_init_signals() sets the
 * variable, before the process becomes a daemon.
 */

ngx_pid_t  ngx_parent;

#endif


#if (nginx_version < 1009001)

/*
 * This version of nginx has no ngx_worker.  The number of a worker is the data
 * with which nginx has spawned the worker.
 */

ngx_uint_t  ngx_worker;

#endif


/*
 * Checks the positions of bit-fields when nginx starts, because the compiler
 * cannot give the offset of a bit-field.
 */

static ngx_int_t
ngx_ipc_check_bits(ngx_log_t *log)
{
    ngx_uint_t     i;
    unsigned       bits[5];
    ngx_process_t  process[5];

#if (NGX_IPC_ZONES)
    ngx_slab_pool_t  pool;
#endif

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

#if (NGX_IPC_ZONES)

    ngx_memzero(&pool, sizeof(pool));

    pool.log_nomem = 1;

    if (((u_char *) &pool)[177] != 1) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "the bit-field of ngx_slab_pool_t differs from the one "
                      "that ngx-ipc expects");
        return NGX_ERROR;
    }

#endif

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


#if (T_PIPES)

static ngx_uint_t
ngx_ipc_in_table(ngx_pid_t pid)
{
    ngx_int_t  i;

    for (i = 0; i < ngx_last_process; i++) {
        if (ngx_processes[i].pid == pid) {
            return 1;
        }
    }

    return 0;
}

#endif


/*
 * Unlocks a slab pool if the process pid has locked it.  Workers can write to
 * the pool, so the addresses in pool->mutex are not used: with them, a worker
 * could make the master write to other memory.  ngx_init_zone_pool() has set
 * them to the addresses that this function uses.
 */

static ngx_uint_t
ngx_ipc_unlock_pool(ngx_slab_pool_t *pool, size_t size, ngx_pid_t pid)
{
#if (NGX_IPC_ZONES)

    return ngx_ipc_zone_unlock(pool, size, pid);

#elif (NGX_HAVE_ATOMIC_OPS)

#if (NGX_HAVE_POSIX_SEM)
    ngx_atomic_uint_t  wait;
#endif

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "shmtx forced unlock");

    if (!ngx_atomic_cmp_set(&pool->lock.lock, (ngx_atomic_uint_t) pid, 0)) {
        return 0;
    }

#if (NGX_HAVE_POSIX_SEM)

    /* wakes up one process that waits for the lock */

    do {
        wait = pool->lock.wait;

        if ((ngx_atomic_int_t) wait <= 0 || !pool->mutex.semaphore) {
            return 1;
        }

    } while (!ngx_atomic_cmp_set(&pool->lock.wait, wait, wait - 1));

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "shmtx wake %uA", wait);

    if (sem_post(&pool->mutex.sem) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "sem_post() failed while wake shmtx");
    }

#endif

    return 1;

#else

    /*
     * the lock is a file lock: the kernel has released it when the process
     * exited
     */

    return 0;

#endif
}


/* Unlocks the accept mutex and the slab pools that the process pid held. */

static void
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
#if (NGX_IPC_NOSLAB)
            if (zone[i].noslab) {
                continue;
            }
#endif

            pool = (ngx_slab_pool_t *) zone[i].shm.addr;

            if (pool != NULL
                && ngx_ipc_unlock_pool(pool, zone[i].shm.size, pid))
            {
                ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                              "shared memory zone \"%V\" was locked by %P",
                              &zone[i].shm.name, pid);
            }
        }
    }
}


/* The signal handler calls this function when the process pid has exited. */

void
ngx_ipc_process_exited(ngx_pid_t pid)
{
#if (T_PIPES)
    if (!ngx_ipc_in_table(pid)) {
        ngx_pipe_broken_action(ngx_cycle->log, pid, 1);
    }
#endif

    ngx_ipc_unlock_mutexes(pid);

#if (NGX_HAVE_PROC_EXIT)
    ngx_proc_exit_top_handler(pid);
#endif
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


ngx_int_t
ngx_add_channel_event(ngx_cycle_t *cycle, ngx_fd_t fd, ngx_int_t event,
    ngx_event_handler_pt handler)
{
    if (ngx_ipc_connection(cycle, fd, event, 0, handler) == NULL) {
        return NGX_ERROR;
    }

#if (nginx_version < 1009001)
    if (ngx_process == NGX_PROCESS_WORKER) {
        ngx_worker = (ngx_uint_t) ngx_processes[ngx_process_slot].data;
    }
#endif

    ngx_ipc_channel_added(fd);

    return (fd == ngx_channel) ? ngx_ipc_messages_add(cycle) : NGX_OK;
}
