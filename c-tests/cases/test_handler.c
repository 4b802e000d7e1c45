
/*
 * Tests of ngx_channel_handler(): the commands, and the slots of other
 * processes.
 */


#include "t_handler.h"


static void
command(ngx_uint_t number, sig_atomic_t *flag)
{
    t_handler_open();

    t_handle(number, 0, 0, -1);

    T_EQ(ngx_quit, flag == &ngx_quit);
    T_EQ(ngx_terminate, flag == &ngx_terminate);
    T_EQ(ngx_reopen, flag == &ngx_reopen);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel handler"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: 32"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -2"), 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "channel command: %d", (int) number), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_quit(void)
{
    command(NGX_CMD_QUIT, &ngx_quit);
}


static void
test_terminate(void)
{
    command(NGX_CMD_TERMINATE, &ngx_terminate);
}


static void
test_reopen(void)
{
    command(NGX_CMD_REOPEN, &ngx_reopen);
}


static void
test_unknown(void)
{
    command(31, NULL);
}


static void
test_empty(void)
{
    t_handler_open();

    t_handle_channel(t_pair[1]);

    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -2"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel command"), 0);

    t_channel_close();
}


static void
test_several(void)
{
    t_handler_open();

    t_send_about(NGX_CMD_REOPEN, 0, 0, -1);
    t_send_about(NGX_CMD_QUIT, 0, 0, -1);
    t_send_about(NGX_CMD_TERMINATE, 0, 0, -1);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_reopen, 1);
    T_EQ(ngx_quit, 1);
    T_EQ(ngx_terminate, 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel handler"), 1);

    t_channel_close();
}


static void
test_eof(void)
{
    t_handler_open();

    t_send_about(NGX_CMD_REOPEN, 0, 0, -1);
    close(t_pair[0]);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_reopen, 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -1"), 1);
    T_OK(!t_is_open(t_pair[1]));
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_open(void)
{
    int  fd, got;

    t_handler_open();

    fd = t_some_fd();
    t_handle(NGX_CMD_OPEN_CHANNEL, T_OTHER_SLOT, 4321, fd);

    got = ngx_processes[T_OTHER_SLOT].channel[0];

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, 4321);
    T_OK(t_same_file(getpid(), fd, getpid(), got));
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "get channel s:%d pid:4321 fd:%d",
                   T_OTHER_SLOT, got), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    close(got);
    close(fd);
    t_channel_close();
}


static void
test_close(void)
{
    int  fd;

    t_handler_open();

    fd = t_open_slot(T_OTHER_SLOT, 4321);

    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);

    T_OK(!t_is_open(fd));
    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG,
                   "close channel s:%d pid:4321 our:4321 fd:%d", T_OTHER_SLOT,
                   fd), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_open_close_in_one(void)
{
    int  fd;

    t_handler_open();

    fd = t_some_fd();
    t_send_about(NGX_CMD_OPEN_CHANNEL, T_OTHER_SLOT, 4321, fd);
    t_send_about(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);
    t_send_about(NGX_CMD_OPEN_CHANNEL, T_OTHER_SLOT, 4322, fd);
    close(fd);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, 4322);
    T_OK(t_is_open(ngx_processes[T_OTHER_SLOT].channel[0]));

    close(ngx_processes[T_OTHER_SLOT].channel[0]);
    t_channel_close();
}


static void
test_last_slot(void)
{
    int  fd;

    t_handler_open();

    fd = t_open_slot(NGX_MAX_PROCESSES - 1, 4321);
    T_EQ(ngx_processes[NGX_MAX_PROCESSES - 1].pid, 4321);

    close(fd);
    t_channel_close();
}


/*
 * A message of another size than ngx_channel_t is dropped, and the channel
 * stays open (D13).
 */

static void
other_size(size_t size)
{
    char           bytes[64];
    ngx_channel_t  ch;

    t_handler_open();

    t_message(&ch, NGX_CMD_REOPEN, -1);
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, &ch, sizeof(ngx_channel_t));

    T_REQUIRE(t_send(t_pair[0], bytes, size, NULL, 0) == (ssize_t) size);
    t_handle_channel(t_pair[1]);
    T_EQ(ngx_reopen, 0);
    T_OK(t_is_open(t_pair[1]));

    t_handle(NGX_CMD_QUIT, 0, 0, -1);
    T_EQ(ngx_quit, 1);

    t_channel_close();
}


static void
test_empty_message(void)
{
    other_size(0);
}


static void
test_short_message(void)
{
    other_size(5);
}


static void
test_long_message(void)
{
    other_size(64);
}


int
main(void)
{
    t_begin();

    t_run("QUIT", test_quit);
    t_run("TERMINATE", test_terminate);
    t_run("REOPEN", test_reopen);
    t_run("a command of a module's", test_unknown);
    t_run("an empty channel", test_empty);
    t_run("several messages at once", test_several);
    t_run("an end of file closes the channel", test_eof);
    t_run("OPEN_CHANNEL", test_open);
    t_run("CLOSE_CHANNEL", test_close);
    t_run("OPEN, CLOSE and OPEN at once", test_open_close_in_one);
    t_run("OPEN_CHANNEL for the last slot", test_last_slot);
    t_run("D13 an empty message", test_empty_message);
    t_run("D13 a message of 5 bytes", test_short_message);
    t_run("D13 a message of 64 bytes", test_long_message);

    return t_end();
}
