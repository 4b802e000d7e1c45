
/* Signals while a call waits on a blocking socket. */


#include "test.h"

#include <sys/time.h>


static void
on_alarm(int signo)
{
    (void) signo;
}


/*
 * Sends SIGALRM every 50 ms, because the first one may arrive before the call
 * waits.
 */

static void
interrupt(void)
{
    struct sigaction  sa;
    struct itimerval  every = { { 0, 50000 }, { 0, 50000 } };

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = on_alarm;

    T_REQUIRE(sigaction(SIGALRM, &sa, NULL) == 0);
    T_REQUIRE(setitimer(ITIMER_REAL, &every, NULL) == 0);
}


static void
blocking_socketpair(int *fd)
{
    int  i;

    t_socketpair(fd);

    for (i = 0; i < 2; i++) {
        T_REQUIRE(fcntl(fd[i], F_SETFL, fcntl(fd[i], F_GETFL) & ~O_NONBLOCK)
                  == 0);
    }
}


static void
write_is_interrupted(ngx_uint_t command, int passed)
{
    int            fd[2], n;
    ngx_channel_t  ch;

    blocking_socketpair(fd);
    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = command;
    ch.fd = passed;

    interrupt();

    for (n = 0; n < 100000; n++) {
        if (ngx_write_channel(fd[0], &ch, sizeof(ngx_channel_t), t_log())
            != NGX_OK)
        {
            break;
        }
    }

    T_OK(n < 100000);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed (4: "), 1);

    close(fd[0]);
    close(fd[1]);
}


static void
test_write(void)
{
    write_is_interrupted(NGX_CMD_QUIT, -1);
}


static void
test_write_descriptor(void)
{
    write_is_interrupted(NGX_CMD_OPEN_CHANNEL, 0);
}


static void
test_read(void)
{
    int            fd[2];
    ngx_channel_t  ch;

    blocking_socketpair(fd);
    interrupt();

    T_EQ(ngx_read_channel(fd[0], &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "recvmsg() failed (4: "), 1);

    close(fd[0]);
    close(fd[1]);
}


int
main(void)
{
    t_begin();

    t_run("a signal ends ngx_write_channel() on a full blocking socket",
          test_write);
    t_run("a signal ends ngx_write_channel() of a descriptor",
          test_write_descriptor);
    t_run("a signal ends ngx_read_channel() on a blocking socket", test_read);

    return t_end();
}
