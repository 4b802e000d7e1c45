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


/* A process has been started; the message carries its channel. */
#define NGX_CMD_OPEN_CHANNEL 1

/* A process has exited. */
#define NGX_CMD_CLOSE_CHANNEL 2

/* Shut down gracefully. */
#define NGX_CMD_QUIT 3

/* Exit. */
#define NGX_CMD_TERMINATE 4

/* Reopen the logs. */
#define NGX_CMD_REOPEN 5

/* Master and worker in one process. */
#define NGX_PROCESS_SINGLE 0

/* Starts, signals and reaps the others. */
#define NGX_PROCESS_MASTER 1

/* Sends a signal to a running master. */
#define NGX_PROCESS_SIGNALLER 2

/* Serves clients. */
#define NGX_PROCESS_WORKER 3

/* A process beside the workers, such as nginx's cache manager. */
#define NGX_PROCESS_HELPER 4

/*
 * A helper: a process that the master runs beside the workers, as nginx runs
 * its cache manager.
 */
struct ngx_cache_manager_ctx_s {
    /*
     * Called once after the delay; for the next call it adds a timer to its
     * event.
     */
    ngx_event_handler_pt handler;
    /* The name of the process in its title and in log lines. */
    char *name;
    /* Milliseconds from the start of the process to the call. */
    ngx_msec_t delay;
};

/*
 * Runs a master: starts the workers and helpers that the configuration of
 * cycle asks for, starts those that die again, and obeys signals.
 *
 * SIGHUP starts a new generation and shuts the old one down gracefully.
 * SIGQUIT shuts down gracefully. SIGTERM and SIGINT stop; processes that are
 * still alive after 1.5 s get SIGKILL. SIGUSR1 opens the logs again. SIGUSR2
 * executes a new binary. SIGWINCH shuts down the workers of a daemon. Does
 * not return.
 *
 * Safety: cycle comes from ngx_init_cycle() or is the program's own.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_master_process_cycle(ngx_cycle_t *cycle);

/*
 * Runs a process that is master and worker in one: the modules' hooks and
 * the event loop. Does not return.
 *
 * Safety: cycle comes from ngx_init_cycle() or is the program's own.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_single_process_cycle(ngx_cycle_t *cycle);


/* The role of this process: NGX_PROCESS_MASTER and so on. */
extern ngx_uint_t      ngx_process;

/* The number of this worker, from 0. */
extern ngx_uint_t      ngx_worker;

/* The pid of this process, and of the new binary while both run, or 0. */
extern ngx_pid_t       ngx_pid;
extern ngx_pid_t       ngx_new_binary;

/* Not 0 if the listening sockets were inherited from an old binary. */
extern ngx_uint_t      ngx_inherited;

/* Not 0 if the process is a daemon. */
extern ngx_uint_t      ngx_daemonized;

/* Not 0 in a worker that shuts down gracefully. */
extern ngx_uint_t      ngx_exiting;

/*
 * What signals and messages ask for.  A signal handler or ngx_channel_handler()
 * sets the flag, and the cycle of the process clears it.
 */
extern sig_atomic_t    ngx_reap;            /* children have exited */
extern sig_atomic_t    ngx_sigio;           /* SIGIO has arrived */
extern sig_atomic_t    ngx_sigalrm;         /* a timer has expired */
extern sig_atomic_t    ngx_quit;            /* shut down gracefully */
extern sig_atomic_t    ngx_debug_quit;      /* call ngx_debug_point() then */
extern sig_atomic_t    ngx_terminate;       /* exit at once */
extern sig_atomic_t    ngx_noaccept;        /* stop the workers of a daemon */
extern sig_atomic_t    ngx_reconfigure;     /* reload the configuration */
extern sig_atomic_t    ngx_reopen;          /* reopen the log files */
extern sig_atomic_t    ngx_change_binary;   /* start a new binary */


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PROCESS_CYCLE_H_INCLUDED_ */
