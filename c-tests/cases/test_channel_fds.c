
/*
 * Tests with unexpected descriptors and with other ancillary data (cmsg(3)).
 */


#include "t_channel.h"


#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD  76
#endif


/*
 * ngx_read_channel() closes each descriptor that it does not hand over to its
 * caller, so that the process does not leak descriptors (D16).
 */

static void
stray_fds(ngx_uint_t command, size_t nfds)
{
    int            n;
    size_t         i;
    int            fd[253];
    ngx_channel_t  in;

    t_channel_open();

    fd[0] = t_some_fd();

    for (i = 1; i < nfds; i++) {
        fd[i] = fd[0];
    }

    n = t_open_fds();
    t_put_raw(command, 0, 32, fd, nfds);

    T_EQ(t_get(&in), 32);
    T_EQ(in.command, command);

    if (command == NGX_CMD_OPEN_CHANNEL) {

        if (T_OK(t_same_file(getpid(), fd[0], getpid(), in.fd))) {
            close(in.fd);
        }
    }

    T_EQ(t_open_fds(), n);

    close(fd[0]);
    t_channel_close();
}


static void
test_fd_on_quit(void)
{
    stray_fds(NGX_CMD_QUIT, 1);
}


static void
test_fd_on_close(void)
{
    stray_fds(NGX_CMD_CLOSE_CHANNEL, 1);
}


static void
test_fd_on_own_command(void)
{
    stray_fds(31, 1);
}


static void
test_two_fds(void)
{
    stray_fds(NGX_CMD_OPEN_CHANNEL, 2);
}


static void
test_many_fds(void)
{
    stray_fds(NGX_CMD_OPEN_CHANNEL, 253);
}


static void
test_many_fds_on_quit(void)
{
    stray_fds(NGX_CMD_QUIT, 253);
}


static void
test_fd_on_short_message(void)
{
    int            fd;
    ngx_channel_t  in;

    t_channel_open();

    fd = t_some_fd();
    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 5, &fd, 1);
    close(t_pair[0]);

    (void) t_get(&in);
    T_EQ(t_get(&in), NGX_ERROR);

    close(fd);
    close(t_pair[1]);
}


static void
test_fds_partly_emfile(void)
{
    int            n, fd[4];
    ngx_channel_t  in;

    t_channel_open();

    /*
     * The process can open two more descriptors, and four descriptors arrive.
     */

    fd[0] = t_some_fd();
    fd[1] = fd[2] = fd[3] = fd[0];

    n = t_open_fds();
    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 32, fd, 4);

    t_limit_fds(2);

    T_EQ(t_get(&in), 32);
    t_more_fds();

    if (T_OK(t_same_file(getpid(), fd[0], getpid(), in.fd))) {
        close(in.fd);
    }

    T_EQ(t_open_fds(), n);

    close(fd[0]);
    t_channel_close();
}


/*
 * Besides descriptors, the kernel can add ancillary data of other types, such
 * as the sender's credentials.  ngx_read_channel() skips them and finds the
 * descriptor (D19).
 */

static void
open_with_option(int option, const char *skip)
{
    int            fd, n, on;
    ngx_channel_t  in, out;

    t_channel_open();

    on = 1;

    if (setsockopt(t_pair[1], SOL_SOCKET, option, &on, sizeof(int)) == -1) {
        t_skip(skip);
    }

    fd = t_some_fd();
    n = t_open_fds();

    t_message(&out, NGX_CMD_OPEN_CHANNEL, fd);
    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_get(&in), 32);

    if (T_OK(t_same_file(getpid(), fd, getpid(), in.fd))) {
        close(in.fd);
    }

    T_EQ(t_open_fds(), n);

    t_message(&out, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&out), NGX_OK);
    T_EQ(t_get(&in), 32);
    T_EQ(in.command, NGX_CMD_QUIT);

    T_EQ(t_open_fds(), n);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    close(fd);
    t_channel_close();
}


static void
test_passcred(void)
{
    open_with_option(SO_PASSCRED, "no SO_PASSCRED");
}


static void
test_passpidfd(void)
{
    open_with_option(SO_PASSPIDFD, "no SO_PASSPIDFD in this kernel");
}


static void
test_passsec(void)
{
    open_with_option(SO_PASSSEC, "no SO_PASSSEC in this kernel");
}


static void
test_passcred_without_fd(void)
{
    int            on;
    ngx_channel_t  in;

    t_channel_open();

    on = 1;
    T_REQUIRE(setsockopt(t_pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(int))
              == 0);

    t_put_raw(NGX_CMD_OPEN_CHANNEL, 0, 32, NULL, 0);

    T_EQ(t_get(&in), 32);
    T_EQ(in.fd, -1);

    t_channel_close();
}


int
main(void)
{
    t_begin();

    t_run("D16 a descriptor with QUIT", test_fd_on_quit);
    t_run("D16 a descriptor with CLOSE_CHANNEL", test_fd_on_close);
    t_run("D16 a descriptor with a module's command", test_fd_on_own_command);
    t_run("D16 two descriptors in one message", test_two_fds);
    t_run("D16 253 descriptors in one message", test_many_fds);
    t_run("D16 253 descriptors with QUIT", test_many_fds_on_quit);
    t_run("D16 a descriptor with a first piece of a message",
          test_fd_on_short_message);
    t_run("D16 more descriptors than there is room for",
          test_fds_partly_emfile);
    t_run("D19 SO_PASSCRED on a channel", test_passcred);
    t_run("D19 SO_PASSCRED and no descriptor", test_passcred_without_fd);
    t_run("D19 SO_PASSPIDFD on a channel", test_passpidfd);
    t_run("SO_PASSSEC on a channel", test_passsec);

    return t_end();
}
