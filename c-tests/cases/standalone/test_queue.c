
/*
 * Control messages for a full channel wait in a queue, and are sent in order
 * (D14).
 */


#include "t_event.h"
#include "t_queue.h"

#include <sys/syscall.h>


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

    /* The timer of the queue expires and the event loop retries. */

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
 * The event loop waits until the channel has room, and does not wait for the
 * timer of the queue.
 */

static long long
round_takes(void)
{
    long long  start;

    start = t_now();
    ngx_process_events_and_timers(t_cycle());

    return t_now() - start;
}


static void
test_room(void)
{
    int        i;
    long long  least, ms;

    t_table_open();
    least = 100;

    for (i = 0; i < 5; i++) {

        /* the channel stays full, so only the timer ends the wait */

        T_EQ(t_tell_close(T_TO, 2), NGX_OK);
        T_OK(round_takes() >= 90);

        t_drain(T_TO);
        ms = round_takes();
        least = ms < least ? ms : least;
        t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);

        /* no message is queued: the next round starts with a full channel */

        t_fill_channel(ngx_processes[T_TO].channel[0]);
    }

    T_OK(least < 50);

    t_table_close();
}


/*
 * The socket has room, but the kernel refuses a message with a descriptor.
 * The event loop must not spin.
 */

static void
test_no_room_for_descriptors(void)
{
    t_table_open();
    t_need_seccomp();

    t_fail_syscall_arg(SYS_sendmsg, ETOOMANYREFS, 0,
                       (unsigned) ngx_processes[T_TO].channel[0]);
    t_drain(T_TO);

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    (void) round_takes();
    T_OK(round_takes() >= 90);
    T_OK(round_takes() >= 90);

    t_table_remove(T_TO);
    (void) round_takes();
    t_table_add(T_TO, T_FIRST_PID);

    t_table_close();
}


/*
 * The receiver does not read, and another process exits and is started again
 * many times.  The receiver's queue does not grow.
 */

static void
test_bounded(void)
{
    int                i;
    ngx_ipc_process_t  info;

    t_table_open();

    T_EQ(t_tell_close(T_TO, 2), NGX_OK);

    for (i = 0; i < 10000; i++) {
        t_table_remove(2);
        t_table_add(2, T_FIRST_PID + 100 + i);
        T_REQUIRE(t_tell_open(T_TO, 2) == NGX_OK);
        t_close_slot(2);
        T_REQUIRE(t_tell_about(T_TO, NGX_CMD_CLOSE_CHANNEL, 2,
                               T_FIRST_PID + 100 + i, -1)
                  == NGX_OK);
    }

    t_table_remove(2);
    t_table_add(2, T_FIRST_PID + 2);
    T_REQUIRE(t_tell_open(T_TO, 2) == NGX_OK);

    info.slot = T_TO - 1;
    T_REQUIRE(ngx_ipc_next_process(&info) == NGX_OK);
    T_OK(info.queued_max < 10);

    t_drain(T_TO);
    t_send_queues();
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect_nothing(T_TO);

    t_table_close();
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
    t_run("the queue is sent when the channel has room", test_room);
    t_run("a channel that has room only for messages without descriptors",
          test_no_room_for_descriptors);
    t_run("the queue has at most two messages about a slot", test_bounded);
    t_run("the queue is larger than the socket's buffer", test_more_than_fits);
    t_run("the counters of a channel", test_counters);

    return t_end();
}
