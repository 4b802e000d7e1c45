
/*
 * Tests of ngx_ipc_spawn_processes() when it cannot start or announce all
 * processes at once.
 */


#include "t_members.h"


/*
 * If the master has few descriptors left, it starts the processes in groups.
 */

static void
test_few_fds(void)
{
    t_members_begin(9);

    t_limit_fds(13);
    T_EQ(t_members_start(9), 9);
    t_more_fds();

    t_wait_for_answers(9);
    t_open_gate(9);
    t_wait_for_answers(9);
    t_members_check(9);

    T_OK(t_members[0].opens > 0);
    T_OK(t_members[0].messages < 8);
    T_EQ(t_members[8].open_fds, t_members[0].open_fds);

    t_members_end();
}


static void
test_no_fds(void)
{
    t_members_begin(1);

    t_no_more_fds();
    T_EQ(t_members_start(3), 0);
    t_more_fds();

    T_EQ(t_logged(NGX_LOG_ALERT, "socketpair() failed while spawning "
                  "\"member\" (24: Too many open files)"), 3);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[ngx_process_slot].pid, -1);

    t_members_end();
}


static void
test_no_fork(void)
{
    t_need_seccomp();
    t_members_begin(1);

    t_fail_fork(EAGAIN);
    T_EQ(t_members_start(3), 0);

    T_EQ(t_logged(NGX_LOG_ALERT, "fork() failed while spawning \"member\""),
         3);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[0].pid, -1);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_EQ(ngx_processes[2].channel[0], -1);

    t_members_end();
}


/* A process exits before the other processes have read that it was started. */

static void
test_one_has_gone(void)
{
    ngx_int_t  i;

    t_init_events();
    t_members_begin(4);
    T_EQ(t_members_start(5), 5);
    t_wait_for_answers(5);

    T_EQ(kill(ngx_processes[3].pid, SIGKILL), 0);

    while (!ngx_processes[3].exited) {
        ngx_process_events_and_timers(t_cycle());
    }

    ngx_processes[3].respawn = 0;
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(ngx_processes[3].pid, -1);

    t_open_gate(4);
    t_wait_for_answers(4);

    for (i = 0; i < 5; i++) {
        if (i == 3) {
            continue;
        }

        T_EQ(t_members[i].hellos, 3);
        T_EQ(t_members[i].wrong, 0);
        T_EQ(t_members[i].opens, 0);
        T_OK(t_members[i].pids[3] <= 0);
        T_EQ(t_members[i].open_fds, t_members[0].open_fds);
    }

    t_members_end();
}


/*
 * The writer of the log.  When the third process is started, it fills the
 * channel of the first process.
 */

static ngx_log_writer_pt  write_line;


static void
fill_first(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    ngx_channel_t  ch;

    write_line(log, level, buf, len);

    if (level != NGX_LOG_NOTICE || ngx_process_slot != 2
        || ngx_pid != getpid())
    {
        return;
    }

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = T_FILL;
    ch.fd = -1;

    while (send(ngx_processes[0].channel[0], &ch, sizeof(ngx_channel_t),
                MSG_DONTWAIT)
           == sizeof(ngx_channel_t))
    {
        /* void */
    }
}


/*
 * The channel of the first process is full when another process is announced.
 * The message is queued, so it is not lost (D14).
 */

static void
test_full_channel(void)
{
    struct pollfd  pfd;

    t_members_begin(5);

    write_line = t_log()->writer;
    t_log()->writer = fill_first;
    T_EQ(t_members_start(5), 5);
    t_log()->writer = write_line;

    t_wait_for_answers(5);
    t_open_gate(5);

    pfd.fd = t_answers[0];
    pfd.events = POLLIN;

    /*
     * The other four members wait for a greeting from the first member, which
     * reads the queued message first.
     */

    while (t_members[0].messages == 0 || poll(&pfd, 1, 0) == 0) {
        ngx_reap_children(t_cycle());
        (void) poll(&pfd, 1, 1);
    }

    t_wait_for_answers(5);

    /*
     * A greeting can arrive before the queued message that announces its
     * sender.  Then the sender is not yet in the table, which the member
     * counts as wrong.
     */

    t_members[0].wrong = 0;
    t_members_check(5);
    T_EQ(t_members[0].messages, 1);

    t_members_end();
}


int
main(void)
{
    t_begin();

    t_run("few descriptors: groups are started together", test_few_fds);
    t_run("no descriptors: no process is started", test_no_fds);
    t_run("fork() fails", test_no_fork);
    t_run("a process exits before another is told of it", test_one_has_gone);
    t_run("D14 the channel of the first process is full", test_full_channel);

    return t_end();
}
