/*
 * ngx_process_cycle.h: commands, roles, and the flags that signals set.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/process_cycle.rs
 *   src/channel/command.rs
 *   src/table/role.rs
 *   src/host/standalone/types.rs
 *   include/generator/process_cycle.h
 */

#ifndef _NGX_PROCESS_CYCLE_H_INCLUDED_
#define _NGX_PROCESS_CYCLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Tells the receiver that another process has been started. The message
 * carries a descriptor of the channel to that process.
 */
#define NGX_CMD_OPEN_CHANNEL 1

/* Tells the receiver that another process has exited. */
#define NGX_CMD_CLOSE_CHANNEL 2

/* Tells the receiver to shut down gracefully. */
#define NGX_CMD_QUIT 3

/* Tells the receiver to exit at once. */
#define NGX_CMD_TERMINATE 4

/* Tells the receiver to reopen its logs. */
#define NGX_CMD_REOPEN 5

/* A single process that is both master and worker. */
#define NGX_PROCESS_SINGLE 0

/* The master: starts, signals and reaps the other processes. */
#define NGX_PROCESS_MASTER 1

/* A process that sends a signal to a running master, as "nginx -s" does. */
#define NGX_PROCESS_SIGNALLER 2

/* A worker: serves clients. */
#define NGX_PROCESS_WORKER 3

/* A helper: runs beside the workers, such as nginx's cache manager. */
#define NGX_PROCESS_HELPER 4

/*
 * A helper: a process that the master runs beside the workers, as nginx runs
 * its cache manager.
 */
struct ngx_cache_manager_ctx_s {
    /*
     * The function of the helper. The process calls it once after the delay.
     * To be called again, the function adds a timer to its event.
     */
    ngx_event_handler_pt handler;
    /* The name of the process in its title and in log lines; NULL: "helper process". */
    char *name;
    /*
     * Milliseconds from the start of the process to the first call of the
     * handler.
     */
    ngx_msec_t delay;
};

/*
 * Runs a master: starts the workers and helpers of the configuration of
 * cycle, starts them again when they die, and does what signals ask for.
 * Does not return.
 *
 * At SIGHUP the master starts a new generation of processes and shuts the old
 * generation down gracefully. At SIGQUIT it shuts down gracefully. At SIGTERM
 * or SIGINT it stops all processes; processes that are still alive after 1.5 s
 * get SIGKILL. At SIGUSR1 it opens the logs again. At SIGUSR2 it executes a
 * new binary. At SIGWINCH the master of a daemon shuts down its workers.
 *
 * Safety: cycle is a cycle that ngx_init_cycle() has returned, or the
 * program's own cycle.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_master_process_cycle(ngx_cycle_t *cycle);

/*
 * Runs a single process, which is master and worker in one: calls the modules'
 * hooks and runs the event loop. Does not return.
 *
 * Safety: cycle is a cycle that ngx_init_cycle() has returned, or the
 * program's own cycle.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_single_process_cycle(ngx_cycle_t *cycle);


/* The role of this process, such as NGX_PROCESS_MASTER. */
extern ngx_uint_t      ngx_process;

/* In a worker, the number of the worker, from 0. */
extern ngx_uint_t      ngx_worker;

/*
 * ngx_pid is the pid of this process.  ngx_new_binary is the pid of the new
 * binary's master while both binaries run, else 0.
 */
extern ngx_pid_t       ngx_pid;
extern ngx_pid_t       ngx_new_binary;

/* Not 0 if the listening sockets were inherited from an old binary. */
extern ngx_uint_t      ngx_inherited;

/* Not 0 if the process is a daemon. */
extern ngx_uint_t      ngx_daemonized;

/* Not 0 in a worker that shuts down gracefully. */
extern ngx_uint_t      ngx_exiting;

/*
 * Flags that make a process act.  A signal handler or ngx_channel_handler()
 * sets a flag; the process clears the flag when it does what the flag asks for.
 */
extern sig_atomic_t    ngx_reap;            /* children have exited */
extern sig_atomic_t    ngx_sigio;           /* SIGIO has arrived */
extern sig_atomic_t    ngx_sigalrm;         /* a timer has expired */
extern sig_atomic_t    ngx_quit;            /* shut down gracefully */
extern sig_atomic_t    ngx_debug_quit;      /* call ngx_debug_point() at exit */
extern sig_atomic_t    ngx_terminate;       /* exit at once */
extern sig_atomic_t    ngx_noaccept;        /* stop the workers of a daemon */
extern sig_atomic_t    ngx_reconfigure;     /* reload the configuration */
extern sig_atomic_t    ngx_reopen;          /* reopen the log files */
extern sig_atomic_t    ngx_change_binary;   /* start a new binary */


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PROCESS_CYCLE_H_INCLUDED_ */
