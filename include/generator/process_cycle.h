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
