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
 * The process is not started again when it exits, and the next signal to all
 * workers leaves it out.
 */
#define NGX_PROCESS_JUST_SPAWN -2

/* The process is started again when it exits, in the same slot. */
#define NGX_PROCESS_RESPAWN -3

/*
 * The process is started again when it exits, in the same slot, and the next
 * signal to all workers leaves it out.
 */
#define NGX_PROCESS_JUST_RESPAWN -4

/* The process has no channel and gets no signals. */
#define NGX_PROCESS_DETACHED -5

/* What a spawned process runs; it exits with 0 if this returns. */
typedef void (*ngx_spawn_proc_pt)(ngx_cycle_t *cycle, void *data);

/* A program for ngx_execute(). */
typedef struct {
    /* The file to execute. */
    char *path;
    /* How log lines call the process. */
    char *name;
    /* Its arguments, NULL-terminated. */
    char *const *argv;
    /* Its environment, NULL-terminated. */
    char *const *envp;
} ngx_exec_ctx_t;



/*
 * Starts a process that runs proc(cycle, data), in a slot of its own.
 *
 * name is stored in the slot and must live as long as the slot is in use.
 * respawn is NGX_PROCESS_NORESPAWN or another of these modes, or the slot, 0
 * to 1023, of a process that has exited and is started again in its mode.
 *
 * Returns the child's pid in the parent, and does not return in the child: if
 * proc returns, the child exits with 0. Returns NGX_INVALID_PID if there is
 * no process, with an alert in the log; ngx_process_slot is an empty slot
 * then.
 *
 * The parent gets SIGCHLD when the child exits: call ngx_init_signals()
 * before, or handle it. No signal comes when the child writes to its channel:
 * watch channel[0] of its slot. A channel is a SOCK_SEQPACKET socket, so one
 * call has to read a whole message.
 *
 * Safety: cycle is NULL or a valid cycle, name a string, proc a function that
 * may be called with data in a forked copy of this process.
 *
 * References: fork(2), socketpair(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_pid_t ngx_spawn_process(ngx_cycle_t *cycle,
                            ngx_spawn_proc_pt proc,
                            void *data,
                            char *name,
                            ngx_int_t respawn);

/*
 * Executes a program in a detached process.
 *
 * Returns its pid once the program runs. The program starts without signals
 * that this library has blocked or ignored. Returns NGX_INVALID_PID, with an
 * alert in the log, if there is no process or the program cannot be executed.
 *
 * Safety: cycle is NULL or a valid cycle, ctx NULL or a valid context.
 *
 * References: execve(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_pid_t ngx_execute(ngx_cycle_t *cycle, ngx_exec_ctx_t *ctx);

/*
 * Sets up the signals that nginx handles or ignores.
 *
 * Their handler logs to ngx_cycle. Returns NGX_OK, or NGX_ERROR with an
 * emergency in the log.
 *
 * Safety: log is NULL or a valid log.
 *
 * References: sigaction(2); nginx's src/os/unix/ngx_process.c.
 */
ngx_int_t ngx_init_signals(ngx_log_t *log);

/*
 * Stops or aborts the process, as ngx_ipc_debug_points says: if it is
 * NGX_DEBUG_POINTS_STOP or NGX_DEBUG_POINTS_ABORT.
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
 * The arguments of main(), which the program sets.  ngx_os_argv is the array
 * that the kernel has passed: process titles overwrite its strings.
 */
extern int            ngx_argc;
extern char         **ngx_argv;
extern char         **ngx_os_argv;

/* The pid of this process, and that of its parent. */
extern ngx_pid_t      ngx_pid;
extern ngx_pid_t      ngx_parent;

/* In a child, its end of the channel to the process that has spawned it. */
extern ngx_socket_t   ngx_channel;

/* The slot of the process that was spawned last; in a child, its own slot. */
extern ngx_int_t      ngx_process_slot;

/* One more than the highest slot that has been used. */
extern ngx_int_t      ngx_last_process;

/* The process table. */
extern ngx_process_t  ngx_processes[NGX_MAX_PROCESSES];


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PROCESS_H_INCLUDED_ */
