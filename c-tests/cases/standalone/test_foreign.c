
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


int
main(void)
{
    t_begin();

    t_run("D7 children that no code waits for are reaped", test_orphans);
    t_run("D7 a module waits for its children a second later", test_waits);

    return t_end();
}
