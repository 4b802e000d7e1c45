
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


/* Makes the FIFO, and opens it for reading. */

static int
fifo_open(void)
{
    int  fd;

    fd = mkstemp(fifo);
    T_REQUIRE(fd != -1);
    close(fd);
    unlink(fifo);
    T_REQUIRE(mkfifo(fifo, 0600) == 0);

    fd = open(fifo, O_RDONLY|O_NONBLOCK|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}


static void
test_stale_fds(void)
{
    int  i, n, fd, own;

    /* A socket holds about 280 datagrams. */

    n = t_under_valgrind() ? 10 : 1000;

    t_with_fds = 1;
    t_messages_init();

    fd = fifo_open();
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


/*
 * The receiver gets to know of the death in a round that its time limit ends, because a
 * handler took longer.
 */

static void
test_stale_fds_busy(void)
{
    int  fd;

    t_with_fds = 1;
    t_messages_init();
    fd = fifo_open();
    t_messages_start(1);

    t_hold(0);
    (void) t_spawn(send_and_die, NULL, "sender", NGX_PROCESS_NORESPAWN);
    T_UNTIL(ngx_last_process == 1);
    T_OK(is_written(fd));

    t_notes->hold = 0;
    T_UNTIL(!is_written(fd));

    close(fd);
    unlink(fifo);
    t_workers_stop();
}


/*
 * Sends a broadcast until it is killed when it wakes up the first worker: no worker
 * may be asleep at the first broadcast.  Counts the broadcasts.
 */

static void
broadcast_and_die(ngx_ipc_message_t *m, int value)
{
    kill_in_write = 1;

    for ( ;; ) {
        t_own()->flags[0]++;
        (void) ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                         sizeof(value));
        usleep(10000);
    }
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

    /* Nothing else waits, and each worker has got each message at most once. */

    for (w = 0; w < 4; w++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(w), 1), NGX_OK);
        T_UNTIL(t_of(w)->notes - t_of(w)->kept == 2);
        T_OK(t_of(w)->kept <= t_of(0)->flags[0]);
        T_EQ(t_of(w)->kept_value, 5);
    }

    t_workers_stop();
}


/* A broadcast whose payload lies once, in the memory of the sender. */

#define SIZE  500000


static void
large_handler(ngx_ipc_message_t *m)
{
    u_char  value;

    value = *(u_char *) m->data;

    T_EQ(m->len, SIZE);
    T_OK(t_is_filled(m->data, m->len, value));
    t_own()->flags[0] = t_own()->flags[0] * 10 + value;
}


static ngx_ipc_message_type_t  large_type = {
    .name = "test_large", .handler = large_handler
};


static void
broadcast_large(ngx_ipc_message_t *m, int value)
{
    static u_char  data[SIZE];

    memset(data, value, SIZE);
    T_EQ(ngx_ipc_message_broadcast(&large_type, NGX_IPC_WORKERS, data, SIZE),
         3);
    t_own()->flags[1] = value;
}


/* As broadcast_and_die(). */

static void
broadcast_large_and_die(ngx_ipc_message_t *m, int value)
{
    static u_char  data[SIZE];

    memset(data, value, SIZE);
    kill_in_write = 1;

    for ( ;; ) {
        (void) ngx_ipc_message_broadcast(&large_type, NGX_IPC_WORKERS, data,
                                         SIZE);
        usleep(10000);
    }
}


/* Each worker has received something, so it does not get it first below. */

static void
start_large(void)
{
    ngx_int_t  w;

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&large_type), NGX_OK);
    t_messages_start(4);

    for (w = 0; w < 4; w++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(w), 1), NGX_OK);
        T_UNTIL(t_of(w)->notes == 1);
    }
}


/* The memory that is in use in a worker's part of the region. */

static size_t
memory_of(ngx_int_t worker)
{
    ngx_ipc_load_t  load;

    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(worker), &load), NGX_OK);

    return load.memory_used;
}


/*
 * The sender is killed before two workers have received its broadcast, and so is
 * one of them.  The replacement of the sender does not use the memory before.
 */

static void
test_large(void)
{
    start_large();
    t_hold(1);
    t_hold(2);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), broadcast_large, 5), NGX_OK);
    T_UNTIL(t_of(0)->flags[1] == 5 && t_of(3)->flags[0] == 5);
    t_kill_worker(0);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), broadcast_large, 6), NGX_OK);
    T_UNTIL(t_of(0)->flags[1] == 6 && t_of(3)->flags[0] == 56);
    T_OK(memory_of(0) > 2 * SIZE);

    t_kill_worker(2);
    T_UNTIL(t_of(2)->flags[0] == 56);
    t_notes->hold = 0;
    T_UNTIL(t_of(1)->flags[0] == 56);

    T_EQ(t_of(1)->gaps, 0);
    T_EQ(t_of(2)->gaps, 1);
    T_EQ(t_of(2)->gap_cause, NGX_IPC_GAP_HANDLED);
    T_EQ(t_of(3)->gaps, 0);

    /* The sender has given the memory back. */

    T_UNTIL(memory_of(0) <= 8 * 4096);
    t_workers_stop();
}


/*
 * The sender is killed between two receivers: some workers get the message, and to
 * the others it was not sent.
 */

static void
test_large_in_between(void)
{
    int        n;
    ngx_int_t  w;

    start_large();
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), broadcast_large_and_die, 5), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 2), NGX_OK);
    T_UNTIL(t_of(0)->notes == 2);
    T_EQ(t_of(0)->gaps, 1);

    for (n = 0, w = 1; w < 4; w++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(w), 2), NGX_OK);
        T_UNTIL(t_of(w)->notes == 2);
        T_OK(t_of(w)->flags[0] % 10 == 5 || t_of(w)->flags[0] == 0);
        T_EQ(t_of(w)->gaps, 0);
        n += t_of(w)->flags[0] != 0;
    }

    T_OK(n >= 1);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), broadcast_large, 6), NGX_OK);

    for (w = 1; w < 4; w++) {
        T_UNTIL(t_of(w)->flags[0] % 10 == 6);
    }

    T_UNTIL(memory_of(0) <= 8 * 4096);
    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("killed between descriptors and record", test_stale_fds);
    t_run("killed while the receiver is busy", test_stale_fds_busy);
    t_run("killed in a broadcast that is kept", test_kept);
    t_run("killed before all have received a large broadcast", test_large);
    t_run("killed in a large broadcast", test_large_in_between);

    return t_end();
}
