
/*
 * A module forks children in a worker (D7).  If the module does not wait for a
 * child, the worker reaps the child after 2 seconds.
 */


#include "test.h"


#define CHILDREN  15


/*
 * Forks children that exit at once: child i exits with code i.  Before that
 * the function unblocks all signals, so that SIGCHLD reaches the worker's
 * handler.
 */

static void
fork_some(pid_t *pids)
{
    int       i;
    sigset_t  set;

    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = t_fork_exit(i);
    }
}


/*
 * Runs the event loop until the worker has no child.  Reaps no child itself.
 */

static int
all_reaped(ngx_cycle_t *cycle)
{
    siginfo_t  info;

    while (waitid(P_ALL, 0, &info, WEXITED|WNOHANG|WNOWAIT) == 0) {
        ngx_process_events_and_timers(cycle);
    }

    return errno == ECHILD;
}


/* The module does not wait for its children, so the event loop reaps them. */

static void
orphans_proc(ngx_cycle_t *cycle, void *data)
{
    pid_t  pids[CHILDREN];

    fork_some(pids);

    _exit(all_reaped(cycle) ? 7 : 1);
}


static void
test_orphans(void)
{
    pid_t  pid;

    t_init_signals();
    ngx_process = NGX_PROCESS_MASTER;

    pid = t_spawn(orphans_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    T_EQ(WEXITSTATUS(t_wait(pid)), 7);
    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "unknown process "), CHILDREN);

    t_close_slot(0);
}


/*
 * The module waits for its children a second after they have exited.  The
 * event loop, which runs before that, must not reap them.
 */

static void
waits_proc(ngx_cycle_t *cycle, void *data)
{
    int     i, status;
    time_t  end;
    pid_t   pids[CHILDREN];

    fork_some(pids);

    for (i = 0; i < 20; i++) {
        usleep(50000);
    }

    for (end = time(NULL); time(NULL) < end; /* void */ ) {
        ngx_process_events_and_timers(cycle);
    }

    for (i = 0; i < CHILDREN; i++) {
        if (waitpid(pids[i], &status, 0) != pids[i]
            || WEXITSTATUS(status) != i)
        {
            _exit(1);
        }
    }

    _exit(7);
}


static void
test_waits(void)
{
    pid_t  pid;

    t_init_signals();
    ngx_process = NGX_PROCESS_MASTER;

    pid = t_spawn(waits_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    T_EQ(WEXITSTATUS(t_wait(pid)), 7);

    t_close_slot(0);
}


/* The time in milliseconds. */

static long
now_msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/*
 * A child exits a second after another one.  The event loop does not reap the first
 * child earlier for that, and when it has reaped the first child, the module can still
 * wait for the second one.
 */

static void
later_proc(ngx_cycle_t *cycle, void *data)
{
    int       i, status;
    long      start, later;
    pid_t     first, second;
    sigset_t  set;

    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);

    start = now_msec();
    first = t_fork_exit(1);

    for (i = 0; i < 20; i++) {
        usleep(50000);
    }

    later = now_msec();
    second = t_fork_exit(2);

    while (kill(first, 0) == 0) {
        ngx_process_events_and_timers(cycle);
    }

    if (now_msec() - start < 1900) {
        _exit(3);
    }

    if (waitpid(second, &status, 0) == second) {
        _exit(WEXITSTATUS(status) == 2 ? 7 : 1);
    }

    /* on a machine that was busy meanwhile, both children are due */
    _exit(now_msec() - later > 1900 ? 7 : 2);
}


static void
test_later(void)
{
    pid_t  pid;

    t_init_signals();
    ngx_process = NGX_PROCESS_MASTER;

    pid = t_spawn(later_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    T_EQ(WEXITSTATUS(t_wait(pid)), 7);

    t_close_slot(0);
}


int
main(void)
{
    t_begin();

    t_run("D7 children that no code waits for are reaped", test_orphans);
    t_run("D7 a module waits for its children a second later", test_waits);
    t_run("D7 a module waits for a child that exited later", test_later);

    return t_end();
}
