
/* Functions about signals, processes, and slots of the process table. */


#include "test.h"

#include <sched.h>
#include <sys/syscall.h>


static void
t_on_signal(int signo)
{
    (void) signo;
}


/*
 * Installs a handler that does nothing, so that the signal does no more than
 * interrupt system calls.
 */

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


/*
 * Reaps the process "pid"; returns its wait status, or -1 if waitpid() fails.
 */

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


/*
 * Waits until another process has set *value, in shared memory, to n or more.
 */

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


/* Starts a child that runs the function. */

pid_t
t_fork_run(void (*run)(void))
{
    pid_t  pid;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = getpid();
        run();
        t_check_leaks();
        _exit(0);
    }

    return pid;
}


/*
 * Waits until a child has exited.  Returns 1 if it has exited within the time, otherwise
 * kills it and returns 0.
 */

int
t_ends_in(pid_t pid, int msec)
{
    long long  limit;

    limit = t_msec() + msec;

    while (waitpid(pid, NULL, WNOHANG) == 0) {

        if (t_msec() > limit) {
            (void) kill(pid, SIGKILL);
            (void) t_wait(pid);
            return 0;
        }

        usleep(1000);
    }

    return 1;
}


int
t_ends(pid_t pid)
{
    return t_ends_in(pid, 5000);
}


/* The function of a process that waits until a signal kills it. */

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
 * Spawns a process.  In nginx, ngx_spawn_process() returns 0 in the child if
 * proc() returns (D8).  The case fails then, because the child must not run
 * the rest of the case.
 */

pid_t
t_spawn(ngx_spawn_proc_pt proc, void *data, char *name, ngx_int_t respawn)
{
    pid_t  pid;

    pid = ngx_spawn_process(t_cycle(), proc, data, name, respawn);

    T_REQUIRE(pid != 0);

    return pid;
}


/* The function of a process that exits; "data" is the exit code. */

void
t_exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


/*
 * The function of a process that kills itself with a signal and leaves no core
 * file; "data" is the number of the signal.
 */

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


/*
 * Reaps the process of a slot, and sets the fields of the slot that the
 * SIGCHLD handler would set.
 */

void
t_reap_slot(ngx_int_t slot)
{
    ngx_processes[slot].status = t_wait(ngx_processes[slot].pid);
    ngx_processes[slot].exited = 1;
}


/*
 * Closes the channel of a slot.  The function does not call
 * ngx_close_channel(), because that of nginx does not accept a descriptor of
 * -1 (D10).
 */

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


/* Kills and reaps the process of a slot, and frees the slot. */

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
 * Installs nginx's signal handlers and blocks SIGCHLD, so that a test chooses
 * when the SIGCHLD handler runs: after the child is in the table.  SIGIO is
 * blocked too, because these tests do not need it.
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


/*
 * Waits until the child has exited, then unblocks SIGCHLD for a moment, so
 * that its handler runs.
 */

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


/*
 * Stops a child with SIGSTOP, and waits until it is stopped.  The child runs on
 * after kill(2) has returned, until it handles the signal.  The kernel sends
 * SIGCHLD for the stop too, so the SIGCHLD handler sets ngx_reap although no
 * child has exited.
 */

void
t_stop_pid(pid_t pid)
{
    siginfo_t  info;

    T_REQUIRE(kill(pid, SIGSTOP) == 0);

    while (waitid(P_PID, pid, &info, WSTOPPED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }
}


/*
 * Whether a process waits for events, see /proc/PID/syscall in proc_pid(5).
 * Always true if the kernel was built without this file.
 */

int
t_waits_for_events(pid_t pid)
{
    char   path[64];
    FILE  *f;
    long   call;

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int) pid);

    f = fopen(path, "re");
    if (f == NULL) {
        return 1;
    }

    if (fscanf(f, "%ld", &call) != 1) {
        call = -1;    /* it is "running" */
    }

    fclose(f);

#ifdef SYS_epoll_wait       /* not on aarch64 */
    if (call == SYS_epoll_wait) {
        return 1;
    }
#endif

    return call == SYS_epoll_pwait;
}


/*
 * Spawns a process that exits, and waits until the SIGCHLD handler has reaped
 * it.
 */

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
 * nginx creates connections only with an event module.  So this function fills
 * a connection itself, with the fields that nginx's channel handler uses.
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

/* Returns a connection that the library's event loop has created. */

static ngx_connection_t *
t_connection(int fd)
{
    static int                last = -1;
    static ngx_connection_t  *c;

    /*
     * A case has one channel.  At an end of file the handler closes the
     * connection, so a new one is created only for a new descriptor.
     */

    if (fd != last) {
        c = ngx_get_connection(fd, t_log());
        T_REQUIRE(c != NULL);

        last = fd;
    }

    return c;
}

#endif


/*
 * Creates the event loop, whose descriptors stay open, and tells the harness
 * that they are no leak.
 */

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


/*
 * Calls ngx_channel_handler(), which reads and handles all messages that have
 * arrived on the channel.
 */

void
t_handle_channel(int fd)
{
    ngx_channel_handler(t_connection(fd)->read);
}
