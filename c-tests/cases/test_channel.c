
/* Tests of ngx_write_channel(), ngx_read_channel() and ngx_close_channel(). */


#include "t_channel.h"

#include <stdio.h>


#define T_MANY  100


/* Tests with messages that are sent and received whole. */

static void
test_round_trip(void)
{
    ngx_channel_t  in, out;

    t_channel_open();

    t_message(&out, NGX_CMD_QUIT, -1);
    memset(&in, 0x55, sizeof(ngx_channel_t));

    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_unread(t_pair[1]), 32);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(in.pid, 12345);
    T_EQ(in.slot, 7);
    T_EQ(in.fd, -1);
    T_EQ(t_logged(T_ANY, ""), 0);

    t_channel_close();
}


static void
test_large_struct(void)
{
    size_t       i;
    t_message_t  in, out;

    t_channel_open();

    t_message(&out.ch, 49, -1);

    for (i = 0; i < sizeof(out.data); i++) {
        out.data[i] = (char) (i * 7);
    }

    memset(&in, 0, sizeof(t_message_t));

    T_EQ(ngx_write_channel(t_pair[0], &out.ch, sizeof(t_message_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         256);
    T_EQ(in.ch.command, 49);
    T_EQ(in.ch.slot, 7);
    T_OK(memcmp(in.data, out.data, sizeof(in.data)) == 0);

    t_channel_close();
}


static void
test_own_commands(void)
{
    size_t               i;
    ngx_channel_t        in, out;
    static ngx_uint_t    commands[] = { 0, 31, 49, 50, 51, 52, 1000000 };

    t_channel_open();

    for (i = 0; i < t_nitems(commands); i++) {
        t_message(&out, commands[i], -1);
        T_EQ(t_put(&out), NGX_OK);
    }

    for (i = 0; i < t_nitems(commands); i++) {
        T_EQ(t_get(&in), 32);
        T_EQ(in.command, commands[i]);
    }

    t_channel_close();
}


static void
test_both_ways(void)
{
    ngx_channel_t  in, out;

    t_channel_open();

    t_message(&out, NGX_CMD_REOPEN, -1);

    T_EQ(ngx_write_channel(t_pair[1], &out, sizeof(ngx_channel_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[0], &in, sizeof(ngx_channel_t), t_log()),
         32);
    T_EQ(in.command, NGX_CMD_REOPEN);

    t_channel_close();
}


static void
test_order(void)
{
    ngx_int_t      i, n;
    ngx_channel_t  in, out;

    t_channel_open();

    for (n = 0; n < T_MANY; n++) {
        t_message(&out, 31, -1);
        out.slot = n;
        T_REQUIRE(t_put(&out) == NGX_OK);
    }

    for (i = 0; i < n; i++) {
        T_REQUIRE(t_get(&in) == 32);
        T_EQ(in.slot, i);
    }

    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


static void
test_blocking_socket(void)
{
    int            status;
    pid_t          pid;
    ngx_channel_t  in, out;

    t_channel_open();

    T_REQUIRE(fcntl(t_pair[1], F_SETFL, 0) == 0);

    pid = fork();

    if (pid == 0) {
        t_message(&out, NGX_CMD_QUIT, -1);
        _exit(t_put(&out) == NGX_OK ? 0 : 1);
    }

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);

    status = t_wait(pid);
    T_EQ(status, 0);

    t_channel_close();
}


/*
 * Tests with an empty channel, a full channel, and a channel whose other end
 * is closed.
 */

static void
test_empty(void)
{
    ngx_channel_t  in;

    t_channel_open();

    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_logged(T_ANY, ""), 0);

    t_channel_close();
}


static void
test_full(void)
{
    ngx_int_t      i, n, rc;
    ngx_channel_t  in, out;

    t_channel_open();

    for (n = 0; /* void */ ; n++) {
        t_message(&out, 31, -1);
        out.slot = n;

        rc = t_put(&out);

        if (rc != NGX_OK) {
            break;
        }
    }

    T_EQ(rc, NGX_AGAIN);
    T_OK(n > 100);
    T_EQ(t_logged(T_ANY, ""), 0);

    for (i = 0; i < n; i++) {
        T_REQUIRE(t_get(&in) == 32);
        T_EQ(in.slot, i);
    }

    /*
     * The message that did not fit in the channel was not sent.  After a read
     * the channel has room for a message again.
     */

    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_get(&in), 32);

    t_channel_close();
}


static void
test_not_in_table(void)
{
    int            fd;
    ngx_channel_t  ch;

    t_channel_open();
    t_fill_channel(t_pair[0]);

    fd = t_some_fd();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, fd);
    T_EQ(t_put(&ch), NGX_AGAIN);

    t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
    T_EQ(t_put(&ch), NGX_AGAIN);

    do {
        T_REQUIRE(t_get(&ch) == 32);
    } while (t_unread(t_pair[1]) > 0);

    /*
     * ngx_write_channel() has queued none of the messages that did not fit, so
     * only the message that is written now arrives.
     */

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&ch), NGX_OK);
    T_EQ(t_get(&ch), 32);
    T_EQ(ch.command, NGX_CMD_QUIT);
    T_EQ(t_get(&ch), NGX_AGAIN);

    close(fd);
    t_channel_close();
}


static void
test_eof(void)
{
    ngx_channel_t  in;

    t_channel_open();

    close(t_pair[0]);

    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_DEBUG, "recvmsg() returned zero"), 1);
    T_EQ(t_logged(T_ANY, ""), 1);

    close(t_pair[1]);
}


static void
test_eof_after_message(void)
{
    ngx_channel_t  in, out;

    t_channel_open();

    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);
    close(t_pair[0]);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_DEBUG, "recvmsg() returned zero"), 1);

    close(t_pair[1]);
}


static void
test_eof_is_not_logged_without_debug(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_log()->log_level = NGX_LOG_INFO;
    close(t_pair[0]);

    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(T_ANY, ""), 0);

    close(t_pair[1]);
}


static void
test_peer_closed(void)
{
    ngx_channel_t  out;

    t_channel_open();

    signal(SIGPIPE, SIG_IGN);
    close(t_pair[1]);
    t_message(&out, NGX_CMD_QUIT, -1);

    T_EQ(t_put(&out), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed (32: Broken pipe)"), 1);

    close(t_pair[0]);
}


static void
test_no_sigpipe(void)
{
    ngx_channel_t  out;

    t_channel_open();

    close(t_pair[1]);
    t_message(&out, NGX_CMD_QUIT, -1);

    T_EQ(t_put(&out), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed (32: Broken pipe)"), 1);

    close(t_pair[0]);
}


/* Tests with descriptors that are not channels. */

static void
bad_channel(ngx_fd_t fd, const char *error)
{
    ngx_channel_t  ch;

    t_message(&ch, NGX_CMD_QUIT, -1);

    T_EQ(ngx_write_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "sendmsg() failed (%s", error), 1);

    T_EQ(ngx_read_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "recvmsg() failed (%s", error), 1);
}


static void
test_closed_fd(void)
{
    int  fd;

    fd = t_some_fd();
    close(fd);

    bad_channel(fd, "9: Bad file descriptor)");
}


static void
test_minus_one(void)
{
    bad_channel(-1, "9: Bad file descriptor)");
}


static void
test_regular_file(void)
{
    FILE  *f;

    f = tmpfile();
    T_REQUIRE(f != NULL);

    bad_channel(fileno(f), "88: Socket operation on non-socket)");

    fclose(f);
}


/* Tests of ngx_close_channel(). */

static void
test_close(void)
{
    int  n;

    n = t_open_fds();
    t_channel_open();

    ngx_close_channel(t_pair, t_log());

    T_EQ(t_open_fds(), n);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_close_closed(void)
{
    t_channel_open();

    close(t_pair[0]);
    ngx_close_channel(t_pair, t_log());

    T_OK(!t_is_open(t_pair[1]));
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "close() channel failed (9: Bad file descriptor)"), 1);
}


static void
test_close_minus_one(void)
{
    t_channel_open();

    close(t_pair[1]);
    t_pair[1] = -1;
    ngx_close_channel(t_pair, t_log());

    T_OK(!t_is_open(t_pair[0]));
    T_EQ(t_logged(T_ANY, ""), 0);
}


int
main(void)
{
    t_begin();

    t_run("a message of 32 bytes arrives unchanged", test_round_trip);
    t_run("a struct of 256 bytes arrives unchanged", test_large_struct);
    t_run("commands of a module's own arrive", test_own_commands);
    t_run("a channel works both ways", test_both_ways);
    t_run("messages keep their order", test_order);
    t_run("a blocking socket waits for a message", test_blocking_socket);
    t_run("an empty channel is NGX_AGAIN", test_empty);
    t_run("a full channel is NGX_AGAIN", test_full);
    t_run("no message is queued for a socket that is not in the table",
          test_not_in_table);
    t_run("an end of file is NGX_ERROR", test_eof);
    t_run("an end of file after a message", test_eof_after_message);
    t_run("an end of file is logged only with debug",
          test_eof_is_not_logged_without_debug);
    t_run("a write to a closed peer is NGX_ERROR", test_peer_closed);
    t_run("D19 a write to a closed peer raises no SIGPIPE", test_no_sigpipe);
    t_run("a closed descriptor as channel", test_closed_fd);
    t_run("descriptor -1 as channel", test_minus_one);
    t_run("a regular file as channel", test_regular_file);
    t_run("ngx_close_channel() closes both ends", test_close);
    t_run("ngx_close_channel() of a closed end", test_close_closed);
    t_run("D10 ngx_close_channel() leaves -1 alone", test_close_minus_one);

    return t_end();
}
