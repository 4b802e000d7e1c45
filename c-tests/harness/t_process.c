
/* Signals, processes, and slots of the process table. */


#include "test.h"

#include <sched.h>


static void
t_on_signal(int signo)
{
    (void) signo;
}


/* The signal only interrupts system calls. */

void
t_wake_on(int signo)
{
    struct sigaction  sa;

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = t_on_signal;
    sigemptyset(&sa.sa_mask);

    sigaction(signo, &sa, NULL);
}


void
t_block_all(void)
{
    sigset_t  set;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}


/* Reaps the process; returns its status, or -1. */

int
t_wait(pid_t pid)
{
    int    status;
    pid_t  n;

    do {
        n = waitpid(pid, &status, 0);
    } while (n == -1 && errno == EINTR);

    return n == pid ? status : -1;
}


/* Waits until another process has set the value to n or more. */

void
t_await(volatile int *value, int n)
{
    while (*value < n) {
        sched_yield();
    }
}


pid_t
t_fork_exit(int code)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        _exit(code);
    }

    T_REQUIRE(pid != -1);

    return pid;
}


/* A process that waits until it is killed. */

void
t_pause(ngx_cycle_t *cycle, void *data)
{
    (void) cycle;
    (void) data;

    for ( ;; ) {
        pause();
    }
}


/*
 * In nginx, ngx_spawn_process() returns 0 in a child whose proc() has returned
 * (D8).  Such a child must not run the rest of the case.
 */

pid_t
t_spawn(ngx_spawn_proc_pt proc, void *data, char *name, ngx_int_t respawn)
{
    pid_t  pid;

    pid = ngx_spawn_process(t_cycle(), proc, data, name, respawn);

    T_REQUIRE(pid != 0);

    return pid;
}


/* A process that exits with the code data. */

void
t_exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


/* A process that is killed by the signal data, without a core file. */

void
t_kill_proc(ngx_cycle_t *cycle, void *data)
{
    struct rlimit  rl;

    rl.rlim_cur = 0;
    rl.rlim_max = 0;
    setrlimit(RLIMIT_CORE, &rl);

    signal((int) (intptr_t) data, SIG_DFL);
    kill(getpid(), (int) (intptr_t) data);

    _exit(99);
}


/* Reaps the process of a slot, and sets what the handler of SIGCHLD sets. */

void
t_reap_slot(ngx_int_t slot)
{
    ngx_processes[slot].status = t_wait(ngx_processes[slot].pid);
    ngx_processes[slot].exited = 1;
}


/* ngx_close_channel() cannot be used: nginx's does not accept -1 (D10). */

void
t_close_slot(ngx_int_t slot)
{
    int  i;

    for (i = 0; i < 2; i++) {

        if (ngx_processes[slot].channel[i] > 0) {
            close(ngx_processes[slot].channel[i]);
        }

        ngx_processes[slot].channel[i] = -1;
    }
}


/* Kills and reaps the process of a slot, and empties the slot. */

void
t_end_process(ngx_int_t slot)
{
    ngx_process_t  *process;

    process = &ngx_processes[slot];

    if (process->pid > 0 && !process->exited) {
        kill(process->pid, SIGKILL);
        t_wait(process->pid);
    }

    t_close_slot(slot);

    process->pid = -1;
    process->exited = 0;
}


void
t_end_processes(void)
{
    ngx_int_t  s;

    for (s = 0; s < ngx_last_process; s++) {
        t_end_process(s);
    }
}


/*
 * Installs nginx's handlers.  SIGCHLD is blocked, so that the handler runs
 * only when the table is complete; SIGIO is not needed here.
 */

void
t_init_signals(void)
{
    sigset_t  set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, NULL);

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
}


/* Waits until the child has exited, then lets the handler of SIGCHLD run. */

void
t_exited(pid_t pid)
{
    sigset_t   set;
    siginfo_t  info;

    while (waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}


/* Spawns a process, and waits until the handler of SIGCHLD has reaped it. */

pid_t
t_spawn_and_end(ngx_spawn_proc_pt proc, int arg, ngx_int_t respawn)
{
    pid_t  pid;

    pid = t_spawn(proc, (void *) (intptr_t) arg, "some worker", respawn);
    T_REQUIRE(pid > 0);

    t_exited(pid);

    T_EQ(ngx_processes[ngx_process_slot].exited, 1);

    return pid;
}


#if (T_NGINX)

/*
 * nginx's connections need a configured event module.  Its channel handler
 * needs only these fields.
 */

static ngx_connection_t *
t_connection(int fd)
{
    static ngx_event_t       rev, wev;
    static ngx_connection_t  c;

    c.fd = fd;
    c.log = t_log();
    c.read = &rev;
    c.write = &wev;

    rev.data = &c;
    rev.log = t_log();
    wev.data = &c;
    wev.log = t_log();

    return &c;
}

#else

/* A connection of the event loop. */

static ngx_connection_t *
t_connection(int fd)
{
    static int                last = -1;
    static ngx_connection_t  *c;

    /* a case has one channel; after an EOF its connection is closed */

    if (fd != last) {
        c = ngx_get_connection(fd, t_log());
        T_REQUIRE(c != NULL);

        last = fd;
    }

    return c;
}

#endif


/* Makes the event loop; its descriptors do not count as leaks. */

void
t_init_events(void)
{
#if !(T_NGINX)

    int  fd[2];

    t_socketpair(fd);
    ngx_close_connection(ngx_get_connection(fd[1], t_log()));
    close(fd[0]);

#endif

    t_keep_fds();
}


/* Calls ngx_channel_handler(), which reads all messages. */

void
t_handle_channel(int fd)
{
    ngx_channel_handler(t_connection(fd)->read);
}
