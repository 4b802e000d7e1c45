
/*
 * Tests of a child's queue of control messages.  A child begins with an empty
 * queue, and does not send the messages that its parent has queued.
 */


#include "t_queue.h"

#include <stdio.h>


typedef struct {
    int        step;
    ngx_int_t  rc;
} t_child_t;


static volatile t_child_t  *child;


/*
 * Fills a channel with sendmsg(), because ngx_write_channel() would first send
 * the queued messages.
 */

static void
fill_past_queue(int s)
{
    ngx_channel_t  ch;

    t_message(&ch, T_FILLER, -1);

    while (t_send(s, &ch, sizeof(ngx_channel_t), NULL, 0) == 32) {
        /* void */
    }

    T_REQUIRE(errno == EAGAIN);
}


static ngx_int_t
tell_close(ngx_int_t to, ngx_int_t slot)
{
    return t_tell_about(to, NGX_CMD_CLOSE_CHANNEL, slot, 12345, -1);
}


static void
expect_close(ngx_int_t to, ngx_int_t slot)
{
    t_expect(to, NGX_CMD_CLOSE_CHANNEL, slot, 12345);
}


/*
 * Creates process 0, whose channel is full, and queues a message for it.  The
 * test reads the other end of the channel.
 */

static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));

    t_init_events();
    t_table_add(0, T_FIRST_PID);

    t_fill_channel(ngx_processes[0].channel[0]);
    T_EQ(tell_close(0, 555), NGX_OK);
}


static void
finish(void)
{
    t_reap_slot(1);
    T_EQ(ngx_processes[1].status, 0);
    t_end_process(1);

    t_table_remove(0);
}


/*
 * The function of a child that twice calls ngx_reap_children(), which sends
 * queued messages.  The child has none, so nothing is sent.
 */

static void
send_proc(ngx_cycle_t *cycle, void *data)
{
    t_await(&child->step, 1);

    (void) ngx_reap_children(cycle);
    child->rc = tell_close(0, 77);

    (void) ngx_reap_children(cycle);

    child->step = 2;
    t_await(&child->step, 3);
    _exit(0);
}


static void
test_queue(void)
{
    setup();

    t_spawn(send_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    t_drain(0);
    child->step = 1;
    t_await(&child->step, 2);

    T_EQ(child->rc, NGX_OK);
    expect_close(0, 77);
    t_expect_nothing(0);

    /* The message is still in the parent's queue, and is sent once. */

    T_EQ(ngx_reap_children(t_cycle()), 1);
    expect_close(0, 555);
    t_expect_nothing(0);

    child->step = 3;
    finish();
}


/*
 * The function of a child that queues a message, and sends it when the channel
 * has room.
 */

static void
queue_proc(ngx_cycle_t *cycle, void *data)
{
    child->rc = tell_close((intptr_t) data, 66);
    child->step = 1;

    t_await(&child->step, 2);
    (void) ngx_reap_children(cycle);

    child->step = 3;
    t_await(&child->step, 4);
    _exit(0);
}


static void
test_queue_of_child(void)
{
    setup();

    t_spawn(queue_proc, (void *) 0, "worker", NGX_PROCESS_NORESPAWN);

    t_await(&child->step, 1);
    T_EQ(child->rc, NGX_OK);

    t_drain(0);
    t_expect_nothing(0);
    child->step = 2;
    t_await(&child->step, 3);

    expect_close(0, 66);
    t_expect_nothing(0);
    T_EQ(ngx_reap_children(t_cycle()), 1);
    expect_close(0, 555);
    t_expect_nothing(0);

    child->step = 4;
    finish();
}


/*
 * A child is forked while its parent sends queued messages.  The child can
 * queue and send messages of its own.
 */

static ngx_log_t    fork_log;
static ngx_cycle_t  fork_cycle;
static ngx_uint_t   forked;


static void
fork_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    char  line[512];

    snprintf(line, sizeof(line), "%.*s", (int) len, (char *) buf);

    if (strstr(line, "sendmsg() failed") == NULL || forked++) {
        return;
    }

    t_spawn(queue_proc, (void *) 1, "worker", NGX_PROCESS_NORESPAWN);
}


static void
test_forked_in_flush(void)
{
    setup();
    t_table_add(1, T_FIRST_PID + 1);

    fork_log.log_level = NGX_LOG_INFO;
    fork_log.writer = fork_writer;
    fork_cycle.log = &fork_log;

    /*
     * The other end of process 0's channel is closed, so sending the queued
     * message fails and logs a line.  The writer of the log forks the child.
     */

    close(t_peer[0]);
    t_peer[0] = -1;
    fill_past_queue(ngx_processes[1].channel[0]);

    T_EQ(ngx_reap_children(&fork_cycle), 1);
    T_EQ(forked, 1);

    t_await(&child->step, 1);
    T_EQ(child->rc, NGX_OK);

    t_drain(1);
    child->step = 2;
    t_await(&child->step, 3);
    expect_close(1, 66);
    t_expect_nothing(1);

    child->step = 4;
    t_reap_slot(2);
    T_EQ(ngx_processes[2].status, 0);
    t_end_process(2);

    t_table_remove(0);
    t_table_remove(1);
}


int
main(void)
{
    t_begin();

    t_run("a child does not send its parent's queue", test_queue);
    t_run("a child has its own queue", test_queue_of_child);
    t_run("a child that is forked while queues are sent",
          test_forked_in_flush);

    return t_end();
}
