
/*
 * Tests with messages that arrive in pieces, and with messages that do not fit
 * in a channel.
 */


#include "t_channel.h"


/*
 * A message arrives in two pieces.  ngx_read_channel() keeps the first piece
 * until it has read the rest (D13, D15).
 */

static void
test_short(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_put_raw(NGX_CMD_REOPEN, 5, 27, NULL, 0);

    /*
     * The caller of ngx_read_channel() can pass another buffer to the next
     * call, so the first piece must not be only in the buffer of the previous
     * call.
     */

    memset(&in, 0x55, sizeof(ngx_channel_t));
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_REOPEN);
    T_EQ(in.pid, 12345);
    T_EQ(in.slot, 7);
    T_EQ(in.fd, -1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_short_byte_by_byte(void)
{
    size_t         i;
    ngx_channel_t  in;

    t_channel_open();

    for (i = 0; i < 32; i++) {
        T_REQUIRE(t_get(&in) == NGX_AGAIN);
        t_put_raw(NGX_CMD_TERMINATE, i, 1, NULL, 0);
    }

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_TERMINATE);
    T_EQ(in.slot, 7);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


static void
test_short_then_more(void)
{
    ngx_channel_t  in;

    t_channel_open();

    /* The rest of a message arrives together with the next message. */

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_put_raw(NGX_CMD_REOPEN, 5, 27, NULL, 0);
    t_put_raw(NGX_CMD_QUIT, 0, 32, NULL, 0);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_REOPEN);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


/*
 * Sends a message in two pieces.  "nfirst" descriptors arrive with the first
 * piece, and "nrest" with the second.
 */

static void
short_with_fd(size_t first, const int *fd, size_t nfirst, size_t nrest)
{
    ngx_channel_t  in;

    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, first, fd, nfirst);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_put_raw(NGX_CMD_OPEN_CHANNEL, first, 32 - first, fd, nrest);
    memset(&in, 0x55, sizeof(ngx_channel_t));
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_OPEN_CHANNEL);
    T_EQ(in.slot, 7);

    if (T_OK(t_same_file(getpid(), fd[0], getpid(), in.fd))) {
        close(in.fd);
    }
}


static void
test_short_with_fd(void)
{
    int  fd;

    t_channel_open();
    fd = t_some_fd();

    short_with_fd(5, &fd, 1, 0);
    short_with_fd(31, &fd, 1, 0);

    close(fd);
    t_channel_close();
}


static void
test_short_fd_later(void)
{
    int  fd;

    t_channel_open();
    fd = t_some_fd();

    short_with_fd(5, &fd, 0, 1);

    close(fd);
    t_channel_close();
}


static void
test_short_fd_twice(void)
{
    int  fd;

    t_channel_open();
    fd = t_some_fd();

    short_with_fd(5, &fd, 1, 1);

    close(fd);
    t_channel_close();
}


static void
test_short_two_channels(void)
{
    int            other[2];
    ngx_channel_t  in, out;

    t_channel_open();
    t_socketpair(other);

    /*
     * The end of a message on one channel must not complete the first piece of
     * a message on another channel.
     */

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(ngx_write_channel(other[0], &out, sizeof(ngx_channel_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(other[1], &in, sizeof(ngx_channel_t), t_log()), 32);
    T_EQ(in.command, NGX_CMD_QUIT);

    t_put_raw(NGX_CMD_REOPEN, 5, 27, NULL, 0);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_REOPEN);

    close(other[0]);
    close(other[1]);
    t_channel_close();
}


/*
 * Two processes send to the same channel.  The bytes of one sender must not
 * complete the piece of a message of the other sender.
 */

static void
test_short_of_two_senders(void)
{
    int            fd, go[2], on;
    char           byte;
    pid_t          pid;
    ngx_channel_t  in, out;

    t_channel_open();
    T_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, go) == 0);
    fd = t_some_fd();

    on = 1;
    T_REQUIRE(setsockopt(t_pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(int))
              == 0);

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 5, &fd, 1);
        T_REQUIRE(write(go[1], "", 1) == 1 && read(go[1], &byte, 1) == 1);
        t_put_raw(NGX_CMD_OPEN_CHANNEL, 5, 27, NULL, 0);
        _exit(0);
    }

    T_REQUIRE(read(go[0], &byte, 1) == 1);
    t_message(&out, NGX_CMD_QUIT, -1);
    T_REQUIRE(t_put(&out) == NGX_OK);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_AGAIN);

    T_REQUIRE(t_put(&out) == NGX_OK);
    T_REQUIRE(write(go[0], "", 1) == 1);
    T_EQ(t_wait(pid), 0);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_OPEN_CHANNEL);

    if (T_OK(t_same_file(getpid(), fd, getpid(), in.fd))) {
        close(in.fd);
    }

    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    close(fd);
    close(go[0]);
    close(go[1]);
    t_channel_close();
}


static void
test_short_then_reused(void)
{
    ngx_channel_t  in, out;

    t_channel_open();

    /*
     * A channel is closed in the middle of a message.  A new channel gets the
     * same descriptor number, and must not get the first piece.
     */

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_AGAIN);
    ngx_close_channel(t_pair, t_log());

    t_channel_open();

    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(in.slot, 7);

    t_channel_close();
}


static void
test_eof_in_message(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_put_raw(NGX_CMD_QUIT, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_AGAIN);
    close(t_pair[0]);

    T_EQ(t_get(&in), NGX_ERROR);

    close(t_pair[1]);
}


static void
test_short_of_large(void)
{
    t_message_t  in, out;

    t_channel_open();

    memset(&out, 0, sizeof(t_message_t));
    t_message(&out.ch, 49, -1);
    out.data[200] = 'x';

    T_REQUIRE(t_send(t_pair[0], &out, 40, NULL, 0) == 40);
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         NGX_AGAIN);

    T_REQUIRE(t_send(t_pair[0], (char *) &out + 40, 216, NULL, 0) == 216);
    memset(&in, 0x55, sizeof(t_message_t));
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         256);
    T_EQ(in.ch.command, 49);
    T_EQ(in.data[200], 'x');

    t_channel_close();
}


static void
test_huge(void)
{
    char           *buf;
    size_t          size;
    ngx_int_t       rc;
    ngx_channel_t  *ch;

    t_channel_open();

    size = 1024 * 1024;
    ch = calloc(1, size);
    buf = malloc(size);
    T_REQUIRE(ch != NULL && buf != NULL);

    t_message(ch, 49, -1);

    rc = ngx_write_channel(t_pair[0], ch, size, t_log());

    if (rc == NGX_OK) {
        T_EQ(recv(t_pair[1], buf, size, MSG_WAITALL), size);

    } else {
        T_OK(rc == NGX_ERROR || rc == NGX_AGAIN);
        T_EQ(t_unread(t_pair[1]), 0);
    }

    free(ch);
    free(buf);
    t_channel_close();
}


/*
 * Writes messages until the channel is full.  Of the message that does not
 * fit, ngx_write_channel() sends no byte.
 */

static void
fill(size_t size)
{
    ngx_int_t       rc, n;
    ngx_channel_t  *ch;

    t_channel_open();

    ch = calloc(1, size);
    T_REQUIRE(ch != NULL);

    t_message(ch, 49, -1);

    for (n = 0; /* void */ ; n++) {
        rc = ngx_write_channel(t_pair[0], ch, size, t_log());

        if (rc != NGX_OK) {
            break;
        }
    }

    /*
     * For a message that is larger than the socket's buffer, the kernel can
     * return an error instead of EAGAIN.
     */

    T_OK(rc == NGX_AGAIN || (rc == NGX_ERROR && size > sizeof(t_message_t)));

    while (n--) {
        T_REQUIRE(ngx_read_channel(t_pair[1], ch, size, t_log())
                  == (ngx_int_t) size);
    }

    T_EQ(t_unread(t_pair[1]), 0);

    free(ch);
    t_channel_close();
}


static void
test_fill_small(void)
{
    fill(sizeof(t_message_t));
}


static void
test_fill_large(void)
{
    fill(100000);
}


int
main(void)
{
    t_begin();

    t_run("D13 a message in two pieces", test_short);
    t_run("D13 a message byte by byte", test_short_byte_by_byte);
    t_run("D13 the rest of a message and the next", test_short_then_more);
    t_run("D13 a descriptor with the first piece", test_short_with_fd);
    t_run("D13 a descriptor with the second piece", test_short_fd_later);
    t_run("D13 a descriptor with both pieces", test_short_fd_twice);
    t_run("D13 pieces in two channels", test_short_two_channels);
    t_run("D13 pieces of two senders", test_short_of_two_senders);
    t_run("D13 a first piece, and its descriptor number is used again",
          test_short_then_reused);
    t_run("D13 an end of file within a message", test_eof_in_message);
    t_run("D15 40 of 256 bytes are no message", test_short_of_large);
    t_run("D15 1 MiB is sent whole or not at all", test_huge);
    t_run("256 bytes into a full socket", test_fill_small);
    t_run("D15 100000 bytes into a full socket", test_fill_large);

    return t_end();
}
