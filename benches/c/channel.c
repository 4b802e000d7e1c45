
/* Measures messages on a channel.  This process has both ends of it. */


#include "bench.h"


#define BURST  100

static ngx_socket_t   ends[2] = { -1, -1 };
static ngx_channel_t  message;


static void
open_channel(ngx_uint_t command, ngx_fd_t fd)
{
    if (ends[0] == -1) {
        bench_check(socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0, ends)
                    == 0, "socketpair()");
    }

    memset(&message, 0, sizeof(ngx_channel_t));
    message.command = command;
    message.fd = fd;
}


static void
put(void)
{
    bench_check(ngx_write_channel(ends[0], &message, sizeof(ngx_channel_t),
                                  &bench_log)
                == NGX_OK, "ngx_write_channel()");
}


static void
get(ngx_channel_t *ch)
{
    bench_check(ngx_read_channel(ends[1], ch, sizeof(ngx_channel_t),
                                 &bench_log)
                == sizeof(ngx_channel_t), "ngx_read_channel()");
}


static double
repeat(long n, ngx_uint_t command, ngx_fd_t fd, void (*once)(void))
{
    double  start;

    open_channel(command, fd);
    start = bench_now();

    while (n-- > 0) {
        once();
    }

    return bench_now() - start;
}


static void
put_and_get(void)
{
    ngx_channel_t  ch;

    put();
    get(&ch);
}


static double
command(long n)
{
    return repeat(n, NGX_CMD_REOPEN, -1, put_and_get);
}


static void
put_and_get_descriptor(void)
{
    ngx_channel_t  ch;

    put();
    get(&ch);
    bench_check(close(ch.fd) == 0, "close()");
}


static double
descriptor(long n)
{
    return repeat(n, NGX_CMD_OPEN_CHANNEL, STDERR_FILENO,
                  put_and_get_descriptor);
}


/*
 * Measures the channel of a worker, as ngx_spawn_process() makes it.  In the
 * library the kernel keeps messages apart on it (D13).  In nginx the master's
 * end sends SIGIO to the master.
 */

static double
worker(long n)
{
    if (ends[0] == -1) {

#if (BENCH_IPC)

        bench_check(socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_NONBLOCK, 0, ends)
                    == 0, "socketpair()");

#elif !(BENCH_FLOOR)

        int  on;

        on = 1;
        bench_init();
        bench_check(socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0, ends)
                    == 0, "socketpair()");
        bench_check(ioctl(ends[0], FIOASYNC, &on) == 0, "ioctl()");
        bench_check(fcntl(ends[0], F_SETOWN, ngx_pid) == 0, "fcntl()");

#endif
    }

    return command(n);
}


/* Measures a message with a descriptor on the channel of a worker. */

static double
worker_descriptor(long n)
{
    (void) worker(0);

    return descriptor(n);
}


/* Measures a message from the worker to the master. */

static double
master(long n)
{
    double        result;
    ngx_socket_t  fd;

    (void) worker(0);

    fd = ends[0];
    ends[0] = ends[1];
    ends[1] = fd;
    result = command(n);
    ends[1] = ends[0];
    ends[0] = fd;

    return result;
}


/*
 * Writes BURST messages, and reads until ngx_read_channel() returns NGX_AGAIN.
 */

static void
put_and_get_many(void)
{
    int            i;
    ngx_channel_t  ch;

    for (i = 0; i < BURST; i++) {
        put();
    }

    for (i = 0; i < BURST; i++) {
        get(&ch);
    }

    bench_check(ngx_read_channel(ends[1], &ch, sizeof(ngx_channel_t),
                                 &bench_log)
                == NGX_AGAIN, "reading up to NGX_AGAIN");
}


static double
burst(long n)
{
    return repeat(n, NGX_CMD_REOPEN, -1, put_and_get_many);
}


/*
 * Writes a message and reads it with read(), so that only the instructions of
 * ngx_write_channel() are counted.
 */

static void
put_only(void)
{
    ngx_channel_t  ch;

    put();
    bench_check(read(ends[1], &ch, sizeof(ngx_channel_t))
                == sizeof(ngx_channel_t), "read()");
}


static double
only_write(long n)
{
    return repeat(n, NGX_CMD_REOPEN, -1, put_only);
}


static void
get_only(void)
{
    ngx_channel_t  ch;

    bench_check(write(ends[0], &message, sizeof(ngx_channel_t))
                == sizeof(ngx_channel_t), "write()");
    get(&ch);
}


static double
only_read(long n)
{
    return repeat(n, NGX_CMD_REOPEN, -1, get_only);
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "command", command },
        { "worker", worker },
        { "worker_descriptor", worker_descriptor },
        { "master", master },
        { "descriptor", descriptor },
        { "burst", burst },
        { "write", only_write },
        { "read", only_read },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
