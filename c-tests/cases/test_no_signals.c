
/*
 * Tests of programs that start processes and do not call ngx_init_signals():
 * starting a process must not cause a signal that the program does not expect.
 */


#include "test.h"

#include <time.h>


#define CHILDREN  30


/*
 * The harness handles SIGIO, so this resets SIGIO to its default action, as in
 * a program that does not handle SIGIO.
 */

static void
forget_sigio(void)
{
    signal(SIGIO, SIG_DFL);
}


static void
end_slot(pid_t pid)
{
    T_EQ(t_wait(pid), 0);
    t_close_slot(ngx_process_slot);
    ngx_processes[ngx_process_slot].pid = -1;
}


/* The default action of SIGIO would terminate the program. */

static void
test_child_exits(void)
{
    int    i;
    pid_t  pid;

    forget_sigio();

    for (i = 0; i < CHILDREN; i++) {
        pid = t_spawn(t_exit_proc, NULL, "process", NGX_PROCESS_NORESPAWN);
        T_OK(pid > 0);
        end_slot(pid);
    }

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


/*
 * The program waits for SIGCHLD with sigtimedwait(2).  A signal that it
 * handles would interrupt the call.
 */

static void
test_sigtimedwait(void)
{
    int              i, interrupted;
    pid_t            pid;
    sigset_t         set;
    siginfo_t        info;
    struct timespec  limit = { 10, 0 };

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    interrupted = 0;

    for (i = 0; i < CHILDREN; i++) {
        pid = t_spawn(t_exit_proc, NULL, "process", NGX_PROCESS_NORESPAWN);

        while (sigtimedwait(&set, &info, &limit) == -1) {
            T_REQUIRE(errno == EINTR);
            interrupted++;
        }

        T_EQ(info.si_pid, pid);
        end_slot(pid);
    }

    T_EQ(interrupted, 0);
}


/* The program's own handlers and its mask stay as they are. */

static void
own_handler(int signo)
{
}


static void
test_own_handlers(void)
{
    int               signo;
    pid_t             pid;
    sigset_t          before, after;
    struct sigaction  sa;

    signal(SIGCHLD, own_handler);
    signal(SIGPIPE, own_handler);
    signal(SIGALRM, own_handler);
    forget_sigio();

    sigprocmask(SIG_SETMASK, NULL, &before);
    pid = t_spawn(t_exit_proc, NULL, "process", NGX_PROCESS_RESPAWN);
    end_slot(pid);
    sigprocmask(SIG_SETMASK, NULL, &after);

    for (signo = 1; signo < 32; signo++) {
        T_EQ(sigismember(&before, signo), sigismember(&after, signo));
        T_EQ(sigaction(signo, NULL, &sa), 0);

        if (signo == SIGCHLD || signo == SIGPIPE || signo == SIGALRM) {
            T_OK(sa.sa_handler == own_handler);

        } else {
            T_OK(sa.sa_handler == SIG_DFL);
        }
    }
}


int
main(void)
{
    t_begin();

    t_run("a child exits in a program without ngx_init_signals()",
          test_child_exits);
    t_run("sigtimedwait() is not interrupted", test_sigtimedwait);
    t_run("the handlers of a program stay", test_own_handlers);

    return t_end();
}
