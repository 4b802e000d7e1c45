
/* Tests of invalid arguments to the functions of ngx_channel.h. */


#include "t_bad.h"


static int
regular_file(void)
{
    int  fd;

    fd = open("/proc/self/exe", O_RDONLY|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}


/* Tests of ngx_write_channel() and ngx_read_channel(). */

static void
bad_descriptor(int fd, const char *why)
{
    char           text[128];
    ngx_channel_t  ch;

    t_message(&ch, NGX_CMD_QUIT, -1);

    T_EQ(ngx_write_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    snprintf(text, sizeof(text), "sendmsg() failed (%s", why);
    t_one_alert(text);

    t_log_clear();

    T_EQ(ngx_read_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    snprintf(text, sizeof(text), "recvmsg() failed (%s", why);
    t_one_alert(text);
}


static void
test_channel_no_fd(void)
{
    bad_descriptor(-1, "9: Bad file descriptor)");
}


static void
test_channel_closed_fd(void)
{
    bad_descriptor(t_closed_fd(), "9: Bad file descriptor)");
}


static void
test_channel_far_fd(void)
{
    bad_descriptor(INT_MAX, "9: Bad file descriptor)");
    t_log_clear();
    bad_descriptor(INT_MIN, "9: Bad file descriptor)");
}


static void
test_channel_regular_file(void)
{
    int  fd;

    fd = regular_file();
    bad_descriptor(fd, "88: Socket operation on non-socket)");
    close(fd);
}


static void
test_channel_bad_passed_fd(void)
{
    ngx_channel_t  ch;

    t_channel_open();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, t_closed_fd());
    T_EQ(t_put(&ch), NGX_ERROR);
    t_one_alert("sendmsg() failed (9: Bad file descriptor)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_channel_close();
}


static void
test_channel_null(void)
{
    t_channel_open();

    T_EQ(ngx_write_channel(t_pair[0], NULL, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    t_one_alert("");
    T_EQ(t_unread(t_pair[1]), 0);

    t_log_clear();
    T_EQ(ngx_read_channel(t_pair[1], NULL, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    t_one_alert("");

    t_channel_close();
}


static void
test_channel_null_log(void)
{
    ngx_channel_t  ch;

    t_channel_open();
    t_message(&ch, NGX_CMD_QUIT, -1);

    T_EQ(ngx_write_channel(t_pair[0], &ch, sizeof(ngx_channel_t), NULL),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], &ch, sizeof(ngx_channel_t), NULL), 32);
    T_EQ(ngx_read_channel(t_pair[1], &ch, sizeof(ngx_channel_t), NULL),
         NGX_AGAIN);

    T_EQ(ngx_write_channel(-1, &ch, sizeof(ngx_channel_t), NULL), NGX_ERROR);
    T_EQ(ngx_read_channel(-1, &ch, sizeof(ngx_channel_t), NULL), NGX_ERROR);
    T_EQ(ngx_write_channel(t_pair[0], NULL, 0, NULL), NGX_ERROR);
    T_EQ(ngx_read_channel(t_pair[0], NULL, 0, NULL), NGX_ERROR);

    t_channel_close();
}


/*
 * A size below that of ngx_channel_t: ngx_write_channel() sends nothing, and
 * ngx_read_channel() reads nothing.
 */

static void
test_channel_small(void)
{
    size_t         size;
    ngx_channel_t  ch;

    t_channel_open();

    for (size = 0; size < sizeof(ngx_channel_t); size++) {
        t_log_clear();
        t_message(&ch, NGX_CMD_QUIT, -1);

        T_EQ(ngx_write_channel(t_pair[0], &ch, size, t_log()), NGX_ERROR);
        t_one_alert("is too small");
        T_EQ(t_unread(t_pair[1]), 0);
    }

    T_EQ(t_put(&ch), NGX_OK);

    for (size = 0; size < sizeof(ngx_channel_t); size++) {
        t_log_clear();

        T_EQ(ngx_read_channel(t_pair[1], &ch, size, t_log()), NGX_ERROR);
        t_one_alert("is too small");
        T_EQ(t_unread(t_pair[1]), 32);
    }

    T_EQ(t_get(&ch), 32);

    t_channel_close();
}


static void
test_channel_large(void)
{
    static u_char  sent[1024 * 1024], got[1024 * 1024];

    t_channel_open();

    memset(sent, 0xa5, sizeof(sent));
    t_message((ngx_channel_t *) sent, 31, -1);

    T_EQ(ngx_write_channel(t_pair[0], (ngx_channel_t *) sent, 32768,
                           t_log()), NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], (ngx_channel_t *) got, 32768, t_log()),
         32768);
    T_OK(memcmp(sent + sizeof(ngx_channel_t), got + sizeof(ngx_channel_t),
                32768 - sizeof(ngx_channel_t)) == 0);
    t_no_alert();

    T_EQ(ngx_write_channel(t_pair[0], (ngx_channel_t *) sent, sizeof(sent),
                           t_log()), NGX_ERROR);
    t_one_alert("(90: Message too long)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_channel_close();
}


/*
 * A size of SIZE_MAX: no buffer is so large.  The call fails, and reads no
 * byte behind the end of the buffer.
 */

static void
test_channel_size_max(void)
{
    ngx_channel_t  ch;

    t_channel_open();

    t_message(&ch, 31, -1);
    T_EQ(ngx_write_channel(t_pair[0], &ch, SIZE_MAX, t_log()), NGX_ERROR);
    t_one_alert("(90: Message too long)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_log_clear();
    T_EQ(ngx_write_channel(t_pair[0], &ch, SIZE_MAX / 2 + 1, t_log()),
         NGX_ERROR);
    t_one_alert("(90: Message too long)");

    t_log_clear();
    T_EQ(ngx_read_channel(t_pair[1], &ch, SIZE_MAX, t_log()), NGX_ERROR);
    t_one_alert("is too large");

    t_channel_close();
}


/* Tests of ngx_close_channel(). */

static void
test_close_nothing(void)
{
    int  fd[2];

    fd[0] = -1;
    fd[1] = -1;

    ngx_close_channel(fd, t_log());
    t_no_alert();

    T_EQ(fd[0], -1);
    T_EQ(fd[1], -1);
}


static void
test_close_null(void)
{
    int  fd[2];

    ngx_close_channel(NULL, t_log());
    ngx_close_channel(NULL, NULL);

    t_socketpair(fd);
    ngx_close_channel(fd, NULL);
    T_EQ(fd[0], -1);

    fd[0] = t_closed_fd();
    ngx_close_channel(fd, NULL);

    t_no_alert();
}


static void
test_close_closed(void)
{
    int  fd[2];

    t_socketpair(fd);
    close(fd[0]);
    close(fd[1]);

    ngx_close_channel(fd, t_log());

    T_EQ(t_logged(NGX_LOG_ALERT,
                  "close() channel failed (9: Bad file descriptor)"), 2);
}


int
main(void)
{
    t_begin();

    t_run("a channel that is -1", test_channel_no_fd);
    t_run("a channel that is closed", test_channel_closed_fd);
    t_run("a channel that is a number that is too large", test_channel_far_fd);
    t_run("a channel that is a regular file", test_channel_regular_file);
    t_run("a descriptor to pass that is closed", test_channel_bad_passed_fd);
    t_run("X a NULL message", test_channel_null);
    t_run("X a channel and no log", test_channel_null_log);
    t_run("X messages that are too small", test_channel_small);
    t_run("D15 a message that is too large", test_channel_large);
    t_run("X a message of SIZE_MAX", test_channel_size_max);

    t_run("D10 ngx_close_channel() of -1", test_close_nothing);
    t_run("X ngx_close_channel() of NULL", test_close_null);
    t_run("ngx_close_channel() of closed descriptors", test_close_closed);

    return t_end();
}
