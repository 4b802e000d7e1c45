
/*
 * Tests of queued messages whose receiver exits, or that are about a process
 * that exits.
 */


#include "t_queue.h"


static void
test_gone(void)
{
    t_table_open();

    T_EQ(t_tell_open(T_TO, T_ABOUT), NGX_OK);
    T_EQ(t_tell_close(T_TO, T_ABOUT), NGX_OK);
    t_table_remove(T_ABOUT);

    t_drain(T_TO);
    t_send_queues();
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, T_ABOUT, T_FIRST_PID + T_ABOUT);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_replaced(void)
{
    t_table_open();

    T_EQ(t_tell_open(T_TO, T_ABOUT), NGX_OK);
    T_EQ(t_tell_close(T_TO, T_ABOUT), NGX_OK);
    t_table_remove(T_ABOUT);
    t_table_add(T_ABOUT, T_FIRST_PID + 100);
    T_EQ(t_tell_open(T_TO, T_ABOUT), NGX_OK);

    /*
     * The new channel can have the descriptor number of the old one, which the
     * queued message was about.
     */

    t_drain(T_TO);
    t_send_queues();
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, T_ABOUT, T_FIRST_PID + T_ABOUT);
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, T_ABOUT, T_FIRST_PID + 100);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_dead(void)
{
    t_table_open();

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_table_remove(T_TO);
    t_table_add(T_TO, T_FIRST_PID + 100);

    t_send_queues();
    t_expect_nothing(T_TO);
    T_EQ(t_tell(T_TO, NGX_CMD_QUIT), NGX_OK);
    t_expect(T_TO, NGX_CMD_QUIT, 0, 0);
    t_expect_nothing(T_TO);
    t_expect_counters(T_TO, 0, 2, 2, 2);

    t_table_close();
}


static void
test_dead_and_next_waits(void)
{
    t_table_open();

    T_EQ(t_tell_close(T_TO, 1), NGX_OK);
    t_table_remove(T_TO);
    t_table_add(T_TO, T_FIRST_PID + 100);
    t_fill_channel(ngx_processes[T_TO].channel[0]);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);

    t_drain(T_TO);
    t_send_queues();
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_slot_empty(void)
{
    t_table_open();

    T_EQ(t_tell_close(T_TO, 1), NGX_OK);
    t_table_remove(T_TO);
    t_send_queues();

    t_table_add(T_TO, T_FIRST_PID);
    t_send_queues();
    t_expect_nothing(T_TO);
    t_expect_counters(T_TO, 0, 1, 1, 1);

    t_table_close();
}


/*
 * The receiver has closed its end of the channel, and the master has not
 * reaped it yet.
 */

static void
test_closed(void)
{
    t_table_open();

    T_EQ(t_tell_close(T_TO, 1), NGX_OK);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    close(t_peer[T_TO]);
    t_peer[T_TO] = -1;

    t_send_queues();
    t_send_queues();
    T_EQ(t_logged(NGX_LOG_INFO, "sendmsg() failed (32:"), 2);
    T_EQ(t_tell_close(T_TO, 3), NGX_ERROR);

    t_log_clear();
    t_table_close();
}


int
main(void)
{
    t_begin();

    t_run("a queued OPEN_CHANNEL of a process that has exited", test_gone);
    t_run("a queued OPEN_CHANNEL of a process that is replaced",
          test_replaced);
    t_run("a dead process's queue is dropped", test_dead);
    t_run("a dead process's queue, and that of its successor",
          test_dead_and_next_waits);
    t_run("the queue of an empty slot is dropped", test_slot_empty);
    t_run("the queue of a process that has closed its end", test_closed);

    return t_end();
}
