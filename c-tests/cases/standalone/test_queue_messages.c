
/*
 * Tests of which messages the library queues for a full channel, and which it
 * does not.
 */


#include "t_queue.h"

#include <sys/syscall.h>


#define T_OTHER_USER  54322      /* a user without privileges */


static void
test_others_do_not_wait(void)
{
    int          n;
    t_message_t  own;

    t_table_open();

    T_EQ(t_tell_close(T_TO, 2), NGX_OK);

    T_EQ(t_tell(T_TO, NGX_CMD_QUIT), NGX_AGAIN);
    T_EQ(t_tell(T_TO, NGX_CMD_TERMINATE), NGX_AGAIN);
    T_EQ(t_tell(T_TO, NGX_CMD_REOPEN), NGX_AGAIN);
    T_EQ(t_tell(T_TO, T_FILLER), NGX_AGAIN);

    /*
     * A message that is longer than ngx_channel_t is not queued, whatever its
     * command.
     */

    for (n = 0; n < 2; n++) {
        memset(&own, 0, sizeof(t_message_t));
        own.ch.command = n ? NGX_CMD_CLOSE_CHANNEL : T_FILLER;
        own.ch.fd = -1;

        T_EQ(ngx_write_channel(ngx_processes[T_TO].channel[0], &own.ch,
                               sizeof(t_message_t), t_log()),
             NGX_AGAIN);
    }

    t_drain(T_TO);
    t_send_queues();

    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect_nothing(T_TO);

    t_table_close();
}


/*
 * Passes descriptors until the user has as many in flight as the kernel
 * allows.  After that, sending a message with a descriptor fails with
 * ETOOMANYREFS (unix(7)); a message without a descriptor can be sent.
 */

static int
use_up(int s)
{
    int            n;
    ngx_int_t      rc;
    ngx_channel_t  ch;
    struct rlimit  rl;

    if (t_under_valgrind()) {
        t_skip("valgrind has its own limit of descriptors");
    }

    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);
    rl.rlim_cur = 64;
    T_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);

    if (getuid() == 0
        && (setgid(T_OTHER_USER) == -1 || setuid(T_OTHER_USER) == -1))
    {
        t_skip("no other user");
    }

    for (n = 0; n < 200; n++) {
        t_message(&ch, NGX_CMD_OPEN_CHANNEL, 0);

        rc = ngx_write_channel(s, &ch, sizeof(ngx_channel_t), t_log());

        if (rc == NGX_AGAIN) {
            break;
        }

        T_REQUIRE(rc == NGX_OK);
    }

    if (n == 200) {
        t_skip("no limit of descriptors in flight");
    }

    return n;
}


static void
test_not_overtaken(void)
{
    int            n;
    ngx_channel_t  ch;

    t_table_open();
    t_drain(T_TO);

    n = use_up(ngx_processes[3].channel[0]);

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    T_EQ(t_tell(T_TO, NGX_CMD_QUIT), NGX_AGAIN);
    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_expect_nothing(T_TO);

    while (n--) {
        T_REQUIRE(t_receive(3, &ch) == 32);
        close(ch.fd);
    }

    t_send_queues();
    t_expect(T_TO, NGX_CMD_OPEN_CHANNEL, 1, T_FIRST_PID + 1);
    t_expect(T_TO, NGX_CMD_CLOSE_CHANNEL, 2, T_FIRST_PID + 2);
    t_expect_nothing(T_TO);

    t_table_close();
}


static void
test_toomanyrefs(void)
{
    t_table_open();
    t_need_seccomp();
    t_drain(T_TO);

    t_fail_syscall_arg(SYS_sendmsg, ETOOMANYREFS, 0,
                       (unsigned) ngx_processes[T_TO].channel[0]);

    T_EQ(t_tell_open(T_TO, 1), NGX_OK);
    T_EQ(t_tell_close(T_TO, 1), NGX_OK);
    T_EQ(t_tell(T_TO, NGX_CMD_QUIT), NGX_AGAIN);
    t_send_queues();
    t_expect_counters(T_TO, 0, 2, 2, 0);

    t_table_close();
}


static void
test_own_descriptor(void)
{
    int  fd;

    t_table_open();

    fd = t_some_fd();

    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, T_ABOUT,
                      T_FIRST_PID + T_ABOUT, fd),
         NGX_AGAIN);
    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, 9, 4321, fd), NGX_AGAIN);
    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, 4242, 4321, fd), NGX_AGAIN);

    /*
     * The table has this descriptor for another process than the one in the
     * message, so the message is not queued.
     */

    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, T_ABOUT,
                      T_FIRST_PID + 2, ngx_processes[T_ABOUT].channel[0]),
         NGX_AGAIN);
    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, T_ABOUT,
                      T_FIRST_PID + T_ABOUT, ngx_processes[2].channel[0]),
         NGX_AGAIN);

    t_drain(T_TO);
    t_send_queues();
    t_expect_nothing(T_TO);
    t_expect_counters(T_TO, 0, 0, 0, 0);

    /*
     * If the channel has room, the message is sent, whatever its descriptor.
     */

    T_EQ(t_tell_about(T_TO, NGX_CMD_OPEN_CHANNEL, 4242, 4321, fd), NGX_OK);
    T_EQ(t_unread(t_peer[T_TO]), 32);

    close(fd);
    t_table_close();
}


int
main(void)
{
    t_begin();

    t_run("other messages are not queued", test_others_do_not_wait);
    t_run("no message overtakes a queued one", test_not_overtaken);
    t_run("ETOOMANYREFS counts as a full channel", test_toomanyrefs);
    t_run("OPEN_CHANNEL with a descriptor that is not in the table",
          test_own_descriptor);

    return t_end();
}
