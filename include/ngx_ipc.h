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
 *   src/host/program.rs
 *   src/host/status/mod.rs
 *   src/host/status/own.rs
 *   src/host/status/printer.rs
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
 * Tells the receiver that all processes that were started together with the
 * receiver run, see ngx_ipc_spawn_processes(). The receiver has inherited the
 * channels to these processes.
 */
#define NGX_IPC_CMD_OPEN_CHANNELS 1852274689

/* The slot has no process. */
#define NGX_IPC_EMPTY 0

/* The slot's process runs. */
#define NGX_IPC_RUNNING 1

/* The slot's process has been told to exit and has not exited yet. */
#define NGX_IPC_EXITING 2

/*
 * The slot's process has exited, or could not be started. The master starts
 * the process later.
 */
#define NGX_IPC_WAITING 3

/*
 * A process of the process table, as ngx_ipc_next_process() describes the
 * process.
 */
typedef struct {
    /* The slot of the process. */
    ngx_int_t slot;
    /* The pid; -1 while the process waits to be started again. */
    ngx_pid_t pid;
    /* The state: NGX_IPC_RUNNING, NGX_IPC_EXITING or NGX_IPC_WAITING. */
    int state;
    /* The number of the worker, from 0; -1 if the process is not a worker. */
    ngx_int_t worker;
    /*
     * The number of the configuration for which the process was first started,
     * counted from 1; 0 if the program has no configuration.
     */
    ngx_uint_t generation;
    /*
     * The role: NGX_PROCESS_WORKER or NGX_PROCESS_HELPER; 0 if the role is not
     * known.
     */
    ngx_uint_t role;
    /*
     * The name of the process in log lines, cut to 63 bytes; NULL if the process
     * has no name.
     */
    const char *name;
    /* The time at which the process was started, in seconds since 1970. */
    time_t started;
    /* The number of times that the process was started again. */
    ngx_uint_t respawns;
    /*
     * The number of control messages that the master has sent to the
     * process.
     */
    ngx_uint_t sent;
    /*
     * The number of control messages that the master has queued because the
     * channel to the process was full.
     */
    ngx_uint_t queued;
    /*
     * The largest number of control messages that were queued for the process
     * at one time.
     */
    ngx_uint_t queued_max;
    /*
     * The number of control messages that the master has dropped because the
     * process had exited.
     */
    ngx_uint_t dropped;
    /*
     * The number of messages of ngx_ipc_message.h that the process and its
     * predecessors in the slot have sent. The number can be some seconds old.
     */
    ngx_uint_t messages_sent;
    /*
     * The number of messages that they could not send, because a receiver was
     * full. The number can be some seconds old.
     */
    ngx_uint_t messages_refused;
    /* The number of messages that they have received. */
    ngx_uint_t messages_received;
    /* The number of messages that wait for the process. */
    ngx_uint_t messages_waiting;
    /*
     * The largest number of messages of one sender that waited for the
     * process.
     */
    ngx_uint_t messages_deepest;
    /* The number of messages to the process that were lost. */
    ngx_uint_t messages_lost;
    /*
     * The number of messages that the process has received and dropped, because it
     * has no handler for their type.
     */
    ngx_uint_t messages_unknown;
    /*
     * The time that the process has spent in user mode, in milliseconds, with that
     * of children which it has waited for. -1 if the process does not run, or if
     * the caller cannot read /proc.
     */
    ngx_int_t cpu_user;
    /* The time that the process has spent in the kernel, as cpu_user. */
    ngx_int_t cpu_system;
    /*
     * The memory of the process that is resident, in bytes. Memory that processes
     * share is counted in each of them. -1 as cpu_user.
     */
    ngx_int_t rss;
} ngx_ipc_process_t;

/* The program, as ngx_ipc_program() describes it. */
typedef struct {
    /*
     * The version of the program, the field version of its configuration; NULL if
     * it has none.
     */
    const char *version;
    /* The version of the library. */
    const char *library;
    /* The pid of the master, or of the single process. */
    ngx_pid_t master;
    /*
     * The time at which the program was started, in seconds since 1970. A reload
     * does not change it; a new binary after SIGUSR2 is another program.
     */
    time_t started;
    /* The seconds since then, also if the clock was set meanwhile. */
    ngx_int_t uptime;
    /*
     * The time that the master has spent in user mode, in milliseconds; -1 if the
     * caller cannot read /proc.
     */
    ngx_int_t cpu_user;
    /* The time that it has spent in the kernel, as cpu_user. */
    ngx_int_t cpu_system;
    /* The memory of the master that is resident, in bytes; -1 as cpu_user. */
    ngx_int_t rss;
} ngx_ipc_program_t;

/*
 * A function of the program that prints len bytes of text. data is the
 * argument of ngx_ipc_print_processes() or ngx_ipc_print_status().
 */
typedef void (*ngx_ipc_print_pt)(void *data, const char *text, size_t len);

/* A number of the program for ngx_ipc_print_status(). */
typedef struct {
    /* The name in text and JSON; NULL: not shown there. */
    const char *name;
    /*
     * The name of the metric, such as "shop_orders_total". It is a counter, which
     * never decreases, if it ends with "_total", and else a gauge. NULL: no metric.
     */
    const char *metric;
    /* The text that explains the metric; NULL: none. */
    const char *help;
    /* The value. */
    ngx_int_t value;
} ngx_ipc_number_t;

/* A line for each process, and lines about messages. */
#define NGX_IPC_TEXT 0

/* One object of JSON, RFC 8259. */
#define NGX_IPC_JSON 1

/* Metrics in Prometheus' text format 0.0.4. */
#define NGX_IPC_PROMETHEUS 2

/* The object of [NGX_IPC_JSON] without the numbers of pairs of processes. */
#define NGX_IPC_JSON_SUMMARY 3

/*
 * Runs a program: a master with workers, or a single process, as conf says.
 *
 * argc and argv are the arguments of main(), or others of which the first is
 * the path of the program. At SIGUSR2 the new binary is executed with these
 * arguments. With 0 and NULL, SIGUSR2 starts no new binary. Returns 1 if the
 * program could not be set up, with the reason on stderr or in the log.
 * Otherwise the function does not return, and the process exits with code 0.
 *
 * Safety: conf is NULL or was initialised with ngx_ipc_conf_init(): a
 * configuration with an invalid size is refused. The function copies the texts
 * of conf; the modules, helpers and functions that conf points to must live
 * as long as the program.
 *
 * References: main() of nginx's src/core/nginx.c.
 */
int ngx_ipc_main(const ngx_core_conf_t *conf, int argc, char **argv);

/*
 * Sends a running program the signal "reload", "reopen", "stop" or "quit".
 *
 * The function reads the pid of the program's master from the pid file of
 * conf. Returns 0, or 1 with the reason on stderr.
 *
 * Safety: conf is NULL or was initialised with ngx_ipc_conf_init(), name is NULL or a string.
 *
 * References: ngx_signal_process() of nginx's src/core/ngx_cycle.c.
 */
int ngx_ipc_signal(const ngx_core_conf_t *conf,
                   char *name);

/*
 * Sets a program up: sets the time, ngx_pid, ngx_cycle and the signal
 * handlers. If cycle has no log, its log becomes stderr with the level NGX_LOG_NOTICE.
 *
 * A program that goes into the background itself must do so before it calls
 * this function. Returns NGX_OK, or NGX_ERROR with an emergency in the log.
 *
 * In C, ngx_ipc_init() is a macro that calls ngx_ipc_init_size() with the size
 * of a cycle in the program's headers. The function ngx_ipc_init() uses the
 * size of version 0.1.
 *
 * Safety: cycle is NULL or lives as long as the program. The fields that the
 * program has not set are zero.
 *
 * References: main() of nginx's src/core/nginx.c.
 */
ngx_int_t ngx_ipc_init(ngx_cycle_t *cycle);

/*
 * Sets a program up, as ngx_ipc_init() does, with a cycle of size bytes.
 * Programs call the macro ngx_ipc_init().
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert on stderr, if size is
 * less than in version 0.1 or the program cannot be set up.
 *
 * Safety: cycle is NULL or lives as long as the program. The fields that the
 * program has not set are zero.
 */
ngx_int_t ngx_ipc_init_size(ngx_cycle_t *cycle, size_t size);

/*
 * Starts n workers that run ngx_worker_process_cycle(), and announces each
 * worker to the processes that run already.
 *
 * type is NGX_PROCESS_RESPAWN or another mode of ngx_spawn_process(). If a
 * worker cannot be started, an alert is logged, and the next worker is
 * started.
 *
 * Safety: cycle is NULL or a valid cycle that lives as long as the workers'
 * slots are in use.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_start_worker_processes(ngx_cycle_t *cycle,
                                ngx_int_t n,
                                ngx_int_t type);

/*
 * Starts n processes together, and announces the processes to each other.
 *
 * Each process runs proc(cycle, data) with its number, 0 to n - 1, as
 * data. name and respawn are as for ngx_spawn_process(), except that
 * respawn must be a mode, not a slot, and not NGX_PROCESS_DETACHED. The
 * function sends one message to each process, NGX_IPC_CMD_OPEN_CHANNELS, which
 * ngx_ipc_channel_command() understands. If a program starts the processes one
 * by one with ngx_spawn_process(), each two processes need a message.
 *
 * Returns the number of processes that were started; for each process that
 * could not be started there is an alert in the log. Returns NGX_ERROR if an
 * argument is refused. ngx_process_slot is the slot of the process that was
 * started last, or an empty slot if the last process could not be started.
 *
 * Safety: cycle is NULL or a valid cycle, name is a string, and proc is a
 * function that can be called with cycle and a number in a forked copy of
 * this process.
 */
ngx_int_t ngx_ipc_spawn_processes(ngx_cycle_t *cycle,
                                  ngx_spawn_proc_pt proc,
                                  ngx_int_t n,
                                  char *name,
                                  ngx_int_t respawn);

/*
 * Sends ch, which announces the process that was spawned last, to all other
 * processes.
 *
 * If ch is NULL, the function makes the message from the process table.
 * Sends nothing if the process that was spawned last has no channel.
 *
 * Safety: cycle is NULL or a valid cycle, ch NULL or a valid message.
 */
void ngx_pass_open_channel(ngx_cycle_t *cycle, ngx_channel_t *ch);

/*
 * Makes all workers shut down gracefully (SIGQUIT), exit (SIGTERM) or open
 * their logs again (SIGUSR1), with a command on their channels. Any other
 * signo is sent with kill(2). If a command cannot be sent to a worker, the
 * signal is sent instead.
 *
 * Safety: cycle is NULL or a valid cycle.
 */
void ngx_signal_worker_processes(ngx_cycle_t *cycle, int signo);

/*
 * Does the work of ngx_signal_worker_processes() for the processes of one role
 * only. role is NGX_PROCESS_WORKER, the role of processes that
 * ngx_start_worker_processes() has started; NGX_PROCESS_HELPER; or 0 for the
 * processes without a role.
 *
 * Safety: cycle is NULL or a valid cycle.
 */
void ngx_ipc_signal_role(ngx_cycle_t *cycle, int signo, ngx_uint_t role);

/*
 * Clears the slots of processes that have exited, makes the other processes
 * close the channels to them, and starts processes again that are to be
 * respawned.
 *
 * A program calls this function whenever ngx_reap is set, or the descriptor
 * of ngx_ipc_exit_fd() is readable. A program with an event loop of its own
 * also calls it from time to time, because the function also sends messages
 * that were queued while a channel was full. Returns 1 while any process is
 * left, else 0.
 *
 * The function itself looks for processes that have exited if SIGCHLD does not
 * reach the library's handler: other libraries replace the handler. It reaps
 * processes of the table only. If other code has reaped a process, a warning is
 * logged, and the status of its slot is -1; a process that is to be respawned
 * is started again, whatever its status was.
 *
 * Safety: cycle is NULL or a valid cycle that lives as long as the slots of
 * respawned processes are in use.
 */
ngx_uint_t ngx_reap_children(ngx_cycle_t *cycle);

/*
 * Tells the library that the program has reaped a process: status is the
 * status that waitpid(2) has returned for pid.
 *
 * A program calls this function if it reaps all its children itself, or if its
 * event loop reaps them, as the default loop of libev does. The function does
 * what the handler of SIGCHLD does: it logs how the process has ended, stores
 * the status in the slot of the process, and sets ngx_reap. Without this
 * call, ngx_reap_children() finds out that the process is gone, but not how it
 * has ended. Returns NGX_OK, or NGX_DECLINED if the process is not in the
 * table, is known to have exited, or has only stopped.
 *
 * Safety: log is NULL or a valid log.
 *
 * References: waitpid(2).
 */
ngx_int_t ngx_ipc_child_exited(ngx_pid_t pid, int status, ngx_log_t *log);

/*
 * Returns a descriptor that becomes readable when a process of the table that
 * this process has started exits.
 *
 * The descriptor is for an event loop of the program. When it is readable,
 * the program calls ngx_reap_children(). After this call the descriptor is not
 * readable until another process exits. The descriptor also becomes readable
 * if another library has replaced the handler of SIGCHLD, or has reaped the
 * process. The program watches the descriptor with poll(2) or epoll(7). It
 * must not read from the descriptor, and must not close it. Each call in a
 * process returns the same descriptor. A process that ngx_spawn_process()
 * starts does not inherit it.
 *
 * The library needs one more descriptor for each process that runs, see
 * pidfd_open(2). If no descriptor is free for a new process, an alert is
 * logged, and ngx_reap_children() tries again. Returns NGX_ERROR, with an
 * alert in the log, if the kernel is older than Linux 5.3, if a filter of
 * system calls refuses pidfd_open(), or if no descriptor is free. The program
 * then calls ngx_reap_children() from time to time.
 *
 * Safety: log is NULL or a valid log.
 *
 * References: pidfd_open(2), epoll(7).
 */
ngx_socket_t ngx_ipc_exit_fd(ngx_log_t *log);

/*
 * Sets up the channel of a new worker: closes the inherited descriptors of the
 * process table that the worker does not need, and makes the event loop call
 * handler when the worker's own channel is readable.
 *
 * If handler is NULL, the function does not use the event loop. A program
 * with an event loop of its own then adds the descriptor ngx_channel to that
 * loop. Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: cycle is NULL or a valid cycle. ngx_process_events_and_timers() can
 * call handler until the connection is closed.
 */
ngx_int_t ngx_ipc_init_channel(ngx_cycle_t *cycle,
                               ngx_event_handler_pt handler);

/*
 * Does what a message with one of nginx's commands asks for: adds another
 * process to the process table, removes it from the table, or sets ngx_quit,
 * ngx_terminate or ngx_reopen.
 *
 * Returns NGX_OK; NGX_DECLINED if the command is not one of nginx's, so that
 * the caller handles the command; or NGX_ERROR if ch is NULL. The descriptor
 * of a NGX_CMD_OPEN_CHANNEL belongs to the library afterwards. If the message
 * names an impossible slot, an alert is logged.
 *
 * Safety: ch is NULL or a message that ngx_read_channel() has received; log is
 * NULL or a valid log.
 */
ngx_int_t ngx_ipc_channel_command(ngx_channel_t *ch, ngx_log_t *log);

/*
 * Reads all messages that have arrived on a channel, and does what the
 * messages ask for. Closes the channel if the other end is closed.
 *
 * Safety: ev is the read event of a connection that ngx_add_channel_event() has
 * made.
 */
void ngx_channel_handler(ngx_event_t *ev);

/* Returns the version of the library that is in use, such as "0.1.0". */
const char *ngx_ipc_version(void);

/*
 * Returns the number of the configuration for which this process was started,
 * counted from 1; 0 if the program has no configuration.
 */
ngx_uint_t ngx_ipc_generation(void);

/*
 * Returns 1 if this process is the leader of its generation, else 0.
 *
 * The leader is the first worker, or the single process. The leader does the
 * work that only one process of a generation must do.
 */
ngx_uint_t ngx_ipc_is_leader(void);

/*
 * Fills process with data about the next process of the process table: the
 * process in the first used slot after process->slot. For the first process,
 * set process->slot to -1.
 *
 * Returns NGX_OK, or NGX_DECLINED if there is no further process. Every
 * process of a program sees the data of the master, which is in shared memory.
 * If that memory could not be allocated, a worker sees only the processes that
 * the master has announced to it.
 *
 * In C, ngx_ipc_next_process() is a macro that calls
 * ngx_ipc_next_process_size() with the size of the structure in the program's
 * headers. The function ngx_ipc_next_process() uses the size of version 0.1.
 *
 * Safety: process is NULL or points to a valid ngx_ipc_process_t.
 */
ngx_int_t ngx_ipc_next_process(ngx_ipc_process_t *process);

/*
 * Fills process, a structure of size bytes, with data about the next
 * process, as ngx_ipc_next_process() does. Fields that this version of the
 * library does not have are cleared. Programs call the macro
 * ngx_ipc_next_process().
 *
 * Returns NGX_OK, NGX_DECLINED if there is no further process, or NGX_ERROR if
 * size is less than in version 0.1.
 *
 * Safety: process is NULL or points to a structure with size bytes.
 */
ngx_int_t ngx_ipc_next_process_size(ngx_ipc_process_t *process, size_t size);

/*
 * Fills program, a structure of size bytes, with data about the program. Programs
 * call the macro ngx_ipc_program(), in any process.
 *
 * Returns NGX_OK, or NGX_ERROR if program is NULL or size is too small.
 *
 * Safety: program is NULL or has size writable bytes.
 */
ngx_int_t ngx_ipc_program_size(ngx_ipc_program_t *program,
                               size_t size);

/*
 * Calls print with data once for each process, with a line of text about
 * the process that ends with a line feed. A line of more than 2048 bytes is passed in
 * parts, with a call for each. If the program has messages of ngx_ipc_message.h, there
 * follows a line for each type of messages, and for each pair of processes between
 * which messages wait, were refused or were lost.
 *
 * Safety: print is NULL or can be called with data.
 */
void ngx_ipc_print_processes(ngx_ipc_print_pt print,
                             void *data);

/*
 * Calls print with data for each line of a page about the program, its processes, its
 * zones and its messages, in the format NGX_IPC_TEXT, NGX_IPC_JSON, NGX_IPC_JSON_SUMMARY or
 * NGX_IPC_PROMETHEUS. The page has the n numbers of the program too. A line of more than
 * 2048 bytes is passed in parts, with a call for each.
 *
 * Returns NGX_OK. Returns NGX_ERROR, and prints nothing, if print is NULL, if there
 * is no such format, or if there is no memory.
 *
 * Safety: numbers has n elements whose texts are NULL or strings, and print is NULL or
 * can be called with data.
 */
ngx_int_t ngx_ipc_print_status(ngx_uint_t format,
                               const ngx_ipc_number_t *numbers,
                               ngx_uint_t n,
                               ngx_ipc_print_pt print,
                               void *data);

/*
 * Runs a worker: calls the modules' hooks, adds the channel to the event loop,
 * and runs the event loop until the worker receives the command or the signal
 * to quit or to terminate.
 *
 * data is the number of the worker. At the command to quit, the worker stops
 * accepting connections, and waits until its open connections are closed and
 * all timers that are not cancelable have expired. The function does not
 * return. The exit code is 0, or 2 if the worker could not be set up.
 *
 * Safety: cycle is a valid cycle. ngx_spawn_process() has started the calling
 * process.
 *
 * References: nginx's src/os/unix/ngx_process_cycle.c.
 */
void ngx_worker_process_cycle(ngx_cycle_t *cycle, void *data);


/*
 * nginx has neither ngx_ipc.h nor ngx_ipc_message.h.  A source that includes
 * ngx_ipc.h compiles with the headers of nginx as well.
 */

/*
 * The action of ngx_debug_point(): NGX_DEBUG_POINTS_STOP,
 * NGX_DEBUG_POINTS_ABORT, or 0 for no action.
 */
extern ngx_uint_t  ngx_ipc_debug_points;

/* If not 0, ngx_shm_alloc() asks the kernel for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;

/* Calls ngx_ipc_init_size() with the size of a cycle in these headers. */
#define ngx_ipc_init(cycle)                                                   \
    ngx_ipc_init_size(cycle, sizeof(ngx_cycle_t))

/*
 * Calls ngx_ipc_next_process_size() with the size of the structure in these
 * headers.
 */
#define ngx_ipc_next_process(process)                                         \
    ngx_ipc_next_process_size(process, sizeof(ngx_ipc_process_t))

/* Calls ngx_ipc_program_size() with the size of the structure in these headers. */
#define ngx_ipc_program(program)                                              \
    ngx_ipc_program_size(program, sizeof(ngx_ipc_program_t))


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_H_INCLUDED_ */
