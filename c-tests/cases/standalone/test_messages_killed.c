
/*
 * Tests of processes that are killed in the middle of sending.  This program
 * replaces the functions with which the library sends a datagram and wakes up a
 * process.
 */


#include "t_messages.h"

#include <sys/syscall.h>
#include <sys/uio.h>


static int  kill_in_sendmsg;
static int  kill_in_write;


ssize_t
sendmsg(int s, const struct msghdr *msg, int flags)
{
    ssize_t  n;

    n = syscall(SYS_sendmsg, s, msg, flags);

    if (kill_in_sendmsg) {
        raise(SIGKILL);
    }

    return n;
}


/* The library writes 8 bytes to wake up a process. */

ssize_t
write(int fd, const void *buf, size_t size)
{
    ssize_t  n;

    n = syscall(SYS_write, fd, buf, size);

    if (kill_in_write && size == 8) {
        raise(SIGKILL);
    }

    return n;
}


static char  fifo[] = "/tmp/t_messages_XXXXXX";


/* Sends a descriptor that no other process has, and dies before the record. */

static void
send_and_die(ngx_cycle_t *cycle, void *data)
{
    int  fd;

    fd = open(fifo, O_WRONLY|O_NONBLOCK);
    T_REQUIRE(fd != -1);

    kill_in_sendmsg = 1;
    (void) ngx_ipc_message_send_fds(&t_fds_type, NGX_IPC_TO_SLOT(0), &fd,
                                    sizeof(fd), &fd, 1);
    T_OK(0);
}


/* Whether a process has the FIFO open for writing, or a socket has it. */

static int
is_written(int fd)
{
    struct pollfd  fds;

    fds.fd = fd;
    fds.events = POLLIN;

    return poll(&fds, 1, 0) == 0 || !(fds.revents & POLLHUP);
}


static void
test_stale_fds(void)
{
    int  i, n, fd, own;

    /* A socket holds about 280 datagrams. */

    n = t_under_valgrind() ? 10 : 1000;

    t_with_fds = 1;
    t_messages_init();

    fd = mkstemp(fifo);
    T_REQUIRE(fd != -1);
    close(fd);
    unlink(fifo);
    T_REQUIRE(mkfifo(fifo, 0600) == 0);
    fd = open(fifo, O_RDONLY|O_NONBLOCK|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    t_messages_start(1);

    for (i = 0; i < n; i++) {
        (void) t_spawn(send_and_die, NULL, "sender", NGX_PROCESS_NORESPAWN);
        T_UNTIL(ngx_last_process == 1);
    }

    T_UNTIL(!is_written(fd));
    T_EQ(t_of(0)->gaps, 0);
    T_EQ(t_of(0)->notes, 0);

    /* There is room for other descriptors. */

    own = open(fifo, O_WRONLY|O_NONBLOCK);
    T_EQ(ngx_ipc_message_send_fds(&t_fds_type, NGX_IPC_TO_WORKER(0), &i,
                                  sizeof(i), &own, 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    close(own);
    T_UNTIL(!is_written(fd));

    close(fd);
    unlink(fifo);
    t_workers_stop();
}


/* Is killed when it wakes up the first worker. */

static void
broadcast_and_die(ngx_ipc_message_t *m, int value)
{
    kill_in_write = 1;
    (void) ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                     sizeof(value));
    T_OK(0);
}


static void
test_kept(void)
{
    ngx_int_t  w;

    t_messages_start(4);

    for (w = 0; w < 4; w++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(w), 1), NGX_OK);
        T_UNTIL(t_of(w)->notes == 1);
    }

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), broadcast_and_die, 5), NGX_OK);

    T_UNTIL(t_of(0)->kept && t_of(1)->kept && t_of(2)->kept && t_of(3)->kept);

    /* Nothing else waits, and each worker has got the message once. */

    for (w = 0; w < 4; w++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(w), 1), NGX_OK);
        T_UNTIL(t_of(w)->notes == 3);
        T_EQ(t_of(w)->kept, 1);
        T_EQ(t_of(w)->kept_value, 5);
    }

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("killed between descriptors and record", test_stale_fds);
    t_run("killed in a broadcast that is kept", test_kept);

    return t_end();
}
