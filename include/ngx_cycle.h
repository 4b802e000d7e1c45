/*
 * ngx_cycle.h: the configuration and the state of a program.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/host/standalone/cycle.rs
 *   src/host/standalone/conf.rs
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
 * Makes a cycle of the configuration of another one.
 *
 * The copy is handed to reconfigure first. Then the log and the listening
 * sockets are opened, as far as the old cycle does not have them, and the
 * modules' init_module called. Returns NULL, with the reason in the log,
 * if any of that fails; the old cycle is as it was then, else its log, its
 * pool and the sockets that are not needed any more are gone.
 *
 * Safety: old_cycle is valid, and not used afterwards unless NULL is returned.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_cycle_t *ngx_init_cycle(ngx_cycle_t *old_cycle);

/*
 * Opens the log of a cycle anew, for a log that has been moved away.
 *
 * user, unless it is -1, gets the file. Should that fail the old file stays
 * the log, and says so.
 *
 * Safety: cycle is valid.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
void ngx_reopen_files(ngx_cycle_t *cycle, uid_t user);

/*
 * Fills a configuration with defaults that need no thought: a master in the
 * foreground, a worker for each processor, notices and worse to stderr.
 *
 * Safety: conf is NULL or writable.
 */
void ngx_ipc_conf_init(ngx_core_conf_t *conf);


/* The cycle in use. */
extern volatile ngx_cycle_t  *ngx_cycle;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CYCLE_H_INCLUDED_ */
