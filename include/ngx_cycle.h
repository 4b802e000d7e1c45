/*
 * ngx_cycle.h: the configuration and the state of a program.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/cycle.rs
 *   src/host/standalone/debug_point.rs
 *   src/host/shm_zone.rs
 *   src/host/standalone/types.rs
 *   include/generator/cycle.h
 */

#ifndef _NGX_CYCLE_H_INCLUDED_
#define _NGX_CYCLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_log.h>
#include <ngx_process_cycle.h>
#include <ngx_shmem.h>

#ifdef __cplusplus
extern "C" {
#endif


/* ngx_debug_point() stops the process. */
#define NGX_DEBUG_POINTS_STOP 1

/* ngx_debug_point() aborts the process. */
#define NGX_DEBUG_POINTS_ABORT 2

/* The configuration of a program; ngx_ipc_conf_init() sets the defaults. */
struct ngx_core_conf_s {
    /* 1: the program goes into the background. */
    ngx_flag_t daemon;
    /*
     * 1: a master with workers; 0: a single process that is master and worker
     * in one.
     */
    ngx_flag_t master;
    /*
     * Milliseconds after which a worker that shuts down gracefully closes all
     * connections that are still open, and exits; 0: the worker waits for them
     * without a time limit. The master sends SIGKILL to workers and helpers that
     * are alive 2 s later.
     */
    ngx_msec_t shutdown_timeout;
    /*
     * The number of workers, at most 1024; 0: one for each processor that the master is
     * allowed to use, see sched_getaffinity(2).
     */
    ngx_int_t worker_processes;
    /*
     * The action of ngx_debug_point(): 0 (none), NGX_DEBUG_POINTS_STOP or
     * NGX_DEBUG_POINTS_ABORT.
     */
    ngx_int_t debug_points;
    /* RLIMIT_NOFILE of the workers; -1: the limit of the master. */
    ngx_int_t rlimit_nofile;
    /* RLIMIT_CORE of the workers, in bytes; -1: the limit of the master. */
    off_t rlimit_core;
    /* The nice value of the workers; 0: the nice value of the master. */
    int priority;
    /*
     * 1: each worker runs on one processor only, the next one of those that the master
     * is allowed to use.
     */
    ngx_flag_t cpu_affinity_auto;
    /*
     * The user of the workers, if the master is root; NULL: the user of the
     * master.
     */
    const char *username;
    /* The group of the workers; NULL: the primary group of their user. */
    const char *groupname;
    /*
     * The working directory of the workers; NULL: the directory of the
     * master.
     */
    const char *working_directory;
    /* The file to which the master writes its pid; NULL: no file. */
    const char *pid;
    /*
     * Where the log writes: the path of a file, "stderr", or "syslog:server=ADDRESS",
     * which ",facility=NAME", ",tag=TEXT", ",severity=LEVEL" and ",nohostname" can
     * follow. NULL: stderr, or only log_writer if it is set.
     */
    const char *error_log;
    /* The level of the log, or the masks of its debug lines. */
    ngx_uint_t log_level;
    /*
     * The text with which process titles begin; NULL: the name of the
     * program.
     */
    const char *name;
    /* The modules, an array that ends with NULL, or NULL. */
    ngx_module_t **modules;
    /* The addresses on which workers accept connections, an array. */
    ngx_listening_t *listening;
    /* The number of elements of listening. */
    ngx_uint_t listening_n;
    /* The helpers, an array. */
    ngx_cache_manager_ctx_t *helpers;
    /* The number of elements of helpers. */
    ngx_uint_t helpers_n;
    /*
     * The master calls this function at a reload with a copy of the
     * configuration. The function changes the copy. If it returns NGX_ERROR,
     * the old configuration and its workers stay.
     */
    ngx_int_t (*reconfigure)(ngx_core_conf_t *conf);
    /*
     * The signal at which the master logs a list of its processes; 0: no
     * signal.
     */
    int status_signal;
    /*
     * 1: shared memory of 2 MiB or more uses huge pages, if the system allows
     * huge pages for shared memory.
     */
    ngx_flag_t huge_pages;
    /*
     * 1: when the master dies, the workers continue to run; 0: they shut down
     * gracefully.
     */
    ngx_flag_t orphans_stay;
    /* The size of this structure in bytes, which ngx_ipc_conf_init() sets. */
    size_t size;
    /*
     * The size of an element of listening in bytes, which
     * ngx_ipc_conf_init() sets.
     */
    size_t listening_size;
    /*
     * 1: the processes can send messages, although no module registers a type of
     * messages in init_module.
     */
    ngx_flag_t messages;
    /*
     * The memory for the messages that wait for one process, in bytes, at most
     * 256 MiB; 0: 4 MiB.
     */
    size_t message_memory;
    /* The largest payload of a message in bytes, at most 127 MiB; 0: 1 MiB. */
    size_t message_max;
    /*
     * The number of processes that can have messages at the same time, in all
     * generations, at most 1020; 0: four times the number of workers and helpers, and at
     * least 64.
     */
    ngx_uint_t message_processes;
    /*
     * Microseconds for which a process that has just received a message looks
     * for the next one before it sleeps, at most 1000000; 0: it does not. Of use with
     * more processors than busy processes.
     */
    ngx_uint_t message_spin;
    /*
     * Function that ngx_ipc_main() calls while it sets the program up, with each
     * line of the level "warn" or a more severe level, and with "started" at the
     * level NGX_LOG_NOTICE when the program is set up. text is the line without
     * the time and the pid; it is valid until the function returns. NULL: none.
     */
    void (*report)(ngx_uint_t level, const char *text, void *data);
    /* The argument data of report. */
    void *report_data;
    /* The version of the program, which ngx_ipc_program() returns; NULL: none. */
    const char *version;
    /*
     * A function that gets each line of the log, a ngx_log_writer_pt: beside error_log,
     * or in place of it if error_log is NULL. It must be async-signal-safe. NULL: no
     * function.
     */
    void (*log_writer)(ngx_log_t *log,
                       ngx_uint_t level,
                       u_char *buf,
                       size_t len);
    /* The field wdata of the log that log_writer gets. */
    void *log_writer_data;
    /* 1: each line of the log is an object of JSON. */
    ngx_flag_t log_json;
    /*
     * 1: the zones of shared memory survive an upgrade: a new binary that the master
     * executes at SIGUSR2 gets them with their content.
     */
    ngx_flag_t keep_zones;
    /*
     * The user of the workers, or -1. Only the library sets the field, in the
     * configuration of a cycle.
     */
    uid_t user;
    /*
     * The group of the workers, or -1. Only the library sets the field, in the
     * configuration of a cycle.
     */
    gid_t group;
    /*
     * The name of the old binary's pid file during an upgrade; empty: no file.
     * Only the library sets the field, in the configuration of a cycle.
     */
    ngx_str_t oldpid;
    /*
     * The directory with the files of the zones of shared memory, which is made if it
     * does not exist, for example in /dev/shm: the zones survive an upgrade, the end of
     * the program, and processes that are killed. NULL: no files.
     */
    const char *zones_directory;
};

/* The state of a program from one configuration to the next. */
struct ngx_cycle_s {
    /*
     * An array of pointers to configurations. The first configuration is a
     * ngx_core_conf_t, that of ngx_core_module; the others are those of the
     * modules, see ngx_get_conf().
     */
    void ****conf_ctx;
    /* Memory that lives as long as the cycle. */
    ngx_pool_t *pool;
    /* The log to which the library writes. */
    ngx_log_t *log;
    /* Unused. */
    ngx_log_t new_log;
    /* Unused. */
    ngx_uint_t log_use_stderr;
    /* NULL: epoll needs no table of descriptors. */
    ngx_connection_t **files;
    /* Unused. */
    ngx_connection_t *free_connections;
    /* Unused. */
    ngx_uint_t free_connection_n;
    /* The modules, an array that ends with NULL, or NULL. */
    ngx_module_t **modules;
    /* The number of modules. */
    ngx_uint_t modules_n;
    /* 1: the modules are in use. */
    ngx_uint_t modules_used;
    /* Unused: an empty queue. */
    ngx_queue_t reusable_connections_queue;
    /* Unused. */
    ngx_uint_t reusable_connections_n;
    /* Unused. */
    time_t connections_reuse_time;
    /*
     * The addresses on which workers accept connections: ngx_listening_t, one
     * for each socket. The size of an element is that in the headers with which
     * the program was compiled.
     */
    ngx_array_t listening;
    /* Unused: an empty array. */
    ngx_array_t paths;
    /* Unused: an empty array. */
    ngx_array_t config_dump;
    /* Unused: an empty tree. */
    ngx_rbtree_t config_dump_rbtree;
    /* The sentinel of config_dump_rbtree. */
    ngx_rbtree_node_t config_dump_sentinel;
    /* Unused: an empty list. */
    ngx_list_t open_files;
    /* Unused: an empty list. */
    ngx_list_t shared_memory;
    /*
     * The number of elements of connections. It grows when more connections are
     * open than ever before.
     */
    ngx_uint_t connection_n;
    /* The number of elements of files. */
    ngx_uint_t files_n;
    /*
     * The connections of this process, an array, in ngx_cycle. fd of an element
     * that is not in use is -1. More than 65536 connections are not in the array.
     */
    ngx_connection_t *connections;
    /* Unused: the events of a connection are read and write. */
    ngx_event_t *read_events;
    /* Unused. */
    ngx_event_t *write_events;
    /*
     * While the hook init_module runs, the cycle that this cycle replaces; the
     * conf_ctx of the first one is NULL. Afterwards NULL.
     */
    ngx_cycle_t *old_cycle;
    /* The configuration file: empty. */
    ngx_str_t conf_file;
    /* The parameters of the command line: empty. */
    ngx_str_t conf_param;
    /* The directory of configuration files: empty. */
    ngx_str_t conf_prefix;
    /* The directory to which relative paths refer: empty, the working directory. */
    ngx_str_t prefix;
    /* The field error_log of the configuration. */
    ngx_str_t error_log;
    /* The lock file: empty. */
    ngx_str_t lock_file;
    /* The name of the host in lower case. */
    ngx_str_t hostname;
};

/*
 * A function of a module that prepares the memory of a zone. data is the field data
 * of the zone whose memory the zone takes over, or NULL if the memory is new. The zone
 * is refused if the function does not return NGX_OK.
 */
typedef ngx_int_t (*ngx_shm_zone_init_pt)(ngx_shm_zone_t *zone, void *data);

/* A zone of shared memory, which a module has declared. */
struct ngx_shm_zone_s {
    /*
     * Data of the module. The function init of the zone that takes over the memory
     * gets it.
     */
    void *data;
    /* The memory. It begins with an ngx_slab_pool_t. */
    ngx_shm_t shm;
    /* The function that prepares the memory, or NULL. The module sets it. */
    ngx_shm_zone_init_pt init;
    /* Tells the zones of a module from those of others with the same name. */
    void *tag;
    /* A field of nginx. In a zone of ngx_ipc_zone_add() the library uses it. */
    void *sync;
    /* 1: the zone gets new memory at each reload. The module sets it. */
    ngx_uint_t noreuse;
};

/*
 * Sets all fields of a configuration to the defaults: a master in the
 * foreground, a worker for each processor, a log on stderr with the level
 * NGX_LOG_NOTICE.
 *
 * In C, ngx_ipc_conf_init() is a macro that calls ngx_ipc_conf_init_size()
 * with the sizes of the structures in the program's headers. The function
 * ngx_ipc_conf_init() uses the sizes of version 0.1.
 *
 * Safety: conf is NULL or writable.
 */
void ngx_ipc_conf_init(ngx_core_conf_t *conf);

/*
 * Sets all fields of a configuration to the defaults, for a program in whose
 * headers an ngx_core_conf_t has size bytes and an ngx_listening_t has
 * listening_size bytes. Programs call the macro ngx_ipc_conf_init().
 *
 * Fields that this version of the library does not have are cleared. Returns
 * NGX_OK. Returns NGX_ERROR, and writes nothing, if conf is NULL, or, with
 * an alert on stderr, if a size is less than in version 0.1.
 *
 * Safety: conf is NULL or has size writable bytes.
 */
ngx_int_t ngx_ipc_conf_init_size(ngx_core_conf_t *conf,
                                 size_t size,
                                 size_t listening_size);

/*
 * Makes a new cycle at a reload, from the configuration of old_cycle.
 *
 * First the function calls reconfigure, which can change a copy of the
 * configuration. Then it opens the log and those listening sockets that
 * old_cycle does not have, and calls the hook init_module of each module.
 *
 * Returns the new cycle. Before it returns, the function frees the pool of
 * old_cycle, and closes the log file of old_cycle and the sockets that the
 * new cycle does not need. Returns NULL if anything fails, with the reason in
 * the log of old_cycle, which stays in use, unchanged.
 *
 * Safety: old_cycle is NULL or a valid cycle. The program does not use
 * old_cycle afterwards, unless the function returns NULL.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_cycle_t *ngx_init_cycle(ngx_cycle_t *old_cycle);

/*
 * Opens the log file of a cycle again, after the file has been renamed.
 *
 * user, unless it is -1, becomes the owner of the file. A root process then
 * refuses links and special files that this user can have made. It follows a
 * link in a directory that only root can change, but does not change the owner
 * of the link's target. If the file cannot be opened, an emergency is logged,
 * and the log still writes to the old file.
 *
 * Safety: cycle is NULL or a valid cycle.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
void ngx_reopen_files(ngx_cycle_t *cycle, uid_t user);

/*
 * Declares a zone of shared memory, or finds the zone of this name that the cycle has
 * already.
 *
 * A module calls the function in create_conf or init_conf, with the cycle that it gets
 * there, and sets init and data of the zone. size is in bytes. A size of 0 finds a
 * zone that is declared elsewhere. tag is an address that only this use of the zone has,
 * that of the module for example.
 *
 * When all modules have their configurations, each zone gets its memory, and init is
 * called. The memory is that of the old cycle's zone with the same name, size and tag, with
 * its content; otherwise it is new and begins with a slab pool, (ngx_slab_pool_t *)
 * zone->shm.addr. Workers share it with each other and with the master.
 *
 * Returns the zone. Returns NULL, with an emergency in the log of the cycle, if there is no
 * memory, if the zone was declared with another tag or another size, or if the cycle is in
 * use already.
 *
 * Safety: cycle is NULL or a valid cycle. name is valid.
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_shm_zone_t *ngx_ipc_shared_memory_add(ngx_cycle_t *cycle,
                                          const ngx_str_t *name,
                                          size_t size,
                                          void *tag);


/* The cycle that is in use.  Signal handlers write to the log of this cycle. */
extern volatile ngx_cycle_t  *ngx_cycle;

/*
 * The module of the configuration ngx_core_conf_t:
 * ngx_get_conf(cycle->conf_ctx, ngx_core_module) is that of a cycle.
 */
extern ngx_module_t           ngx_core_module;

/*
 * Returns the environment for a program that is executed, see execve(2).  It is the
 * environment of this process: this library has no directive "env".
 *
 * If last is NULL, the result is environ(7).  Otherwise it is an array in new memory,
 * with the same strings, and with room for *last more after them; *last becomes their
 * number.  The program stores NULL after the strings that it adds, and frees the array
 * with ngx_free().  Returns NULL, with an emergency in the log of the cycle, if there is
 * no memory.
 *
 * Safety: last is NULL, or cycle is a valid cycle.
 *
 * References: nginx's src/core/nginx.c.
 */
char **ngx_set_environment(ngx_cycle_t *cycle, ngx_uint_t *last);

/*
 * ngx_ipc_shared_memory_add() with the cycle of cf, for the functions of directives.
 *
 * Safety: cf is valid, and its cycle is as in ngx_ipc_shared_memory_add().
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_shm_zone_t *ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
                                      void *tag);

/* Whether the cycle has no configuration yet. */
#define ngx_is_init_cycle(cycle)  ((cycle)->conf_ctx == NULL)

/*
 * Calls ngx_ipc_conf_init_size() with the sizes of the structures in these
 * headers.
 */
#define ngx_ipc_conf_init(conf)                                               \
    ngx_ipc_conf_init_size(conf, sizeof(ngx_core_conf_t),                     \
                           sizeof(ngx_listening_t))


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CYCLE_H_INCLUDED_ */
