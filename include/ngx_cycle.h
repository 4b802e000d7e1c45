/*
 * ngx_cycle.h: the configuration and the state of a program.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/cycle.rs
 *   src/host/standalone/debug_point.rs
 *   src/host/standalone/types.rs
 *   include/generator/cycle.h
 */

#ifndef _NGX_CYCLE_H_INCLUDED_
#define _NGX_CYCLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_log.h>
#include <ngx_process_cycle.h>

#ifdef __cplusplus
extern "C" {
#endif


/* ngx_debug_point() stops the process. */
#define NGX_DEBUG_POINTS_STOP 1

/* ngx_debug_point() aborts the process. */
#define NGX_DEBUG_POINTS_ABORT 2

/* The configuration of a program; ngx_ipc_conf_init() sets the defaults. */
struct ngx_core_conf_s {
    /* 1: go into the background. */
    ngx_flag_t daemon;
    /* 1: a master with workers; 0: a single process, which is both. */
    ngx_flag_t master;
    /*
     * Milliseconds after which a worker that shuts down gracefully closes the
     * connections that are still open; 0: it waits for them.
     */
    ngx_msec_t shutdown_timeout;
    /* The number of workers; 0: one for each processor. */
    ngx_int_t worker_processes;
    /*
     * What ngx_debug_point() does: 0 (nothing), NGX_DEBUG_POINTS_STOP or
     * NGX_DEBUG_POINTS_ABORT.
     */
    ngx_int_t debug_points;
    /* RLIMIT_NOFILE of the workers; -1: as the master's. */
    ngx_int_t rlimit_nofile;
    /* RLIMIT_CORE of the workers, in bytes; -1: as the master's. */
    off_t rlimit_core;
    /* The nice value of the workers; 0: as the master's. */
    int priority;
    /* 1: worker N runs on processor N only. */
    ngx_flag_t cpu_affinity_auto;
    /* The user of the workers, if the master is root; NULL: the master's. */
    const char *username;
    /* The group of the workers; NULL: the user's. */
    const char *groupname;
    /* The working directory of the workers; NULL: the master's. */
    const char *working_directory;
    /* The file that the master writes its pid to; NULL: none. */
    const char *pid;
    /* The file of the log; NULL: stderr. */
    const char *error_log;
    /* The level of the log, or the masks of its debug lines. */
    ngx_uint_t log_level;
    /* What process titles begin with; NULL: the program's name. */
    const char *name;
    /* The modules, an array that ends with NULL, or NULL. */
    ngx_module_t **modules;
    /* The addresses that workers accept connections on. */
    ngx_listening_t *listening;
    /* The number of those addresses. */
    ngx_uint_t listening_n;
    /* The helpers. */
    ngx_cache_manager_ctx_t *helpers;
    /* The number of helpers. */
    ngx_uint_t helpers_n;
    /*
     * Called at a reload with a copy of the configuration, which it changes.
     * After NGX_ERROR the old configuration and its workers stay.
     */
    ngx_int_t (*reconfigure)(ngx_core_conf_t *conf);
    /* The signal that makes the master log a list of its processes; 0: none. */
    int status_signal;
    /*
     * 1: shared memory of 2 MiB and more uses huge pages, if the system allows
     * it.
     */
    ngx_flag_t huge_pages;
    /*
     * What workers do when the master dies. 1: they go on; 0: they shut down
     * gracefully.
     */
    ngx_flag_t orphans_stay;
};

/* The state of a program from one configuration to the next. */
struct ngx_cycle_s {
    /* The configurations of the modules. The first one is a ngx_core_conf_t. */
    void ****conf_ctx;
    /* Memory that lives as long as the cycle. */
    ngx_pool_t *pool;
    /* The log of the library. */
    ngx_log_t *log;
    /* The modules, an array that ends with NULL, or NULL. */
    ngx_module_t **modules;
    /* The number of modules. */
    ngx_uint_t modules_n;
    /* The addresses that workers accept connections on. */
    ngx_listening_t *listening;
    /* The number of those addresses. */
    ngx_uint_t listening_n;
};

/*
 * Fills a configuration with defaults: a master in the foreground, a worker
 * for each processor, a log on stderr with the level NGX_LOG_NOTICE.
 *
 * Safety: conf is NULL or writable.
 */
void ngx_ipc_conf_init(ngx_core_conf_t *conf);

/*
 * Makes a cycle of the configuration of old_cycle, for a reload.
 *
 * First reconfigure may change a copy of the configuration. Then the log is
 * opened, and the listening sockets that old_cycle does not have, and the
 * modules' init_module is called.
 *
 * Returns the new cycle. The log and the pool of old_cycle and the sockets
 * that the new cycle does not need are closed then. Returns NULL if anything
 * fails, with the reason in the log of old_cycle, which stays as it was.
 *
 * Safety: old_cycle is NULL or a valid cycle. It is not used afterwards, unless
 * NULL is returned.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_cycle_t *ngx_init_cycle(ngx_cycle_t *old_cycle);

/*
 * Opens the log of a cycle again, after its file has been renamed.
 *
 * user, unless it is -1, becomes the owner of the file. A root process then
 * refuses links and special files that this user can have made; a link in a
 * directory that only root can change is followed, and its target keeps its
 * owner. If the file cannot be opened, an emergency is logged, and the log goes
 * to the old file.
 *
 * Safety: cycle is NULL or a valid cycle.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
void ngx_reopen_files(ngx_cycle_t *cycle, uid_t user);


/* The cycle in use. */
extern volatile ngx_cycle_t  *ngx_cycle;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CYCLE_H_INCLUDED_ */
