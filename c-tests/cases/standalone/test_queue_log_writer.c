
/*
 * Tests of a log whose writer sends control messages while the library sends
 * its queues.
 */


#include "t_queue.h"

#include <stdio.h>


static ngx_log_t    own_log;
static ngx_cycle_t  own_cycle;
static ngx_int_t    wrote[3];
static ngx_uint_t   written;


static int
has_text(const u_char *buf, size_t len, const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "%.*s", (int) len, (const char *) buf);

    return strstr(line, text) != NULL;
}


static void
own_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (!has_text(buf, len, "sendmsg() failed") || written++) {
        return;
    }

    wrote[0] = t_tell(T_TO, NGX_CMD_QUIT);
    wrote[1] = t_tell_close(T_TO, 3);
    wrote[2] = t_tell(2, NGX_CMD_REOPEN);
}


static void
test_writer_in_flush(void)
{
    t_table_open();

    own_log.log_level = NGX_LOG_INFO;
    own_log.writer = own_writer;
    own_cycle.log = &own_log;

    /*
     * The channel of process 1 is closed, so sending the message fails and
     * logs a line.  The writer of the log is called for this line.
     */

    t_fill_channel(ngx_processes[T_ABOUT].channel[0]);
    T_EQ(t_tell_close(T_ABOUT, 2), NGX_OK);
    T_EQ(t_tell_open(T_TO, 2), NGX_OK);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);

    close(t_peer[T_ABOUT]);
    t_peer[T_ABOUT] = -1;
    t_drain(T_TO);

    T_EQ(ngx_reap_children(&own_cycle), 1);
    T_EQ(written, 1);
    T_EQ(wrote[0], NGX_AGAIN);
    T_EQ(wrote[1], NGX_OK);

    T_EQ(ngx_reap_children(&own_cycle), 1);
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 3, T_FIRST_PID + 3);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
queue_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (!has_text(buf, len, "waits for s:") || written++) {
        return;
    }

    wrote[0] = t_tell_close(T_TO, 3);
}


/*
 * The library logs a debug line when it queues a message.  The log writer
 * queues another message when it gets this line.
 */

static void
test_writer_while_queueing(void)
{
    ngx_channel_t  ch;

    t_table_open();

    own_log.log_level = NGX_LOG_DEBUG_ALL;
    own_log.writer = queue_writer;

    t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
    ch.slot = 2;

    T_EQ(ngx_write_channel(ngx_processes[T_TO].channel[0], &ch,
                           sizeof(ngx_channel_t), &own_log),
         NGX_OK);
    T_EQ(written, 1);
    T_EQ(wrote[0], NGX_OK);

    t_drain(T_TO);
    t_send_queues();
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, 12345);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 3, T_FIRST_PID + 3);
    t_expect_nothing(T_TO);

    t_table_close();
}


int
main(void)
{
    t_begin();

    t_run("a log writer sends a message while queues are sent",
          test_writer_in_flush);
    t_run("a log writer sends a message while one is queued",
          test_writer_while_queueing);

    return t_end();
}
