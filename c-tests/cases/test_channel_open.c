
/* Tests of OPEN_CHANNEL, the command that passes a descriptor. */


#include "t_channel.h"

#include <stdio.h>


#define T_MANY  100


static void
test_open(void)
{
    int            fd;
    ngx_channel_t  in, out;

    t_channel_open();

    fd = t_some_fd();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);

    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_OPEN_CHANNEL);
    T_EQ(in.pid, 12345);
    T_EQ(in.slot, 7);
    T_OK(in.fd != fd);
    T_OK(t_same_file(getpid(), fd, getpid(), in.fd));
    T_EQ(t_logged(T_ANY, ""), 0);

    close(in.fd);
    close(fd);

    t_channel_close();
}


static void
test_open_same_description(void)
{
    int            fd[2];
    char           c;
    ngx_channel_t  in, out;

    t_channel_open();
    t_socketpair(fd);

    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd[0]);

    T_EQ(t_put(&out), NGX_OK);
    close(fd[0]);

    T_REQUIRE(t_get(&in) == 32);

    /*
     * What the test writes to the received descriptor arrives at the other end
     * of the socketpair whose end it has sent.
     */

    T_EQ(write(in.fd, "x", 1), 1);
    T_EQ(read(fd[1], &c, 1), 1);
    T_EQ(c, 'x');

    close(in.fd);
    close(fd[1]);

    t_channel_close();
}


static void
test_open_large_struct(void)
{
    int          fd;
    t_message_t  in, out;

    t_channel_open();

    fd = t_some_fd();
    memset(&out, 0, sizeof(t_message_t));
    t_message(&out.ch, NGX_CMD_OPEN_CHANNEL, fd);
    out.data[100] = 'x';

    T_EQ(ngx_write_channel(t_pair[0], &out.ch, sizeof(t_message_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], &in.ch, sizeof(t_message_t), t_log()),
         256);
    T_OK(t_same_file(getpid(), fd, getpid(), in.ch.fd));
    T_EQ(in.data[100], 'x');

    close(in.ch.fd);
    close(fd);

    t_channel_close();
}


static void
test_open_many(void)
{
    int            i, fd[2];
    ngx_channel_t  in, out;

    t_channel_open();

    fd[0] = t_some_fd();
    fd[1] = open("/dev/zero", O_RDONLY|O_CLOEXEC);
    T_REQUIRE(fd[1] != -1);

    for (i = 0; i < T_MANY; i++) {
        t_message(&out, NGX_CMD_OPEN_CHANNEL, fd[i % 2]);
        out.slot = i;
        T_REQUIRE(t_put(&out) == NGX_OK);
    }

    for (i = 0; i < T_MANY; i++) {
        T_REQUIRE(t_get(&in) == 32);
        T_EQ(in.slot, i);
        T_OK(t_same_file(getpid(), fd[i % 2], getpid(), in.fd));
        close(in.fd);
    }

    close(fd[0]);
    close(fd[1]);

    t_channel_close();
}


static void
test_open_between_others(void)
{
    int            fd;
    ngx_channel_t  in, out;

    t_channel_open();

    fd = t_some_fd();

    t_message(&out, NGX_CMD_REOPEN, -1);
    T_EQ(t_put(&out), NGX_OK);
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);
    T_EQ(t_put(&out), NGX_OK);
    t_message(&out, NGX_CMD_CLOSE_CHANNEL, -1);
    T_EQ(t_put(&out), NGX_OK);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_REOPEN);
    T_EQ(in.fd, -1);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_OPEN_CHANNEL);
    T_OK(t_same_file(getpid(), fd, getpid(), in.fd));
    close(in.fd);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_CLOSE_CHANNEL);
    T_EQ(in.fd, -1);

    close(fd);

    t_channel_close();
}


static void
test_open_cloexec(void)
{
    int            fd;
    ngx_channel_t  in, out;

    t_channel_open();

    fd = t_some_fd();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);

    T_EQ(t_put(&out), NGX_OK);
    T_REQUIRE(t_get(&in) == 32);
    T_EQ(fcntl(in.fd, F_GETFD), FD_CLOEXEC);

    close(in.fd);
    close(fd);

    t_channel_close();
}


static void
test_open_bad_fd(void)
{
    int            fd;
    ngx_channel_t  in, out;

    t_channel_open();

    fd = t_some_fd();
    close(fd);
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);

    T_EQ(t_put(&out), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "sendmsg() failed (9: Bad file descriptor)"), 1);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


/*
 * An OPEN_CHANNEL arrives without its descriptor.  ngx_read_channel() returns
 * the message with the descriptor -1, and not with an old number from its
 * stack (D12).
 */

static void
open_then(void (*lose)(void))
{
    int            fd, n;
    ngx_channel_t  in, out;

    t_channel_open();

    /*
     * This message leaves a descriptor in the stack memory that the next
     * ngx_read_channel() uses for its buffer.
     */

    fd = t_some_fd();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);
    T_REQUIRE(t_put(&out) == NGX_OK);
    T_REQUIRE(t_get(&in) == 32);

    close(in.fd);

    n = t_open_fds();
    lose();
    memset(&in, 0x55, sizeof(ngx_channel_t));

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_OPEN_CHANNEL);
    T_EQ(in.slot, 7);
    T_EQ(in.fd, -1);
    T_EQ(t_logged(NGX_LOG_ALERT, "recvmsg() returned no ancillary data"), 1);

    t_more_fds();
    T_EQ(t_open_fds(), n);

    close(fd);
    t_channel_close();
}


static void
lose_unsent(void)
{
    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 32, NULL, 0);
}


static void
lose_emfile(void)
{
    int            fd;
    ngx_channel_t  out;

    fd = t_some_fd();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);
    T_REQUIRE(t_put(&out) == NGX_OK);
    close(fd);

    t_no_more_fds();
}


static void
test_open_without_fd(void)
{
    open_then(lose_unsent);
}


static void
test_open_emfile(void)
{
    open_then(lose_emfile);
}


static void
test_open_without_fd_first(void)
{
    ngx_channel_t  in;

    t_channel_open();

    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 32, NULL, 0);

    T_EQ(t_get(&in), 32);
    T_EQ(in.fd, -1);

    t_channel_close();
}


/*
 * ngx_write_channel() refuses OPEN_CHANNEL without a descriptor, because the
 * receiver would believe that the descriptor was lost on the way (D3).
 */

static void
test_write_open_without_fd(void)
{
    ngx_channel_t  in, out;

    t_channel_open();

    t_message(&out, NGX_CMD_OPEN_CHANNEL, -1);

    T_EQ(t_put(&out), NGX_ERROR);
    T_EQ(t_unread(t_pair[1]), 0);
    T_EQ(t_get(&in), NGX_AGAIN);

    t_channel_close();
}


/* nginx takes descriptor 0 in the table for "no channel" (D11). */

static void
test_open_without_stdin(void)
{
    int            fd, saved;
    ngx_channel_t  in, out;

    t_channel_open();

    fd = t_some_fd();
    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);
    T_EQ(t_put(&out), NGX_OK);

    saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
    T_REQUIRE(saved != -1);
    close(0);

    T_EQ(t_get(&in), 32);
    T_OK(in.fd > 2);
    T_OK(!t_is_open(0));
    T_OK(t_same_file(getpid(), fd, getpid(), in.fd));
    T_OK(fcntl(in.fd, F_GETFD) & FD_CLOEXEC);

    close(in.fd);
    T_REQUIRE(dup2(saved, 0) == 0);
    close(saved);
    close(fd);
    t_channel_close();
}


int
main(void)
{
    t_begin();

    t_run("OPEN_CHANNEL passes a descriptor", test_open);
    t_run("OPEN_CHANNEL passes a socket", test_open_same_description);
    t_run("OPEN_CHANNEL in a struct of 256 bytes", test_open_large_struct);
    t_run("many OPEN_CHANNELs keep their descriptors", test_open_many);
    t_run("OPEN_CHANNEL between others", test_open_between_others);
    t_run("OPEN_CHANNEL of a closed descriptor", test_open_bad_fd);
    t_run("D17 a received descriptor is close-on-exec", test_open_cloexec);
    t_run("D12 OPEN_CHANNEL without a descriptor", test_open_without_fd);
    t_run("D12 OPEN_CHANNEL without a descriptor comes first",
          test_open_without_fd_first);
    t_run("D12 OPEN_CHANNEL, and the receiver has no descriptors left",
          test_open_emfile);
    t_run("D3 OPEN_CHANNEL of -1 is not sent", test_write_open_without_fd);
    t_run("D11 OPEN_CHANNEL where stdin is closed", test_open_without_stdin);

    return t_end();
}
