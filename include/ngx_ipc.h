/*
 * ngx_ipc.h: what this library adds to nginx's functions.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Made by build.rs of src/abi/ipc.rs: edit that, then "make headers".
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


/* The version of the library that is in use, such as "0.1.0". */
const char *ngx_ipc_version(void);

/*
 * Sets a program up: the time, ngx_pid, ngx_cycle, the signals, and the
 * log of cycle, unless it has one: notices and worse to stderr.
 *
 * Returns NGX_OK, or NGX_ERROR with an emergency in the log.
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
 * Clears the slots of the processes that have exited, has the others close
 * their channels, and starts again those that are to be respawned.
 *
 * To be called whenever ngx_reap is set. Returns 1 while any process is
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
 * Returns NGX_OK; or NGX_DECLINED if the command is none of nginx's, so that
 * the caller looks at it. The descriptor of a NGX_CMD_OPEN_CHANNEL is taken
 * over. A message about a slot that cannot be is an alert in the log.
 *
 * Safety: ch is NULL or a message as ngx_read_channel() returned it; log is NULL
 * or a valid log.
 */
ngx_int_t ngx_ipc_channel_command(ngx_channel_t *ch, ngx_log_t *log);

/*
 * Reads all messages that have arrived on a channel and does what they ask
 * for; closes the channel when its other end has gone.
 *
 * Safety: ev is the read event of a connection of ngx_add_channel_event().
 */
void ngx_channel_handler(ngx_event_t *ev);

/*
 * Runs a worker: the modules' hooks, the channel, the event loop, until it
 * is told to quit or terminate. data is the worker's number. Does not
 * return; the exit code is 0, or 2 if the worker could not be set up.
 *
 * Safety: cycle is a valid cycle; the process has been made by
 * ngx_spawn_process().
 */
void ngx_worker_process_cycle(ngx_cycle_t *cycle, void *data);


/*
 * This header goes with nginx's own headers as well: a source that includes
 * it compiles against either.
 */

extern ngx_uint_t  ngx_ipc_debug_points;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_H_INCLUDED_ */
