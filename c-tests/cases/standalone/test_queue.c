
/*
 * Control messages for a full channel wait in a queue, and are sent in order
 * (D14).
 */


#include "t_queue.h"


static void
test_wait(void)
{
    int  before;

    t_table_open();

    before = t_unread(t_peer[T_TO]);

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    T_EQ(t_tell_open(T_TO, 3), NGX_OK);
    T_EQ(t_unread(t_peer[T_TO]), before);

    /* While the channel is full, the messages stay in the queue. */

    t_send_queues();
    T_EQ(t_unread(t_peer[T_TO]), before);

    t_drain(T_TO);
    t_expect_nothing(T_TO);

    t_send_queues();
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 1, T_FIRST_PID + 1);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 3, T_FIRST_PID + 3);

    t_send_queues();
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_loop(void)
{
    t_table_open();

    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_drain(T_TO);

    /*
     * The timer of the queue expires and the event loop retries, although the
     * kernel has sent no SIGIO.
     */

    ngx_process_events_and_timers(t_cycle());
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);

    t_table_close();
}


static void
test_next_write(void)
{
    t_table_open();

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_drain(T_TO);

    T_EQ(t_tell(T_TO, NGX_CMD_QUIT), NGX_OK);
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 1, T_FIRST_PID + 1);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect(T_TO, NGX_CMD_QUIT, 0, 0);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_write_to_another(void)
{
    t_table_open();

    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    T_EQ(t_tell(3, NGX_CMD_QUIT), NGX_OK);
    t_expect(3, NGX_CMD_QUIT, 0, 0);

    t_drain(T_TO);
    T_EQ(t_tell(3, NGX_CMD_REOPEN), NGX_OK);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);

    t_table_close();
}


static void
test_more_than_fits(void)
{
    int  i, n, turns;

    t_table_open();

    /*
     * The queue has more messages than fit in the channel at once, so several
     * calls are needed to send them.
     */

    n = 3 * t_unread(t_peer[T_TO]) / 32;

    for (i = 0; i < n; i++) {
        T_REQUIRE(t_tell_about(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, i, -1)
                  == NGX_OK);
    }

    t_drain(T_TO);
    turns = 0;

    for (i = 0; i < n; i++) {

        if (t_unread(t_peer[T_TO]) == 0) {
            t_send_queues();
            turns++;
        }

        t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, i);
    }

    T_OK(turns > 1);
    t_send_queues();
    t_expect_nothing(T_TO);
    t_expect_counters(T_TO, n, n, n, 0);

    t_table_close();
}


static void
test_counters(void)
{
    t_table_open();

    t_expect_counters(T_TO, 0, 0, 0, 0);

    T_EQ(t_tell_close(3, 1), NGX_OK);
    T_EQ(t_tell_open(3, 1), NGX_OK);
    T_EQ(t_tell(3, NGX_CMD_REOPEN), NGX_OK);
    t_expect_counters(3, 2, 0, 0, 0);

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    t_expect_counters(T_TO, 0, 1, 1, 0);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_expect_counters(T_TO, 0, 2, 2, 0);

    t_drain(T_TO);
    t_send_queues();
    t_expect_counters(T_TO, 2, 2, 2, 0);

    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 1, T_FIRST_PID + 1);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_fill_channel(ngx_processes[T_TO].channel[0]);
    T_EQ(t_tell_close(T_TO, 3), NGX_OK);
    t_expect_counters(T_TO, 2, 3, 2, 0);
    t_expect_counters(3, 2, 0, 0, 0);

    t_table_close();
}


/*
 * Reads messages in a child.  The kernel then sends SIGIO to the parent,
 * because the parent's end of the channel can be written to again.
 */

static volatile int  *step;


static void
read_proc(ngx_cycle_t *cycle, void *data)
{
    ssize_t        n;
    ngx_channel_t  ch;

    while (*step == 0) {
        sched_yield();
    }

    for ( ;; ) {
        if (!t_readable(ngx_channel)) {
            _exit(1);
        }

        n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                             cycle->log);

        if (n == 32 && ch.command == NGX_CMD_CLOSE_CHANNEL) {
            _exit(ch.slot == 77 ? 0 : 2);
        }

        if (n == NGX_ERROR) {
            _exit(3);
        }
    }
}


static void
test_sigio(void)
{
    sigset_t  set, empty;

    step = t_shared(sizeof(int));

    t_init_signals();
    t_spawn(read_proc, NULL, "reader", NGX_PROCESS_NORESPAWN);

    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGCHLD);

    t_fill_channel(ngx_processes[0].channel[0]);
    T_EQ(t_tell_about(0, NGX_CMD_CLOSE_CHANNEL, 77, 4321, -1), NGX_OK);

    sigprocmask(SIG_BLOCK, &set, NULL);
    ngx_sigio = 0;
    *step = 1;

    while (!ngx_sigio) {
        sigsuspend(&empty);
    }

    (void) ngx_reap_children(t_cycle());

    while (!ngx_processes[0].exited) {
        sigsuspend(&empty);

        if (ngx_sigio) {
            ngx_sigio = 0;
            (void) ngx_reap_children(t_cycle());
        }
    }

    T_OK(WIFEXITED(ngx_processes[0].status));
    T_EQ(WEXITSTATUS(ngx_processes[0].status), 0);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("OPEN_CHANNEL and CLOSE_CHANNEL are queued in order", test_wait);
    t_run("the queue is sent by the event loop", test_loop);
    t_run("the queue is sent before the next message", test_next_write);
    t_run("the queue is sent before a message to another process",
          test_write_to_another);
    t_run("the queue is sent at SIGIO", test_sigio);
    t_run("the queue is larger than the socket's buffer", test_more_than_fits);
    t_run("the counters of a channel", test_counters);

    return t_end();
}
