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

/* What the program wants: filled with defaults by ngx_ipc_conf_init(). */
struct ngx_core_conf_s {
    /* Go into the background. */
    ngx_flag_t daemon;
    /* Have workers; else one process does it all. */
    ngx_flag_t master;
    /* Milliseconds after which a graceful shutdown closes what is left; 0: none. */
    ngx_msec_t shutdown_timeout;
    /* How many workers; 0: one for each processor. */
    ngx_int_t worker_processes;
    /* What ngx_debug_point() does: nothing, NGX_DEBUG_POINTS_STOP or _ABORT. */
    ngx_int_t debug_points;
    /* How many descriptors a worker may open; -1: as the master. */
    ngx_int_t rlimit_nofile;
    /* How large a worker's core may be, in bytes; -1: as the master's. */
    off_t rlimit_core;
    /* The nice value of the workers; 0: as the master's. */
    int priority;
    /* Worker N runs on processor N only. */
    ngx_flag_t cpu_affinity_auto;
    /* Who the workers run as, if the master is root; NULL: as the master. */
    const char *username;
    /* The workers' group; NULL: that of the user. */
    const char *groupname;
    /* Where workers work; NULL: where the master does. */
    const char *working_directory;
    /* The file for the master's pid, or NULL. */
    const char *pid;
    /* The log's file; NULL: stderr. */
    const char *error_log;
    /* The log's level, or debug masks. */
    ngx_uint_t log_level;
    /* What process titles begin with; NULL: the program's name. */
    const char *name;
    /* Modules, NULL-terminated, or NULL. */
    ngx_module_t **modules;
    /* Where workers accept connections. */
    ngx_listening_t *listening;
    /* How many places they are. */
    ngx_uint_t listening_n;
    /* Processes beside the workers. */
    ngx_cache_manager_ctx_t *helpers;
    /* How many they are. */
    ngx_uint_t helpers_n;
    /*
     * Is called before a reload with a copy of the configuration, to change
     * it; NGX_ERROR keeps the old one, and the workers that run.
     */
    ngx_int_t (*reconfigure)(ngx_core_conf_t *conf);
    /* The signal at which the master logs a list of its processes; 0: none. */
    int status_signal;
    /*
     * Shared memory of 2 MiB and more is made of huge pages, if the system
     * allows that.
     */
    ngx_flag_t huge_pages;
    /* Workers go on when the master dies; else they shut down gracefully. */
    ngx_flag_t orphans_stay;
};

/* What a program runs with between two configurations. */
struct ngx_cycle_s {
    /* The configurations of the modules; the first is the ngx_core_conf_t. */
    void ****conf_ctx;
    /* Memory that lives as long as the cycle. */
    ngx_pool_t *pool;
    /* Where the library logs. */
    ngx_log_t *log;
    /* The modules, NULL-terminated, or NULL. */
    ngx_module_t **modules;
    /* How many they are. */
    ngx_uint_t modules_n;
    /* Where workers accept connections. */
    ngx_listening_t *listening;
    /* How many places they are. */
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
 * Safety: old_cycle comes from this function, and is not used afterwards unless
 * NULL is returned.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_cycle_t *ngx_init_cycle(ngx_cycle_t *old_cycle);

/*
 * Opens the log of a cycle again, after its file has been renamed.
 *
 * user, unless it is -1, becomes the owner of the file. If the file cannot
 * be opened, an emergency is logged, and the log goes to the old file.
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
