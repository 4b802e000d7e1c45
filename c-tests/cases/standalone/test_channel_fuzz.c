
/*
 * Several attackers send random messages to one receiver, in every form that
 * the kernel accepts.  The receiver's open descriptors, its memory and the
 * passes of its event loop stay within bounds, and it still gets its master's
 * messages.
 *
 * A run takes 3 seconds, with T_LONG=1 5 minutes.
 */


#include "t_channel.h"

#include <stdio.h>
#include <time.h>


#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD  76
#endif

#define ATTACKERS     4
#define SLOTS         8                 /* the messages name slots below this */
#define LARGEST       300000            /* bytes of a message */
#define RSS_GROWTH    (4 * 1024)        /* KiB */
#define ANSWER        10000             /* time limit for an answer, in ms */


typedef struct {
    volatile int            ready;
    volatile int            stop;
    volatile unsigned long  passes;     /* passes of the receiver's loop */
    volatile unsigned long  answers;
    volatile unsigned long  sent;
} shared_t;


static shared_t  *shared;
static unsigned   seed;
static char       bytes[LARGEST];


static unsigned
any(unsigned n)
{
    return (unsigned) rand_r(&seed) % n;
}


static void
nap(unsigned us)
{
    struct timespec  ts = { 0, us * 1000L };

    (void) nanosleep(&ts, NULL);
}


/* What the attackers send. */

static void
any_message(ngx_channel_t *ch)
{
    static ngx_uint_t  commands[] = {
        0, NGX_CMD_OPEN_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_CMD_CLOSE_CHANNEL,
        NGX_CMD_QUIT, NGX_CMD_TERMINATE, 6, 31, (ngx_uint_t) -1,
        NGX_IPC_CMD_OPEN_CHANNELS, (ngx_uint_t) 1 << 63
    };

    static ngx_int_t  slots[] = {
        -1, NGX_MAX_PROCESSES, NGX_MAX_PROCESSES + 1, 1 << 30,
        (ngx_int_t) ((ngx_uint_t) 1 << 63), (ngx_int_t) (~(ngx_uint_t) 0 >> 1)
    };

    memset(ch, 0, sizeof(ngx_channel_t));

    ch->command = commands[any(t_nitems(commands))];
    ch->pid = (ngx_pid_t) any(1000);
    ch->slot = any(4) ? (ngx_int_t) any(SLOTS) : slots[any(t_nitems(slots))];
    ch->fd = (ngx_fd_t) any(20) - 2;
}


static size_t
any_size(void)
{
    static size_t  sizes[] = { 0, 0, 1, 5, 16, 31, 33, 64, 2048, 40000 };

    switch (any(8)) {

    case 0:
        return any(LARGEST);

    case 1:
        return any(100);

    case 2:
        return sizes[any(t_nitems(sizes))];

    default:
        return sizeof(ngx_channel_t);
    }
}


static size_t
add_cmsg(char *space, size_t at, int type, const void *data, size_t size)
{
    struct cmsghdr  cm;

    memset(&cm, 0, sizeof(cm));
    cm.cmsg_level = SOL_SOCKET;
    cm.cmsg_type = type;
    cm.cmsg_len = CMSG_LEN(size);

    if (any(100) == 0) {
        cm.cmsg_len = any(200);
    }

    memcpy(space + at, &cm, sizeof(cm));
    memcpy(space + at + CMSG_LEN(0), data, size);

    return at + CMSG_SPACE(size);
}


static size_t
any_control(char *space)
{
    int           i, fd[253];
    size_t        at;
    struct ucred  credentials = { getpid(), getuid(), getgid() };

    static size_t  counts[] = { 1, 1, 2, 3, 253 };

    at = 0;

    for (i = 0; i < 253; i++) {
        fd[i] = i % 3;
    }

    if (any(3) == 0) {
        at = add_cmsg(space, at, SCM_CREDENTIALS, &credentials,
                      sizeof(credentials));
    }

    if (any(2) == 0) {
        at = add_cmsg(space, at, SCM_RIGHTS, fd,
                      counts[any(t_nitems(counts))] * sizeof(int));
    }

    return at;
}


static void
attack(int s)
{
    struct iovec   iov;
    struct msghdr  msg;
    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(253 * sizeof(int))
                              + CMSG_SPACE(sizeof(struct ucred))];
    } control;

    static int  flags[] = {
        0, 0, 0, 0, MSG_OOB, MSG_EOR, MSG_MORE, MSG_DONTROUTE, MSG_CONFIRM
    };

    any_message((ngx_channel_t *) bytes);
    memset(&control, 0, sizeof(control));
    memset(&msg, 0, sizeof(struct msghdr));

    iov.iov_base = bytes;
    iov.iov_len = any_size();

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &control;
    msg.msg_controllen = any(2) ? any_control(control.space) : 0;

    if (sendmsg(s, &msg, MSG_NOSIGNAL|MSG_DONTWAIT|flags[any(t_nitems(flags))])
        >= 0)
    {
        __atomic_fetch_add(&shared->sent, 1, __ATOMIC_RELAXED);
    }
}


/*
 * Changes options and flags of the socket.  They belong to the open file, so
 * all processes that have a copy of the descriptor share them.
 */

static void
change_socket(int s)
{
    int  on;

    static int  options[] = {
        SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_TIMESTAMP, SO_SNDBUF,
        SO_RCVBUF, SO_PEEK_OFF, SO_RCVLOWAT, SO_OOBINLINE
    };

    static int  modes[] = { 0, O_NONBLOCK, O_ASYNC, O_NONBLOCK|O_ASYNC };

    on = any(2) ? (int) any(3) : (int) any(1000000);

    (void) setsockopt(s, SOL_SOCKET, options[any(t_nitems(options))], &on,
                      sizeof(int));
    (void) fcntl(s, F_SETFL, modes[any(t_nitems(modes))]);
    (void) fcntl(s, F_SETSIG, any(2) ? SIGKILL : 0);
}


/* Forks a process that sends a byte and a descriptor, and exits. */

static void
short_life(int s)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        if (t_send(s, "x", 1, &s, 1) == 1) {
            __atomic_fetch_add(&shared->sent, 1, __ATOMIC_RELAXED);
        }

        _exit(0);
    }

    if (pid > 0) {
        (void) t_wait(pid);
    }
}


static void
attacker(int s, unsigned number)
{
    unsigned  i;

    seed += number * 7919;

    for (i = 0; !shared->stop; i++) {

        switch (any(200)) {

        case 0:
            change_socket(s);
            break;

        case 1:
            short_life(s);
            break;

        case 2:
            nap(any(20000));
            break;

        default:
            attack(s);
        }
    }

    _exit(0);
}


/* The receivers: a worker, and a program with a stream socket of its own. */

static void
worker_proc(ngx_cycle_t *cycle, void *data)
{
    if (ngx_ipc_init_channel(cycle, ngx_channel_handler) != NGX_OK) {
        _exit(1);
    }

    shared->ready = 1;

    while (shared->stop < 2) {
        ngx_process_events_and_timers(cycle);
        shared->passes++;

        ngx_quit = 0;
        ngx_terminate = 0;

        if (ngx_reopen) {
            ngx_reopen = 0;
            shared->answers++;
        }
    }

    _exit(ngx_channel > 2 && t_is_open(ngx_channel) ? 0 : 2);
}


static void
stream_proc(ngx_cycle_t *cycle, void *data)
{
    int            s = *(int *) data;
    ngx_int_t      n;
    ngx_channel_t  ch;

    shared->ready = 1;

    while (shared->stop < 2) {
        n = ngx_read_channel(s, &ch, sizeof(ngx_channel_t), cycle->log);

        if (n == 32 && ch.fd != -1) {
            close(ch.fd);
        }

        if (n == NGX_AGAIN) {
            nap(1000);
        }

        if (n != 32 && n != NGX_AGAIN && n != NGX_ERROR) {
            _exit(1);
        }
    }

    _exit(0);
}


/* What /proc says about the receiver. */

static int
descriptors(pid_t pid)
{
    int   fd, n;
    char  path[64], name[64];

    n = 0;

    for (fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, fd);
        n += readlink(path, name, sizeof(name)) > 0;
    }

    return n;
}


/* Sends a message of the master.  The channel may be full for some time. */

static void
ping(void)
{
    long long      start, before;
    ngx_int_t      rc;
    ngx_channel_t  ch;
    unsigned long  answers;

    answers = shared->answers;
    start = t_msec();

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_REOPEN;
    ch.fd = -1;

    do {
        before = t_msec();
        rc = ngx_write_channel(ngx_processes[0].channel[0], &ch,
                               sizeof(ngx_channel_t), t_log());
        T_REQUIRE(t_msec() - before < 2000);

        if (rc == NGX_AGAIN) {
            nap(1000);
        }

    } while (rc == NGX_AGAIN && t_msec() - start < ANSWER);

    T_REQUIRE(rc == NGX_OK);

    while (shared->answers == answers && t_msec() - start < ANSWER) {
        nap(1000);
    }

    T_REQUIRE(shared->answers != answers);
}


/* valgrind and AddressSanitizer keep freed memory. */

static int
keeps_memory(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return 1;
#else
    return t_under_valgrind();
#endif
}


static void
watch(pid_t pid, int fds, int with_pings)
{
    int        open;
    long       memory, first;
    long long  start, length;

    first = 0;
    start = t_msec();
    length = t_long() ? 300000 : 3000;

    while (t_msec() - start < length) {
        if (with_pings) {
            ping();
        }

        open = descriptors(pid);

        /* one message carries 253 descriptors at most */

        T_REQUIRE(open >= fds && open <= fds + SLOTS + 253);

        memory = t_rss(pid);

        if (t_msec() - start < length / 4) {
            first = memory;
        }

        T_REQUIRE(keeps_memory() || first == 0 || memory < first + RSS_GROWTH);

        nap(20000);
    }
}


static void
fuzz(int s, pid_t pid, int with_pings)
{
    int            fds, n;
    pid_t          attackers[ATTACKERS];
    unsigned long  passes;

    t_await(&shared->ready, 1);

    /*
     * in the first pass of its loop the receiver calls localtime(), which
     * opens a file
     */

    if (with_pings) {
        ping();
    }

    fds = descriptors(pid);

    seed = (unsigned) (time(NULL) ^ getpid());
    t_diag("seed %u", seed);

    for (n = 0; n < ATTACKERS; n++) {
        attackers[n] = fork();
        T_REQUIRE(attackers[n] != -1);

        if (attackers[n] == 0) {
            attacker(s, (unsigned) n);
        }
    }

    watch(pid, fds, with_pings);
    shared->stop = 1;

    for (n = 0; n < ATTACKERS; n++) {
        T_EQ(t_wait(attackers[n]), 0);
    }

    T_OK(shared->sent > (t_under_valgrind() ? 10 : 100));

    /*
     * the receiver has handled all messages, so its loop makes no more passes
     */

    if (with_pings) {
        ping();
        nap(100000);
        passes = shared->passes;
        nap(300000);
        T_OK(shared->passes - passes < 10);

        /* no pass was made without a message */

        T_OK(shared->passes <= shared->sent + shared->answers + 100);
    }

    nap(200000);
    T_OK(descriptors(pid) <= fds + (with_pings ? SLOTS : 0));
    shared->stop = 2;
}


/* Turns off the log, because the alerts would fill it. */

static void
start(void)
{
    shared = t_shared(sizeof(shared_t));
    t_log()->log_level = NGX_LOG_STDERR;
}


static void
test_worker(void)
{
    start();
    t_init_events();

    t_spawn(worker_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    fuzz(ngx_processes[0].channel[0], ngx_processes[0].pid, 1);

    /* this message wakes the worker up, so that it finds "stop" */

    T_EQ(t_send(ngx_processes[0].channel[0], "", 0, NULL, 0), 0);

    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);
    t_end_processes();
}


static void
test_stream(void)
{
    int    s[2];
    pid_t  pid;

    start();
    t_socketpair(s);

    pid = t_spawn(stream_proc, &s[1], "worker", NGX_PROCESS_DETACHED);
    fuzz(s[0], pid, 0);
    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);

    close(s[0]);
    close(s[1]);
    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("random messages to a worker", test_worker);
    t_run("random messages to a stream socket", test_stream);

    return t_end();
}
