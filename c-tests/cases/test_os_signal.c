
/* Tests of ngx_os_signal_process(). */


#include "test.h"

#include <limits.h>


static void
os_signal(char *name, int signo)
{
    sigset_t         set;
    struct timespec  ts;

    memset(&ts, 0, sizeof(struct timespec));

    T_EQ(ngx_os_signal_process(t_cycle(), name, getpid()), 0);

    sigfillset(&set);
    T_EQ(sigtimedwait(&set, NULL, &ts), signo);
    T_EQ(sigtimedwait(&set, NULL, &ts), -1);
}


static void
test_os_signal(void)
{
    t_block_all();

    os_signal("reload", SIGHUP);
    os_signal("reopen", SIGUSR1);
    os_signal("stop", SIGTERM);
    os_signal("quit", SIGQUIT);

    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_os_signal_unknown(void)
{
    sigset_t         set;
    struct timespec  ts;

    t_block_all();

    T_EQ(ngx_os_signal_process(t_cycle(), "unknown", getpid()), 1);
    T_EQ(ngx_os_signal_process(t_cycle(), "RELOAD", getpid()), 1);
    T_EQ(ngx_os_signal_process(t_cycle(), "reloa", getpid()), 1);
    T_EQ(ngx_os_signal_process(t_cycle(), "reload ", getpid()), 1);
    T_EQ(t_logged(T_ANY, ""), 0);

    sigfillset(&set);
    memset(&ts, 0, sizeof(struct timespec));
    T_EQ(sigtimedwait(&set, NULL, &ts), -1);
}


static void
test_os_signal_dead(void)
{
    pid_t  pid;

    pid = t_fork_exit(0);
    t_wait(pid);

    T_EQ(ngx_os_signal_process(t_cycle(), "reload", pid), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "kill(%d, 1) failed (3: No such process)",
                   (int) pid), 1);

    T_EQ(ngx_os_signal_process(t_cycle(), "stop", pid), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "kill(%d, 15) failed (3: No such process)",
                   (int) pid), 1);
}


/* kill(0) and kill(-1) would reach other processes than a master. */

static void
test_os_signal_group(void)
{
    size_t           i;
    sigset_t         set;
    struct timespec  ts;
    static pid_t     pids[] = { 0, -1, INT_MIN };

    t_block_all();

    /* the processes of the case are a group, and -1 must not reach others */

    T_REQUIRE(getpgrp() == getpid());

    for (i = 0; i < t_nitems(pids); i++) {
        T_EQ(ngx_os_signal_process(t_cycle(), "stop", pids[i]), 1);
        T_EQ(t_loggedf(NGX_LOG_ALERT, "kill(%d, 15) refused", (int) pids[i]),
             1);
    }

    sigfillset(&set);
    memset(&ts, 0, sizeof(struct timespec));
    T_EQ(sigtimedwait(&set, NULL, &ts), -1);
}


int
main(void)
{
    t_begin();

    t_run("ngx_os_signal_process()", test_os_signal);
    t_run("ngx_os_signal_process() with an unknown name",
          test_os_signal_unknown);
    t_run("ngx_os_signal_process() to a dead process", test_os_signal_dead);
    t_run("X ngx_os_signal_process() to a group", test_os_signal_group);

    return t_end();
}
