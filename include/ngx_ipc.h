/*
 * ngx_ipc.h: functions that nginx does not have.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/ipc.rs
 *   src/channel/command.rs
 *   src/table/state.rs
 *   src/abi/introspect.rs
 *   src/host/introspect.rs
 *   include/generator/ipc.h
 */

#ifndef _NGX_IPC_H_INCLUDED_
#define _NGX_IPC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * All processes that were started together run, see
 * ngx_ipc_spawn_processes(). The receiver has inherited their channels.
 */
#define NGX_IPC_CMD_OPEN_CHANNELS 1852274689

/* The slot has no process. */
#define NGX_IPC_EMPTY 0

/* The process runs. */
#define NGX_IPC_RUNNING 1

/* The process has been told to exit. */
#define NGX_IPC_EXITING 2

/* The process has exited and will be started again. */
#define NGX_IPC_WAITING 3

/* A process of the table. */
typedef struct {
    /* Its slot. */
    ngx_int_t slot;
    /* Its pid; -1 while it waits to be started again. */
    ngx_pid_t pid;
    /* NGX_IPC_RUNNING, NGX_IPC_EXITING or NGX_IPC_WAITING. */
    int state;
    /* Its number among the workers; -1 if it is not a worker. */
    ngx_int_t worker;
    /*
     * The configuration that it was first started for, counted from 1; 0: the
     * program has none.
     */
    ngx_uint_t generation;
    /* NGX_PROCESS_WORKER or NGX_PROCESS_HELPER; 0: not known. */
    ngx_uint_t role;
    /* How log lines call it; NULL: not known to this process. */
    const char *name;
    /* When it was started, in seconds since 1970. */
    time_t started;
    /* How often it was started again. */
    ngx_uint_t respawns;
    /* Control messages that the master has sent to it. */
    ngx_uint_t sent;
    /* Control messages that were queued because its channel was full. */
    ngx_uint_t queued;
    /* The most control messages that its queue has held at one time. */
    ngx_uint_t queued_max;
    /* Control messages that were dropped because it had exited. */
    ngx_uint_t dropped;
} ngx_ipc_process_t;

/* Takes len bytes of text; data is what ngx_ipc_print_processes() got. */
typedef void (*ngx_ipc_print_pt)(void *data, const char *text, size_t len);

/*
 * Runs a program: a master with its workers, or one process, as conf says.
 *
 * argc and argv are the arguments of main(). SIGUSR2 executes the new
 * binary with them. Returns 1 if the program could not be set up, with the
 * reason on stderr or in the log. Otherwise it does not return, and the
 * process exits with 0.
 *
 * Safety: conf is NULL or valid. Its texts are copied; the modules, helpers and
 * functions that it points to live as long as the program. Process titles
 * overwrite the arguments of main(), so the program must not use pointers to
 * them any more.
 *
 * References: main() of nginx's src/core/nginx.c.
 */
int ngx_ipc_main(const ngx_core_conf_t *conf, int argc, char **argv);

/*
 * Sends a running program the signal "reload", "reopen", "stop" or "quit".
 *
 * Its pid is read from the file that conf names. Returns 0, or 1 with the
 * reason on stderr.
 *
 * Safety: conf is NULL or valid, name NULL or a string.
 *
 * References: ngx_signal_process() of nginx's src/core/ngx_cycle.c.
 */
int ngx_ipc_signal(const ngx_core_conf_t *conf, char *name);

/*
 * Runs a worker: the modules' hooks, the channel and the event loop, until it
 * receives the command or the signal to quit or terminate.
 *
 * data is the worker's number. To quit, it stops accepting, finishes the
 * open connections, and waits for the timers that are not cancelable. Does
 * not return; the exit code is 0, or 2 if the worker could not be set up.
 *
 * Safety: cycle is a valid cycle; the process was made by ngx_spawn_process().
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_worker_process_cycle(ngx_cycle_t *cycle, void *data);

/*
 * Sets a program up: the time, ngx_pid, ngx_cycle, the signals, and the
 * log of cycle, if it has none: stderr with the level NGX_LOG_NOTICE.
 *
 * A program that goes into the background by itself must do so before.
 * Returns NGX_OK, or NGX_ERROR with an emergency in the log.
 *
 * Safety: cycle is NULL or lives as long as the program. What the program has not
 * set in it is zero.
 *
 * References: main() of nginx's src/core/nginx.c.
 */
ngx_int_t ngx_ipc_init(ngx_cycle_t *cycle);

/*
 * Starts n workers that run ngx_worker_process_cycle(), and announces each
 * to the processes that run already.
 *
 * type is NGX_PROCESS_RESPAWN or another of these modes. If a worker cannot
 * be started, an alert is logged, and the next one is started.
 *
 * Safety: cycle is NULL or a valid cycle that lives as long as the workers' slots
 * are in use.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_start_worker_processes(ngx_cycle_t *cycle,
                                ngx_int_t n,
                                ngx_int_t type);

/*
 * Starts n processes together, and announces them to each other.
 *
 * Each runs proc(cycle, data) with its number, 0 to n - 1, as data.
 * name and respawn are as for ngx_spawn_process(), but respawn is no
 * slot and not NGX_PROCESS_DETACHED. Processes that are started one after the
 * other take a message for each two of them; these take one for each process:
 * NGX_IPC_CMD_OPEN_CHANNELS, which ngx_ipc_channel_command() understands.
 *
 * Returns how many were started; for each of the others there is an alert in
 * the log. Returns NGX_ERROR if an argument is refused. ngx_process_slot is
 * the slot of the process that was started last, or the empty slot if that
 * has failed.
 *
 * Safety: cycle is NULL or a valid cycle, name a string, proc a function that
 * may be called with these in a forked copy of this process.
 */
ngx_int_t ngx_ipc_spawn_processes(ngx_cycle_t *cycle,
                                  ngx_spawn_proc_pt proc,
                                  ngx_int_t n,
                                  char *name,
                                  ngx_int_t respawn);

/*
 * Sends ch, which announces the process spawned last, to all others.
 *
 * If ch is NULL, the message is made from the table. Nothing is sent if the
 * process has no channel.
 *
 * Safety: cycle is NULL or a valid cycle, ch NULL or a valid message.
 */
void ngx_pass_open_channel(ngx_cycle_t *cycle, ngx_channel_t *ch);

/*
 * Makes all workers shut down (SIGQUIT), exit (SIGTERM) or open their logs
 * again (SIGUSR1) with a command on their channels. Any other signal is sent
 * as a signal, as is one whose command a worker cannot be sent.
 *
 * Safety: cycle is NULL or a valid cycle.
 */
void ngx_signal_worker_processes(ngx_cycle_t *cycle, int signo);

/*
 * Does the same for the processes of one role: NGX_PROCESS_WORKER, which
 * those of ngx_start_worker_processes() have, NGX_PROCESS_HELPER, or 0 for the
 * processes that have neither role.
 *
 * Safety: cycle is NULL or a valid cycle.
 */
void ngx_ipc_signal_role(ngx_cycle_t *cycle, int signo, ngx_uint_t role);

/*
 * Clears the slots of the processes that have exited, makes the others close
 * their channels, and starts those again that are to be respawned.
 *
 * To be called whenever ngx_reap is set. A program with an event loop of its
 * own also calls it from time to time, since it sends messages that were
 * queued because a channel was full. Returns 1 while any process is left,
 * else 0.
 *
 * Safety: cycle is NULL or a valid cycle that lives as long as the slots of
 * respawned processes are in use.
 */
ngx_uint_t ngx_reap_children(ngx_cycle_t *cycle);

/*
 * Does what a new worker must do first: closes the descriptors of the table
 * that it does not need, and makes the event loop call handler for its own
 * channel.
 *
 * If handler is NULL, the event loop is not used: for a program that has
 * its own. Its descriptor is ngx_channel. Returns NGX_OK, or NGX_ERROR with
 * an alert in the log.
 *
 * Safety: cycle is NULL or a valid cycle. handler as for ngx_add_channel_event().
 */
ngx_int_t ngx_ipc_init_channel(ngx_cycle_t *cycle,
                               ngx_event_handler_pt handler);

/*
 * Does what a message of nginx's asks for: enters another process into the
 * table or removes it, or sets ngx_quit, ngx_terminate or ngx_reopen.
 *
 * Returns NGX_OK; NGX_DECLINED if the command is not one of nginx's, so that
 * the caller handles it; NGX_ERROR if ch is NULL. The function takes over
 * the descriptor of a NGX_CMD_OPEN_CHANNEL. A message about an impossible slot
 * is an alert in the log.
 *
 * Safety: ch is NULL or a message as ngx_read_channel() returned it; log is NULL
 * or a valid log.
 */
ngx_int_t ngx_ipc_channel_command(ngx_channel_t *ch, ngx_log_t *log);

/*
 * Reads all messages that have arrived on a channel and does what they ask
 * for. Closes the channel when its other end is closed.
 *
 * Safety: ev is the read event of a connection of ngx_add_channel_event().
 */
void ngx_channel_handler(ngx_event_t *ev);

/* Returns the version of the library that is in use, such as "0.1.0". */
const char *ngx_ipc_version(void);

/*
 * Returns which configuration this process was started for, counted from 1;
 * 0 if the program has none.
 */
ngx_uint_t ngx_ipc_generation(void);

/*
 * Returns 1 in the leader of a generation, else 0.
 *
 * The leader is the first worker, or the single process: the one that does
 * what only one process of a generation must do.
 */
ngx_uint_t ngx_ipc_is_leader(void);

/*
 * Fills process with the next process of the table: the first one in a slot
 * behind process->slot. Set that to -1 for the first process.
 *
 * Returns NGX_OK, or NGX_DECLINED if no process is left. Every process of a
 * program sees what the master knows. If there is no memory for that, a
 * worker sees the processes that the master has announced to it.
 *
 * Safety: process is NULL or points to a valid ngx_ipc_process_t.
 */
ngx_int_t ngx_ipc_next_process(ngx_ipc_process_t *process);

/*
 * Calls print with a line for each process, line feed included.
 *
 * Safety: print is NULL or may be called with data.
 */
void ngx_ipc_print_processes(ngx_ipc_print_pt print, void *data);


/*
 * This is the only header of ngx-ipc that nginx does not have.  A source that
 * includes it compiles with the headers of nginx as well.
 */

/* What ngx_debug_point() does: 0, NGX_DEBUG_POINTS_STOP or _ABORT. */
extern ngx_uint_t  ngx_ipc_debug_points;

/* If not 0, ngx_shm_alloc() asks the kernel for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_H_INCLUDED_ */
