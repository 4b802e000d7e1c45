/*
 * ngx_process.h: spawning processes, signals, the process table.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/process.rs
 *   src/table/slot.rs
 *   src/process/mode.rs
 *   src/host/call.rs
 *   include/generator/process.h
 */

#ifndef _NGX_PROCESS_H_INCLUDED_
#define _NGX_PROCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* The number of slots of ngx_processes[]. */
#define NGX_MAX_PROCESSES 1024

/* The process is not started again when it exits. */
#define NGX_PROCESS_NORESPAWN -1

/*
 * The process is not started again when it exits. The process does not get the
 * next signal to all workers.
 */
#define NGX_PROCESS_JUST_SPAWN -2

/* The process is started again in the same slot when it exits. */
#define NGX_PROCESS_RESPAWN -3

/*
 * The process is started again in the same slot when it exits. The process
 * does not get the next signal to all workers.
 */
#define NGX_PROCESS_JUST_RESPAWN -4

/* The process has no channel and gets no signals. */
#define NGX_PROCESS_DETACHED -5

/*
 * The function that a spawned process runs. If the function returns, the
 * process exits with code 0.
 */
typedef void (*ngx_spawn_proc_pt)(ngx_cycle_t *cycle, void *data);

/* A program that ngx_execute() executes. */
typedef struct {
    /* The file to execute. */
    char *path;
    /* The name of the process in log lines. */
    char *name;
    /* The arguments of the program, an array that ends with NULL. */
    char *const *argv;
    /* The environment of the program, an array that ends with NULL. */
    char *const *envp;
} ngx_exec_ctx_t;



/*
 * Starts a process that runs proc(cycle, data), and enters the process in
 * the process table.
 *
 * The table keeps the pointer name, which must be valid as long as the
 * process's slot is in use. respawn is a mode, such as
 * NGX_PROCESS_NORESPAWN, or a slot, 0 to 1023. If it is a slot, the process in
 * that slot has exited, and is started again in the same slot and mode.
 *
 * In the parent the function returns the pid of the child. In the child it
 * does not return: if proc returns, the child exits with code 0. If the
 * process could not be started, the function returns NGX_INVALID_PID, with an
 * alert in the log, and ngx_process_slot is an empty slot.
 *
 * The parent gets SIGCHLD when the child exits. So the parent must call
 * ngx_init_signals() before, or handle SIGCHLD itself. The parent gets no signal
 * when the child writes to its channel: the event loop of the parent must watch
 * channel[0] of the child's slot. A channel is a SOCK_SEQPACKET socket, so one
 * call must read a complete message.
 *
 * Safety: cycle is NULL or a valid cycle, name is a string, and proc is a
 * function that can be called with cycle and data in a forked copy of this
 * process.
 *
 * References: fork(2), socketpair(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_pid_t ngx_spawn_process(ngx_cycle_t *cycle,
                            ngx_spawn_proc_pt proc,
                            void *data,
                            char *name,
                            ngx_int_t respawn);

/*
 * Executes a program in a detached process: one that has no channel and gets
 * no signals from the library.
 *
 * A program with the name "new binary process" is the new binary of an upgrade: it
 * inherits the memory of the messages of ngx_ipc_message.h, and the environment
 * variable NGX_IPC_MESSAGES says how.
 *
 * Returns the pid of the process after the program has been executed. The
 * program starts with none of the signals blocked or ignored that this library
 * has blocked or ignored. Returns NGX_INVALID_PID, with an alert in the log,
 * if the process cannot be started or the program cannot be executed.
 *
 * Safety: cycle is NULL or a valid cycle. ctx is NULL or a valid context.
 *
 * References: execve(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_pid_t ngx_execute(ngx_cycle_t *cycle,
                      ngx_exec_ctx_t *ctx);

/*
 * Sets the action of each signal that nginx handles or ignores.
 *
 * The signal handler writes to the log of ngx_cycle. Returns NGX_OK, or
 * NGX_ERROR with an emergency in the log.
 *
 * Safety: log is NULL or a valid log.
 *
 * References: sigaction(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_int_t ngx_init_signals(ngx_log_t *log);

/*
 * Stops the process if ngx_ipc_debug_points is NGX_DEBUG_POINTS_STOP, or
 * aborts it if ngx_ipc_debug_points is NGX_DEBUG_POINTS_ABORT.
 *
 * References: nginx's debug_points directive.
 */
void ngx_debug_point(void);


/* A slot of the process table. */
typedef struct {
    ngx_pid_t           pid;
    int                 status;
    ngx_socket_t        channel[2];

    ngx_spawn_proc_pt   proc;
    void               *data;
    char               *name;

    unsigned            respawn:1;
    unsigned            just_spawn:1;
    unsigned            detached:1;
    unsigned            exiting:1;
    unsigned            exited:1;
} ngx_process_t;


#define ngx_getpid   getpid
#define ngx_getppid  getppid

#ifndef ngx_log_pid
#define ngx_log_pid  ngx_pid
#endif

#define ngx_sched_yield()  sched_yield()


/*
 * The arguments of main().  The program sets these variables.  ngx_os_argv is
 * the array that the kernel has passed: process titles overwrite the strings of
 * that array.
 */
extern int            ngx_argc;
extern char         **ngx_argv;
extern char         **ngx_os_argv;

/* The pid of this process, and the pid of its parent. */
extern ngx_pid_t      ngx_pid;
extern ngx_pid_t      ngx_parent;

/* In a child, the child's end of the channel to its parent. */
extern ngx_socket_t   ngx_channel;

/*
 * The slot of the process that was spawned last; in a child, the child's slot.
 */
extern ngx_int_t      ngx_process_slot;

/* One more than the highest slot that has been used. */
extern ngx_int_t      ngx_last_process;

/* The process table. */
extern ngx_process_t  ngx_processes[NGX_MAX_PROCESSES];


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PROCESS_H_INCLUDED_ */
