
/*
 * A module forks children in a worker (D7).  If the module does not wait for a
 * child, the worker reaps the child after 2 seconds.
 */


#include "test.h"


#define CHILDREN  15


/* Unblocks all signals, so that SIGCHLD reaches the worker's handler. */

static void
unblock_signals(void)
{
    sigset_t  set;

    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}


/* Forks children that exit at once: child i exits with code i. */

static void
fork_some(pid_t *pids)
{
    int  i;

    unblock_signals();

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = t_fork_exit(i);
    }
}


/* Waits a second.  SIGCHLD can end each of the short waits. */

static void
wait_a_second(void)
{
    int  i;

    for (i = 0; i < 20; i++) {
        usleep(50000);
    }
}


/* Runs the function in a worker.  Returns the worker's pid when it has exited with 7. */

static pid_t
run_in_worker(ngx_spawn_proc_pt proc)
{
    pid_t  pid;

    t_init_signals();
    ngx_process = NGX_PROCESS_MASTER;

    pid = t_spawn(proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    T_EQ(WEXITSTATUS(t_wait(pid)), 7);

    t_close_slot(0);

    return pid;
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

    pid = run_in_worker(orphans_proc);

    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "unknown process "), CHILDREN);
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

    wait_a_second();

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
    (void) run_in_worker(waits_proc);
}


/*
 * A child exits a second after another one.  The event loop does not reap the first
 * child earlier for that, and when it has reaped the first child, the module can still
 * wait for the second one.
 */

static void
later_proc(ngx_cycle_t *cycle, void *data)
{
    int        status;
    pid_t      first, second;
    long long  start, later;

    unblock_signals();

    start = t_msec();
    first = t_fork_exit(1);

    wait_a_second();

    later = t_msec();
    second = t_fork_exit(2);

    while (kill(first, 0) == 0) {
        ngx_process_events_and_timers(cycle);
    }

    if (t_msec() - start < 1900) {
        _exit(3);
    }

    if (waitpid(second, &status, 0) == second) {
        _exit(WEXITSTATUS(status) == 2 ? 7 : 1);
    }

    /* on a machine that was busy meanwhile, both children are due */
    _exit(t_msec() - later > 1900 ? 7 : 2);
}


static void
test_later(void)
{
    (void) run_in_worker(later_proc);
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
