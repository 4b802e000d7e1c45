
/* A hostile worker changes sockets that it shares with its master. */


#include "test.h"

#include <sys/time.h>


static volatile int  *told;


static ngx_int_t
tell(ngx_int_t slot, ngx_uint_t command)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = command;
    ch.fd = -1;

    return ngx_write_channel(ngx_processes[slot].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log());
}


/*
 * The body of a hostile worker: calls fn with the master's end of its channel,
 * of which the worker has a copy, and then reads its channel until QUIT
 * arrives.
 */

static void
hostile(void (*fn)(int fd), ngx_cycle_t *cycle)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    fn(ngx_processes[ngx_process_slot].channel[0]);
    *told = 1;

    do {
        if (!t_readable(ngx_channel)) {
            _exit(1);
        }

        n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                             cycle->log);
        (*told)++;

    } while (n == NGX_AGAIN || (n == 32 && ch.command != NGX_CMD_QUIT));

    _exit(n == 32 ? 0 : 2);
}


static void
start(ngx_spawn_proc_pt proc)
{
    told = t_shared(sizeof(int));

    t_spawn(proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_await(told, 1);
}


static void
quit(void)
{
    T_EQ(tell(0, NGX_CMD_QUIT), NGX_OK);
    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);
    t_end_processes();
}


/* D30: the signal that says that a channel is readable. */

static void
set_signal(int fd)
{
    ngx_channel_t  ch;

    (void) fcntl(fd, F_SETSIG, SIGUSR1);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.fd = -1;
    (void) ngx_write_channel(ngx_channel, &ch, sizeof(ngx_channel_t), t_log());
}


static void
set_signal_proc(ngx_cycle_t *cycle, void *data)
{
    hostile(set_signal, cycle);
}


static void
test_signal(void)
{
    sigset_t         set;
    struct timespec  ts;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);

    start(set_signal_proc);
    quit();

    memset(&ts, 0, sizeof(struct timespec));
    T_EQ(sigtimedwait(&set, NULL, &ts), -1);
}


static void
test_owner(void)
{
    int  fd;

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);

    fd = ngx_processes[0].channel[0];
    T_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
    T_EQ(fcntl(fd, F_GETOWN), 0);

    t_end_processes();
}


/* D31: all processes that have a copy of the descriptor share O_NONBLOCK. */

static void
clear_nonblock(int fd)
{
    (void) fcntl(fd, F_SETFL, 0);
    (void) fcntl(ngx_channel, F_SETFL, 0);
}


static void
clear_nonblock_proc(ngx_cycle_t *cycle, void *data)
{
    clear_nonblock(ngx_processes[ngx_process_slot].channel[0]);
    *told = 1;
    t_pause(cycle, data);
}


static void
test_full(void)
{
    int               n;
    ngx_int_t         rc;
    struct itimerval  tv;

    start(clear_nonblock_proc);
    T_EQ(fcntl(ngx_processes[0].channel[0], F_GETFL) & O_NONBLOCK, 0);

    t_wake_on(SIGALRM);

    memset(&tv, 0, sizeof(struct itimerval));
    tv.it_value.tv_sec = 1;
    tv.it_interval.tv_sec = 1;
    setitimer(ITIMER_REAL, &tv, NULL);

    n = 0;

    do {
        rc = tell(0, 31);
    } while (rc == NGX_OK && n++ < 10000);

    T_EQ(rc, NGX_AGAIN);
    T_EQ(tell(0, NGX_CMD_QUIT), NGX_AGAIN);

    t_end_processes();
}


static void
read_proc(ngx_cycle_t *cycle, void *data)
{
    ngx_channel_t  ch;

    clear_nonblock(ngx_processes[ngx_process_slot].channel[0]);
    t_wake_on(SIGALRM);
    alarm(1);

    _exit(ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                           cycle->log)
          == NGX_AGAIN ? 0 : 1);
}


static void
test_empty(void)
{
    ngx_channel_t     ch;
    struct itimerval  tv;

    t_spawn(read_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    t_wake_on(SIGALRM);
    memset(&tv, 0, sizeof(struct itimerval));
    tv.it_value.tv_sec = 2;
    setitimer(ITIMER_REAL, &tv, NULL);

    /* the worker's own call did not wait either, so the worker exits with 0 */

    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);

    T_OK(ngx_read_channel(ngx_processes[0].channel[0], &ch,
                          sizeof(ngx_channel_t), t_log())
         != (ngx_int_t) sizeof(ngx_channel_t));

    t_end_processes();
}


/* Calls on a socket of the program's own wait if O_NONBLOCK is not set. */

static void
test_own_socket(void)
{
    int            s[2];
    pid_t          pid;
    ngx_int_t      n;
    ngx_channel_t  ch;

    /* the table has a process with a channel, which must change nothing */

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    T_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = 31;
    ch.fd = -1;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        for (n = 0; n < 1000; n++) {
            if (ngx_write_channel(s[0], &ch, sizeof(ngx_channel_t), t_log())
                != NGX_OK)
            {
                _exit(1);
            }
        }

        _exit(0);
    }

    for (n = 0; n < 1000; n++) {
        T_REQUIRE(ngx_read_channel(s[1], &ch, sizeof(ngx_channel_t), t_log())
                  == 32);
    }

    T_EQ(t_wait(pid), 0);
    close(s[0]);
    close(s[1]);
    t_end_processes();
}


/* Urgent data: stream sockets accept it, other Unix sockets refuse it. */

static void
send_urgent(int fd)
{
    (void) send(fd, "ab", 2, MSG_OOB|MSG_NOSIGNAL);
}


static void
send_urgent_proc(ngx_cycle_t *cycle, void *data)
{
    hostile(send_urgent, cycle);
}


static void
test_urgent(void)
{
    start(send_urgent_proc);
    (void) poll(NULL, 0, 200);
    T_OK(*told < 10);
    quit();
}


/* Many processes each send one byte of a message, with a descriptor. */

static void
send_parts(int fd)
{
    int    i, own, before;
    pid_t  pid;

    own = ngx_channel;
    before = t_open_fds();

    for (i = 0; i < 100; i++) {
        pid = fork();

        if (pid == 0) {
            (void) t_send(fd, "x", 1, &own, 1);
            _exit(0);
        }

        (void) t_wait(pid);
    }

    for (i = 0; i < 200; i++) {
        ngx_channel_t  ch;

        (void) ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                                t_log());
    }

    if (t_open_fds() != before) {
        _exit(3);
    }
}


static void
send_parts_proc(ngx_cycle_t *cycle, void *data)
{
    hostile(send_parts, cycle);
}


static void
test_parts(void)
{
    start(send_parts_proc);
    quit();
}


int
main(void)
{
    t_begin();

    t_run("D30 the kernel sends the master no signal for its channel",
          test_owner);
    t_run("D30 a worker chooses the signal for a channel", test_signal);
    t_run("D31 a blocking channel that is full", test_full);
    t_run("D31 a blocking channel that is empty", test_empty);
    t_run("a blocking socket of the program's own", test_own_socket);
    t_run("D13 a worker sends urgent data", test_urgent);
    t_run("D16 processes that send a byte with a descriptor", test_parts);

    return t_end();
}
