
/* Tests of ngx_signal_worker_processes(), until the last worker has exited. */


#include "t_workers.h"


/*
 * Two workers exit together, as at each shutdown, and the master has reaped
 * only one of them.  When the master announces that this one has exited, the
 * other has closed its channel, which must not be logged as an alert.
 */

static void
closes_proc(ngx_cycle_t *cycle, void *data)
{
    volatile int  *closed = data;

    close(ngx_channel);
    *closed = 1;

    t_pause(cycle, NULL);
}


static void
test_exit_together(void)
{
    int   *closed;
    pid_t  pid[2];

    t_init_signals();

    closed = t_shared(sizeof(int));

    pid[0] = t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);
    pid[1] = t_spawn(closes_proc, closed, "worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[0] > 0 && pid[1] > 0);

    t_await(closed, 1);
    T_REQUIRE(kill(pid[0], SIGKILL) == 0);
    t_reap_slot(0);

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed"), 0);

    T_REQUIRE(kill(pid[1], SIGKILL) == 0);
    t_exited(pid[1]);
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed"), 0);
}


#if !(T_NGINX)

/* Tests of signals to all workers. */

static void
end_workers(int signo, const char *name, ngx_uint_t graceful)
{
    ngx_int_t  s;

    t_master_init();
    t_workers_start(3, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), signo);

    for (s = 0; s < 3; s++) {
        T_EQ(ngx_processes[s].exiting, 1);
    }

    t_wait_all_gone();

    T_EQ(t_exits(), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), graceful);
    T_EQ(t_logged(NGX_LOG_NOTICE, ": exiting"), 3);
    T_EQ(t_loggedf(T_ANY, "(%s) received", name), 0);
}


static void
test_terminate(void)
{
    /* A worker that terminates does not wait for its timer. */

    end_workers(SIGTERM, "SIGTERM", 0);
}


static void
test_quit(void)
{
    end_workers(SIGQUIT, "SIGQUIT", 3);
}


/* ngx_ipc_signal_role() signals the processes of one role, and no others. */

static void
test_role(void)
{
    ngx_ipc_process_t  p;

    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);
    T_REQUIRE(t_spawn(t_pause, NULL, "other process",
                      NGX_PROCESS_RESPAWN) > 0);

    ngx_ipc_signal_role(t_cycle(), SIGQUIT, NGX_PROCESS_HELPER);
    T_EQ(ngx_processes[0].exiting, 0);

    ngx_ipc_signal_role(t_cycle(), SIGQUIT, NGX_PROCESS_WORKER);

    T_EQ(ngx_processes[0].exiting, 1);
    T_EQ(ngx_processes[1].exiting, 1);
    T_EQ(ngx_processes[2].exiting, 0);

    T_UNTIL(ngx_processes[0].pid == -1 && ngx_processes[1].pid == -1);

    p.slot = -1;
    T_EQ(ngx_ipc_next_process(&p), NGX_OK);
    T_EQ(p.slot, 2);
    T_EQ(p.role, 0);
    T_EQ(p.state, NGX_IPC_RUNNING);
    T_EQ(ngx_ipc_next_process(&p), NGX_DECLINED);

    t_end_processes();
}


/*
 * A worker that shuts down gracefully waits for timers that are not
 * cancelable.
 */

static void
test_quit_waits(void)
{
    int  looks;

    t_master_init();
    t_workers_hold();

    looks = t_common->workers[0].looks;
    T_UNTIL(t_common->workers[0].looks > looks + 3);

    T_EQ(t_exits(), 0);
    T_EQ(t_live, 1);
    T_EQ(ngx_last_process, 2);

    /*
     * The master does not send QUIT a second time to a worker that is exiting.
     */

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    t_common->hold = 0;
    t_wait_all_gone();

    T_EQ(t_exits(), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 2);
}


/*
 * A worker that waits for a timer after QUIT exits at once when it gets
 * TERMINATE.
 */

static void
test_quit_then_terminate(void)
{
    t_master_init();
    t_workers_hold();

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    t_wait_all_gone();

    T_EQ(t_exits(), 2);
}


static void
test_reopen(void)
{
    ngx_pid_t  pid[2];

    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    pid[0] = ngx_processes[0].pid;
    pid[1] = ngx_processes[1].pid;

    ngx_signal_worker_processes(t_cycle(), SIGUSR1);

    T_UNTIL(t_logged_by(pid[0], NGX_LOG_NOTICE, "reopening logs")
            && t_logged_by(pid[1], NGX_LOG_NOTICE, "reopening logs"));

    T_EQ(ngx_processes[0].exiting, 0);
    T_EQ(ngx_processes[1].exiting, 0);
    T_EQ(ngx_processes[0].pid, pid[0]);
    T_EQ(t_logged(T_ANY, "(SIGUSR1) received"), 0);

    t_workers_stop();
}


/* A signal for which no command exists is sent with kill(). */

static void
test_other_signal(void)
{
    ngx_pid_t  pid[2];

    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    pid[0] = ngx_processes[0].pid;
    pid[1] = ngx_processes[1].pid;

    ngx_signal_worker_processes(t_cycle(), SIGKILL);
    T_EQ(ngx_processes[0].exiting, 1);
    t_wait_all_gone();

    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid[0]), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid[1]), 1);
    T_EQ(t_exits(), 0);
}


static void
test_without_channel(void)
{
    ngx_pid_t  pid;

    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    pid = ngx_processes[0].pid;
    ngx_close_channel(ngx_processes[0].channel, t_log());

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    t_wait_all_gone();

    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "signal 3 (SIGQUIT) received"), 1);
    T_EQ(t_logged(T_ANY, "(SIGQUIT) received"), 1);
    T_EQ(t_exits(), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


/*
 * A stopped worker does not read its channel.  When the channel is full, the
 * master sends the signal with kill().
 */

static void
test_full_channel(void)
{
    int            status, rounds;
    ngx_pid_t      pid;
    ngx_channel_t  ch;

    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    pid = ngx_processes[0].pid;
    T_REQUIRE(kill(pid, SIGSTOP) == 0);
    T_REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = 31;
    ch.fd = -1;

    while (ngx_write_channel(ngx_processes[0].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log())
           == NGX_OK)
    {
        /* void */
    }

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    T_REQUIRE(kill(pid, SIGCONT) == 0);
    t_wait_all_gone();

    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "signal 15 (SIGTERM) received"), 1);
    T_EQ(t_exits(), 2);

    /* in its next round, the event loop no longer watches the full channel */

    rounds = 0;
    T_UNTIL(rounds++ == 1);
}


/* The pids of these slots must not be passed to kill(). */

static void
test_no_process(void)
{
    ngx_int_t  s;
    pid_t      pid;

    t_master_init();

    pid = t_fork_exit(0);
    t_wait(pid);

    for (s = 0; s < 4; s++) {
        ngx_processes[s].channel[0] = -1;
        ngx_processes[s].channel[1] = -1;
    }

    ngx_processes[0].pid = -1;
    ngx_processes[1].pid = 0;
    ngx_processes[2].pid = pid;
    ngx_processes[2].exited = 1;
    ngx_processes[3].pid = getpid();
    ngx_processes[3].detached = 1;
    ngx_last_process = 4;

    /*
     * kill(-1) would signal all processes of the user.  So the test uses
     * SIGWINCH, which processes ignore by default.
     */

    ngx_signal_worker_processes(t_cycle(), SIGWINCH);

    T_EQ(t_logged(NGX_LOG_DEBUG, "kill ("), 0);
    T_EQ(t_logged(T_ANY, "(SIGWINCH) received"), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
    T_EQ(ngx_processes[3].exiting, 0);

    /*
     * A process that has exited gets no signal.  It is marked as exiting, so
     * that the master does not respawn it.
     */

    T_EQ(ngx_processes[2].exiting, 1);

    ngx_last_process = 0;
}

#endif


int
main(void)
{
    t_begin();

    t_run("workers that exit together", test_exit_together);

#if !(T_NGINX)

    t_run("workers are terminated", test_terminate);
    t_run("workers quit", test_quit);
    t_run("workers that quit wait for timers", test_quit_waits);
    t_run("workers that wait for timers are terminated",
          test_quit_then_terminate);
    t_run("workers reopen logs", test_reopen);
    t_run("workers are killed", test_other_signal);
    t_run("processes of one role get a signal", test_role);
    t_run("a worker without a channel gets the signal", test_without_channel);
    t_run("a worker whose channel is full gets the signal",
          test_full_channel);
    t_run("processes that are no workers get no signal", test_no_process);

#endif

    return t_end();
}
