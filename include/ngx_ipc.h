/*
 * ngx_ipc.h: functions that nginx does not have.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/host/standalone/ipc.rs
 *   src/channel/command.rs
 *   src/abi/introspect.rs
 *   src/host/standalone/main.rs
 *   src/host/standalone/worker.rs
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

/* There is no process in the slot. */
#define NGX_IPC_EMPTY 0

/* It runs. */
#define NGX_IPC_RUNNING 1

/* It has been told to exit. */
#define NGX_IPC_EXITING 2

/* It has exited, and will be started again. */
#define NGX_IPC_WAITING 3

/* A process of the table. */
typedef struct {
    /* Its slot. */
    ngx_int_t slot;
    /* Its pid; -1 while it waits to be started again. */
    ngx_pid_t pid;
    /* NGX_IPC_RUNNING and so on. */
    int state;
    /* Its number among the workers; -1: it is none. */
    ngx_int_t worker;
    /* How many configurations there had been when it was first started. */
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

/* Takes a piece of text. */
typedef void (*ngx_ipc_print_pt)(void *data, const char *text, size_t len);

/*
 * Sets a program up: the time, ngx_pid, ngx_cycle, the signals, and the
 * log of cycle, unless it has one: notices and worse to stderr.
 *
 * A program that goes into the background by itself does so before. Returns
 * NGX_OK, or NGX_ERROR with an emergency in the log.
 *
 * Safety: cycle is zeroed but for what the program has set, and lives as long as
 * the program.
 *
 * References: main() of nginx's src/core/nginx.c.
 */
ngx_int_t ngx_ipc_init(ngx_cycle_t *cycle);

/*
 * Starts n workers that run ngx_worker_process_cycle(), and tells each of
 * those that run already.
 *
 * type is one of NGX_PROCESS_RESPAWN and so on. A worker that cannot be
 * started is an alert in the log, and the others are started all the same.
 *
 * Safety: cycle is a valid cycle that outlives the workers' table entries.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_start_worker_processes(ngx_cycle_t *cycle,
                                ngx_int_t n,
                                ngx_int_t type);

/*
 * Starts n processes at once, and tells all of each other.
 *
 * Each runs proc(cycle, data) with its number, 0 to n - 1, as data.
 * name and respawn are as for ngx_spawn_process(), without slots and
 * NGX_PROCESS_DETACHED. That takes one message for each process instead of
 * one for each two: those that are started together are announced by
 * NGX_IPC_CMD_OPEN_CHANNELS, which ngx_ipc_channel_command() understands.
 *
 * Returns how many run; for each of the others there is an alert in the log.
 * NGX_ERROR if an argument is refused. ngx_process_slot names the slot of the
 * one that was started last, or the empty slot if that has failed.
 *
 * Safety: As of ngx_spawn_process().
 */
ngx_int_t ngx_ipc_spawn_processes(ngx_cycle_t *cycle,
                                  ngx_spawn_proc_pt proc,
                                  ngx_int_t n,
                                  char *name,
                                  ngx_int_t respawn);

/*
 * Sends ch, which announces the process spawned last, to all the others.
 *
 * A NULL ch is made up of what the table says of that process. Nothing is
 * sent if it has no channel.
 *
 * Safety: cycle is a valid cycle, ch NULL or a valid message.
 */
void ngx_pass_open_channel(ngx_cycle_t *cycle, ngx_channel_t *ch);

/*
 * Tells all workers to shut down (SIGQUIT), exit (SIGTERM) or reopen their
 * logs (SIGUSR1) through their channels; any other signal, and a worker that
 * cannot be reached so, gets the signal itself.
 *
 * Safety: cycle is a valid cycle.
 */
void ngx_signal_worker_processes(ngx_cycle_t *cycle, int signo);

/*
 * The same for the processes of one role: NGX_PROCESS_WORKER, as those of
 * ngx_start_worker_processes(), or NGX_PROCESS_HELPER; 0: of none.
 *
 * Safety: cycle is a valid cycle.
 */
void ngx_ipc_signal_role(ngx_cycle_t *cycle, int signo, ngx_uint_t role);

/*
 * Clears the slots of the processes that have exited, has the others close
 * their channels, and starts again those that are to be respawned.
 *
 * To be called whenever ngx_reap is set; a program with an event loop of its
 * own calls it at ngx_sigio as well, since it also sends what had to wait
 * for a full channel. Returns 1 while any process is
 * left, else 0.
 *
 * Safety: cycle is a valid cycle that outlives the respawned processes' entries.
 */
ngx_uint_t ngx_reap_children(ngx_cycle_t *cycle);

/*
 * What a new worker does first: closes the descriptors of the table that are
 * not for it, and has the event loop call handler for its own channel.
 *
 * With a NULL handler the loop is left alone, for a program that has its
 * own: its descriptor is ngx_channel. Returns NGX_OK, or NGX_ERROR with an
 * alert in the log.
 *
 * Safety: cycle is a valid cycle; for handler see ngx_add_channel_event().
 */
ngx_int_t ngx_ipc_init_channel(ngx_cycle_t *cycle,
                               ngx_event_handler_pt handler);

/*
 * Does what a message of nginx's asks for: enters or clears the slot of
 * another process, or sets ngx_quit, ngx_terminate or ngx_reopen.
 *
 * Returns NGX_OK; NGX_ERROR if ch is NULL; or NGX_DECLINED if the command is none of nginx's, so that
 * the caller looks at it. The descriptor of a NGX_CMD_OPEN_CHANNEL is taken
 * over. A message about a slot that cannot be is an alert in the log.
 *
 * Safety: ch is NULL or a message as ngx_read_channel() returned it; log is NULL
 * or a valid log.
 */
ngx_int_t ngx_ipc_channel_command(ngx_channel_t *ch,
                                  ngx_log_t *log);

/*
 * Reads all messages that have arrived on a channel and does what they ask
 * for; closes the channel when its other end has gone.
 *
 * Safety: ev is the read event of a connection of ngx_add_channel_event().
 */
void ngx_channel_handler(ngx_event_t *ev);

/* The version of the library that is in use, such as "0.1.0". */
const char *ngx_ipc_version(void);

/* How many configurations there had been when this process was started. */
ngx_uint_t ngx_ipc_generation(void);

/*
 * Whether this process is the one of its generation that does what one has
 * to do: its first worker, or the single process.
 */
ngx_uint_t ngx_ipc_is_leader(void);

/*
 * Walks over the processes: fills process with the first one in a slot
 * after process->slot; begin with -1.
 *
 * Returns NGX_OK, or NGX_DECLINED behind the last one. All processes see
 * what the master knows; where there is no memory for that, a worker sees
 * those that it has been told of.
 *
 * Safety: process is NULL or valid.
 */
ngx_int_t ngx_ipc_next_process(ngx_ipc_process_t *process);

/*
 * Hands a line for each process to print, with its line feed.
 *
 * Safety: print may be called with data.
 */
void ngx_ipc_print_processes(ngx_ipc_print_pt print, void *data);

/*
 * Runs a program: a master with its workers, or one process, as conf says.
 *
 * argc and argv are those of main(); they are what SIGUSR2 starts the
 * new binary with. Returns 1 if the program could not be set up, with the
 * reason on stderr or in the log; else it does not return, and the process
 * exits with 0.
 *
 * Safety: conf is valid. Its texts are copied; the modules, helpers and functions
 * that it points to live as long as the program. Whatever else points to the
 * arguments of main() does not see them any more: process titles take their
 * place.
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
 * Safety: conf is valid, name a string.
 *
 * References: ngx_signal_process() of nginx's src/core/ngx_cycle.c.
 */
int ngx_ipc_signal(const ngx_core_conf_t *conf, char *name);

/*
 * Runs a worker: the modules' hooks, the channel, the event loop, until it
 * is told to quit or terminate.
 *
 * data is the worker's number. When it quits it stops accepting, finishes
 * the connections that are open, and waits for the timers that are not
 * cancelable. Does not return; the exit code is 0, or 2 if the worker could
 * not be set up.
 *
 * Safety: cycle is a valid cycle; the process has been made by
 * ngx_spawn_process().
 */
void ngx_worker_process_cycle(ngx_cycle_t *cycle, void *data);


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
