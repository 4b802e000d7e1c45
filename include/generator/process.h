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
