
/* Messages of another size than the reader's, and messages that do not fit. */


#include "t_channel.h"


/*
 * The library drops such a message on a channel of the table, and closes the
 * descriptors that came with it.
 */

static void
dropped(size_t size, size_t nfds)
{
    int            n, fd[253];
    char           bytes[4096];
    size_t         i;
    ngx_channel_t  in, out;

    t_channel_open_messages();

    n = t_open_fds();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, -1);
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, &out, sizeof(ngx_channel_t));

    for (i = 0; i < nfds; i++) {
        fd[i] = t_pair[1];
    }

    T_REQUIRE(t_send(t_pair[0], bytes, size, fd, nfds) == (ssize_t) size);
    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);

    T_REQUIRE(t_send(t_pair[0], bytes, size, fd, nfds) == (ssize_t) size);
    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);

    /* the next message arrives in the same call */

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_AGAIN);
    T_EQ(t_open_fds(), n);

    t_channel_close();
}


static void
test_empty(void)
{
    dropped(0, 0);
}


static void
test_short(void)
{
    dropped(5, 0);
}


static void
test_one_byte_less(void)
{
    dropped(31, 0);
}


static void
test_long(void)
{
    dropped(33, 0);
}


static void
test_very_long(void)
{
    dropped(4096, 0);
}


static void
test_empty_with_fds(void)
{
    dropped(0, 253);
}


static void
test_short_with_fd(void)
{
    dropped(1, 1);
}


static void
test_long_with_fds(void)
{
    dropped(64, 253);
}


/* Empty messages, and the end of the channel. */

static void
test_empty_then_end(void)
{
    ngx_channel_t  in, out;

    t_channel_open_messages();

    T_REQUIRE(send(t_pair[0], "", 0, 0) == 0);
    T_EQ(t_get(&in), NGX_AGAIN);

    T_REQUIRE(send(t_pair[0], "", 0, 0) == 0);
    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);
    T_REQUIRE(send(t_pair[0], "", 0, 0) == 0);
    T_REQUIRE(send(t_pair[0], "", 0, 0) == 0);
    close(t_pair[0]);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_DEBUG, "recvmsg() returned zero"), 2);

    close(t_pair[1]);
}


/*
 * The other process closes its end before it has read all messages.  The
 * kernel reports this as ECONNRESET, unix(7).
 */

static void
test_end_unread(void)
{
    ngx_channel_t  in, out;

    t_channel_open_messages();

    t_message(&out, NGX_CMD_REOPEN, -1);
    T_EQ(ngx_write_channel(t_pair[1], &out, sizeof(ngx_channel_t), t_log()),
         NGX_OK);
    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);
    close(t_pair[0]);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    close(t_pair[1]);
}


/* Messages of a module, which are larger, on a channel of the table. */

static void
test_large(void)
{
    t_message_t  in, out;

    t_channel_open_messages();

    memset(&out, 0, sizeof(t_message_t));
    t_message(&out.ch, 49, -1);
    out.data[200] = 'x';

    T_EQ(ngx_write_channel(t_pair[0], &out.ch, sizeof(t_message_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         256);
    T_EQ(in.ch.command, 49);
    T_EQ(in.data[200], 'x');

    t_channel_close();
}


/*
 * A stream socket of the program's own: the library cannot find out where the
 * next message begins, so less data than a message is an error.
 */

static void
test_stream_short(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "recvmsg() returned not enough data: 5"), 1);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


static void
test_stream_short_with_fd(void)
{
    int            n;
    ngx_channel_t  in;

    t_channel_open();

    n = t_open_fds();
    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 5, t_pair, 1);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_open_fds(), n);

    t_channel_close();
}


static void
test_stream_eof_in_message(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_put_raw(NGX_CMD_QUIT, 0, 5, NULL, 0);
    close(t_pair[0]);

    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_get(&in), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_DEBUG, "recvmsg() returned zero"), 1);

    close(t_pair[1]);
}


static void
test_stream_short_of_large(void)
{
    t_message_t  in, out;

    t_channel_open();

    memset(&out, 0, sizeof(t_message_t));
    t_message(&out.ch, 49, -1);

    T_REQUIRE(t_send(t_pair[0], &out, 40, NULL, 0) == 40);
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "recvmsg() returned not enough data: 40"),
         1);

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


/* A full socket: if a message does not fit, no byte of it is sent. */

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

    /* a message larger than the socket's buffer may be refused */

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

    t_run("D13 an empty message is dropped", test_empty);
    t_run("D13 a message of 5 bytes is dropped", test_short);
    t_run("D13 a message of 31 bytes is dropped", test_one_byte_less);
    t_run("D13 a message of 33 bytes is dropped", test_long);
    t_run("D13 a message of 4096 bytes is dropped", test_very_long);
    t_run("D13 an empty message with 253 descriptors", test_empty_with_fds);
    t_run("D13 a message of 1 byte with a descriptor", test_short_with_fd);
    t_run("D13 a message of 64 bytes with 253 descriptors",
          test_long_with_fds);
    t_run("D13 empty messages and the end of the channel",
          test_empty_then_end);
    t_run("D13 the other end is closed with unread messages",
          test_end_unread);
    t_run("256 bytes on a channel of the table", test_large);
    t_run("5 bytes on a stream socket", test_stream_short);
    t_run("D16 5 bytes with a descriptor on a stream socket",
          test_stream_short_with_fd);
    t_run("an end of file within a message", test_stream_eof_in_message);
    t_run("D15 40 of 256 bytes are no message", test_stream_short_of_large);
    t_run("D15 1 MiB is sent whole or not at all", test_huge);
    t_run("256 bytes into a full socket", test_fill_small);
    t_run("D15 100000 bytes into a full socket", test_fill_large);

    return t_end();
}
