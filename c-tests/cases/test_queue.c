
/* Control messages that wait for a full channel: none is lost (D14). */


#include "t_channel.h"

#include <stdio.h>
#include <sys/syscall.h>


#define FILLER    31
#define TO        0           /* the process whose channel is full */
#define ABOUT     1           /* what the messages are about */
#define PROCESSES 4
#define FIRST_PID 1000000000  /* nobody has it */
#define SOMEBODY  54322       /* a user without privileges */


static void
send_fillers(int s)
{
    ngx_int_t      rc;
    ngx_channel_t  ch;

    t_message(&ch, FILLER, -1);

    do {
        rc = ngx_write_channel(s, &ch, sizeof(ngx_channel_t), t_log());
    } while (rc == NGX_OK);

    T_REQUIRE(rc == NGX_AGAIN);
}


static void
test_not_in_table(void)
{
    int            fd;
    ngx_channel_t  ch;

    t_channel_open();
    send_fillers(t_pair[0]);

    fd = t_some_fd();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, fd);
    T_EQ(t_put(&ch), NGX_AGAIN);

    t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
    T_EQ(t_put(&ch), NGX_AGAIN);

    do {
        T_REQUIRE(t_get(&ch) == 32);
    } while (t_unread(t_pair[1]) > 0);

    /* nothing was kept: this comes at once, and alone */

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(t_put(&ch), NGX_OK);
    T_EQ(t_get(&ch), 32);
    T_EQ(ch.command, NGX_CMD_QUIT);
    T_EQ(t_get(&ch), NGX_AGAIN);

    close(fd);
    t_channel_close();
}


#if !(T_NGINX)

static int  peer[PROCESSES];


/* What a real process would read is read here. */

static void
process(ngx_int_t slot, ngx_pid_t pid)
{
    int  fd[2];

    t_socketpair(fd);

    ngx_processes[slot].pid = pid;
    ngx_processes[slot].channel[0] = fd[0];
    ngx_processes[slot].channel[1] = -1;

    peer[slot] = fd[1];

    if (slot >= ngx_last_process) {
        ngx_last_process = slot + 1;
    }
}


static void
gone(ngx_int_t slot)
{
    t_close_slot(slot);
    close(peer[slot]);

    ngx_processes[slot].pid = -1;
    peer[slot] = -1;
}


static void
setup(void)
{
    int  i;

    t_init_events();

    for (i = 0; i < PROCESSES; i++) {
        process(i, FIRST_PID + i);
    }

    ngx_process_slot = PROCESSES - 1;

    send_fillers(ngx_processes[TO].channel[0]);
}


static void
finish(void)
{
    int  i;

    for (i = 0; i < PROCESSES; i++) {
        gone(i);
    }

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static ngx_int_t
tell_of(ngx_int_t to, ngx_uint_t command, ngx_int_t about, ngx_pid_t pid,
    int fd)
{
    ngx_channel_t  ch;

    t_message(&ch, command, fd);

    ch.slot = about;
    ch.pid = pid;

    return ngx_write_channel(ngx_processes[to].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log());
}


static ngx_int_t
tell_open(ngx_int_t to, ngx_int_t about)
{
    return tell_of(to, NGX_CMD_OPEN_CHANNEL, about, ngx_processes[about].pid,
                   ngx_processes[about].channel[0]);
}


static ngx_int_t
tell_close(ngx_int_t to, ngx_int_t about)
{
    return tell_of(to, NGX_CMD_CLOSE_CHANNEL, about,
                   ngx_processes[about].pid, -1);
}


static ngx_int_t
tell(ngx_int_t to, ngx_uint_t command)
{
    return tell_of(to, command, 0, 0, -1);
}


static ngx_int_t
receive(ngx_int_t slot, ngx_channel_t *ch)
{
    return ngx_read_channel(peer[slot], ch, sizeof(ngx_channel_t), t_log());
}


/* Read the fillers, and no more than those. */

static void
drain(ngx_int_t slot)
{
    ngx_channel_t  ch;

    while (t_unread(peer[slot]) > 0) {
        T_REQUIRE(receive(slot, &ch) == 32);
        T_EQ(ch.command, FILLER);
    }
}


static void
expect_nothing(ngx_int_t slot)
{
    ngx_channel_t  ch;

    T_EQ(receive(slot, &ch), NGX_AGAIN);
}


static void
expect(ngx_int_t slot, ngx_uint_t command, ngx_int_t about, ngx_pid_t pid)
{
    ngx_channel_t  ch;

    T_REQUIRE(receive(slot, &ch) == 32);

    T_EQ(ch.command, command);
    T_EQ(ch.slot, about);
    T_EQ(ch.pid, pid);

    if (command != NGX_CMD_OPEN_CHANNEL) {
        T_EQ(ch.fd, -1);
        return;
    }

    T_OK(t_same_file(getpid(), ch.fd, getpid(),
                     ngx_processes[about].channel[0]));
    close(ch.fd);
}


/* As a program with an event loop of its own does at SIGIO. */

static void
flush(void)
{
    T_EQ(ngx_reap_children(t_cycle()), 1);
}


static void
get_info(ngx_int_t slot, ngx_ipc_process_t *info)
{
    info->slot = slot - 1;

    T_REQUIRE(ngx_ipc_next_process(info) == NGX_OK);
    T_REQUIRE(info->slot == slot);
}


static void
expect_counters(ngx_int_t slot, ngx_uint_t sent, ngx_uint_t queued,
    ngx_uint_t queued_max, ngx_uint_t dropped)
{
    ngx_ipc_process_t  info;

    get_info(slot, &info);

    T_EQ(info.sent, sent);
    T_EQ(info.queued, queued);
    T_EQ(info.queued_max, queued_max);
    T_EQ(info.dropped, dropped);
}


static void
test_wait(void)
{
    int  before;

    setup();

    before = t_unread(peer[TO]);

    T_EQ(tell_open(TO, 1), NGX_OK);
    T_EQ(tell_close(TO, 2), NGX_OK);
    T_EQ(tell_open(TO, 3), NGX_OK);
    T_EQ(t_unread(peer[TO]), before);

    /* as long as it is full, they stay */

    flush();
    T_EQ(t_unread(peer[TO]), before);

    drain(TO);
    expect_nothing(TO);

    flush();
    expect(TO, NGX_CMD_OPEN_CHANNEL, 1, FIRST_PID + 1);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect(TO, NGX_CMD_OPEN_CHANNEL, 3, FIRST_PID + 3);

    flush();
    expect_nothing(TO);

    finish();
}


static void
test_loop(void)
{
    setup();

    T_EQ(tell_close(TO, 2), NGX_OK);
    drain(TO);

    /* without a signal, too, it waits no longer than a while */

    ngx_process_events_and_timers(t_cycle());
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);

    finish();
}


static void
test_next_write(void)
{
    setup();

    T_EQ(tell_open(TO, 1), NGX_OK);
    T_EQ(tell_close(TO, 2), NGX_OK);
    drain(TO);

    T_EQ(tell(TO, NGX_CMD_QUIT), NGX_OK);
    expect(TO, NGX_CMD_OPEN_CHANNEL, 1, FIRST_PID + 1);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect(TO, NGX_CMD_QUIT, 0, 0);
    expect_nothing(TO);

    finish();
}


static void
test_write_to_another(void)
{
    setup();

    T_EQ(tell_close(TO, 2), NGX_OK);
    T_EQ(tell(3, NGX_CMD_QUIT), NGX_OK);
    expect(3, NGX_CMD_QUIT, 0, 0);

    drain(TO);
    T_EQ(tell(3, NGX_CMD_REOPEN), NGX_OK);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);

    finish();
}


static void
test_more_than_fits(void)
{
    int  i, n, turns;

    setup();

    /* more than the socket takes at once: it drains in turns */

    n = 3 * t_unread(peer[TO]) / 32;

    for (i = 0; i < n; i++) {
        T_REQUIRE(tell_of(TO, NGX_CMD_CLOSE_CHANNEL, 2, i, -1) == NGX_OK);
    }

    drain(TO);
    turns = 0;

    for (i = 0; i < n; i++) {

        if (t_unread(peer[TO]) == 0) {
            flush();
            turns++;
        }

        expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, i);
    }

    T_OK(turns > 1);
    flush();
    expect_nothing(TO);
    expect_counters(TO, n, n, n, 0);

    finish();
}


static void
test_others_do_not_wait(void)
{
    int          n;
    t_message_t  own;

    setup();

    T_EQ(tell_close(TO, 2), NGX_OK);

    T_EQ(tell(TO, NGX_CMD_QUIT), NGX_AGAIN);
    T_EQ(tell(TO, NGX_CMD_TERMINATE), NGX_AGAIN);
    T_EQ(tell(TO, NGX_CMD_REOPEN), NGX_AGAIN);
    T_EQ(tell(TO, FILLER), NGX_AGAIN);

    /* nor does a longer one, whatever its command */

    for (n = 0; n < 2; n++) {
        memset(&own, 0, sizeof(t_message_t));
        own.ch.command = n ? NGX_CMD_CLOSE_CHANNEL : FILLER;
        own.ch.fd = -1;

        T_EQ(ngx_write_channel(ngx_processes[TO].channel[0], &own.ch,
                               sizeof(t_message_t), t_log()),
             NGX_AGAIN);
    }

    drain(TO);
    flush();

    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect_nothing(TO);

    finish();
}


/*
 * The sender has as many descriptors on their way as it may: an OPEN waits,
 * and there is room for all that has none.
 */

static int
use_up(int s)
{
    int            n;
    ngx_int_t      rc;
    ngx_channel_t  ch;
    struct rlimit  rl;

    if (t_under_valgrind()) {
        t_skip("valgrind keeps a limit of its own");
    }

    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);
    rl.rlim_cur = 64;
    T_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);

    if (getuid() == 0 && (setgid(SOMEBODY) == -1 || setuid(SOMEBODY) == -1)) {
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
        t_skip("no limit of descriptors on their way");
    }

    return n;
}


static void
test_not_overtaken(void)
{
    int            n;
    ngx_channel_t  ch;

    setup();
    drain(TO);

    n = use_up(ngx_processes[3].channel[0]);

    T_EQ(tell_open(TO, 1), NGX_OK);
    T_EQ(tell(TO, NGX_CMD_QUIT), NGX_AGAIN);
    T_EQ(tell_close(TO, 2), NGX_OK);
    expect_nothing(TO);

    while (n--) {
        T_REQUIRE(receive(3, &ch) == 32);
        close(ch.fd);
    }

    flush();
    expect(TO, NGX_CMD_OPEN_CHANNEL, 1, FIRST_PID + 1);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect_nothing(TO);

    finish();
}


static void
test_toomanyrefs(void)
{
    setup();
    t_need_seccomp();
    drain(TO);

    t_fail_syscall_arg(SYS_sendmsg, ETOOMANYREFS, 0,
                       (unsigned) ngx_processes[TO].channel[0]);

    T_EQ(tell_open(TO, 1), NGX_OK);
    T_EQ(tell_close(TO, 1), NGX_OK);
    T_EQ(tell(TO, NGX_CMD_QUIT), NGX_AGAIN);
    flush();
    expect_counters(TO, 0, 2, 2, 0);

    finish();
}


static void
test_gone(void)
{
    setup();

    T_EQ(tell_open(TO, ABOUT), NGX_OK);
    T_EQ(tell_close(TO, ABOUT), NGX_OK);
    gone(ABOUT);

    drain(TO);
    flush();
    expect(TO, NGX_CMD_CLOSE_CHANNEL, ABOUT, FIRST_PID + ABOUT);
    expect_nothing(TO);

    finish();
}


static void
test_replaced(void)
{
    setup();

    T_EQ(tell_open(TO, ABOUT), NGX_OK);
    T_EQ(tell_close(TO, ABOUT), NGX_OK);
    gone(ABOUT);
    process(ABOUT, FIRST_PID + 100);
    T_EQ(tell_open(TO, ABOUT), NGX_OK);

    /* the new one's channel may have the number of the old one's */

    drain(TO);
    flush();
    expect(TO, NGX_CMD_CLOSE_CHANNEL, ABOUT, FIRST_PID + ABOUT);
    expect(TO, NGX_CMD_OPEN_CHANNEL, ABOUT, FIRST_PID + 100);
    expect_nothing(TO);

    finish();
}


static void
test_own_descriptor(void)
{
    int  fd;

    setup();

    fd = t_some_fd();

    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, ABOUT, FIRST_PID + ABOUT, fd),
         NGX_AGAIN);
    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, 9, 4321, fd), NGX_AGAIN);
    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, 4242, 4321, fd), NGX_AGAIN);

    /* nor one of the table's that is another process's */

    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, ABOUT, FIRST_PID + 2,
                 ngx_processes[ABOUT].channel[0]),
         NGX_AGAIN);
    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, ABOUT, FIRST_PID + ABOUT,
                 ngx_processes[2].channel[0]),
         NGX_AGAIN);

    drain(TO);
    flush();
    expect_nothing(TO);
    expect_counters(TO, 0, 0, 0, 0);

    /* where there is room it goes */

    T_EQ(tell_of(TO, NGX_CMD_OPEN_CHANNEL, 4242, 4321, fd), NGX_OK);
    T_EQ(t_unread(peer[TO]), 32);

    close(fd);
    finish();
}


static void
test_dead(void)
{
    setup();

    T_EQ(tell_open(TO, 1), NGX_OK);
    T_EQ(tell_close(TO, 2), NGX_OK);
    gone(TO);
    process(TO, FIRST_PID + 100);

    flush();
    expect_nothing(TO);
    T_EQ(tell(TO, NGX_CMD_QUIT), NGX_OK);
    expect(TO, NGX_CMD_QUIT, 0, 0);
    expect_nothing(TO);
    expect_counters(TO, 0, 2, 2, 2);

    finish();
}


static void
test_dead_and_next_waits(void)
{
    setup();

    T_EQ(tell_close(TO, 1), NGX_OK);
    gone(TO);
    process(TO, FIRST_PID + 100);
    send_fillers(ngx_processes[TO].channel[0]);
    T_EQ(tell_close(TO, 2), NGX_OK);

    drain(TO);
    flush();
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect_nothing(TO);

    finish();
}


static void
test_slot_empty(void)
{
    setup();

    T_EQ(tell_close(TO, 1), NGX_OK);
    gone(TO);
    flush();

    process(TO, FIRST_PID);
    flush();
    expect_nothing(TO);
    expect_counters(TO, 0, 1, 1, 1);

    finish();
}


/* The other end has gone, and its process has not been reaped yet. */

static void
test_closed(void)
{
    setup();

    T_EQ(tell_close(TO, 1), NGX_OK);
    T_EQ(tell_close(TO, 2), NGX_OK);
    close(peer[TO]);
    peer[TO] = -1;

    flush();
    flush();
    T_EQ(t_logged(NGX_LOG_INFO, "sendmsg() failed (32:"), 2);
    T_EQ(tell_close(TO, 3), NGX_ERROR);

    t_log_clear();
    finish();
}


static void
test_counters(void)
{
    setup();

    expect_counters(TO, 0, 0, 0, 0);

    T_EQ(tell_close(3, 1), NGX_OK);
    T_EQ(tell_open(3, 1), NGX_OK);
    T_EQ(tell(3, NGX_CMD_REOPEN), NGX_OK);
    expect_counters(3, 2, 0, 0, 0);

    T_EQ(tell_open(TO, 1), NGX_OK);
    expect_counters(TO, 0, 1, 1, 0);
    T_EQ(tell_close(TO, 2), NGX_OK);
    expect_counters(TO, 0, 2, 2, 0);

    drain(TO);
    flush();
    expect_counters(TO, 2, 2, 2, 0);

    expect(TO, NGX_CMD_OPEN_CHANNEL, 1, FIRST_PID + 1);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    send_fillers(ngx_processes[TO].channel[0]);
    T_EQ(tell_close(TO, 3), NGX_OK);
    expect_counters(TO, 2, 3, 2, 0);
    expect_counters(3, 2, 0, 0, 0);

    finish();
}


/* A program's log may go through a channel, too. */

static ngx_log_t    own_log;
static ngx_cycle_t  own_cycle;
static ngx_int_t    wrote[3];
static ngx_uint_t   written;


static int
has_text(const u_char *buf, size_t len, const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "%.*s", (int) len, (const char *) buf);

    return strstr(line, text) != NULL;
}


static void
own_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (!has_text(buf, len, "sendmsg() failed") || written++) {
        return;
    }

    wrote[0] = tell(TO, NGX_CMD_QUIT);
    wrote[1] = tell_close(TO, 3);
    wrote[2] = tell(2, NGX_CMD_REOPEN);
}


static void
test_writer_in_flush(void)
{
    setup();

    own_log.log_level = NGX_LOG_INFO;
    own_log.writer = own_writer;
    own_cycle.log = &own_log;

    /* the first queue is the one that makes the log line */

    send_fillers(ngx_processes[ABOUT].channel[0]);
    T_EQ(tell_close(ABOUT, 2), NGX_OK);
    T_EQ(tell_open(TO, 2), NGX_OK);
    T_EQ(tell_close(TO, 2), NGX_OK);

    close(peer[ABOUT]);
    peer[ABOUT] = -1;
    drain(TO);

    T_EQ(ngx_reap_children(&own_cycle), 1);
    T_EQ(written, 1);
    T_EQ(wrote[0], NGX_AGAIN);
    T_EQ(wrote[1], NGX_OK);

    T_EQ(ngx_reap_children(&own_cycle), 1);
    expect(TO, NGX_CMD_OPEN_CHANNEL, 2, FIRST_PID + 2);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, FIRST_PID + 2);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 3, FIRST_PID + 3);
    expect_nothing(TO);

    finish();
}


static void
queue_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (!has_text(buf, len, "waits for s:") || written++) {
        return;
    }

    wrote[0] = tell_close(TO, 3);
}


/* The same where a line says that a message waits. */

static void
test_writer_while_queueing(void)
{
    ngx_channel_t  ch;

    setup();

    own_log.log_level = NGX_LOG_DEBUG_ALL;
    own_log.writer = queue_writer;

    t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
    ch.slot = 2;

    T_EQ(ngx_write_channel(ngx_processes[TO].channel[0], &ch,
                           sizeof(ngx_channel_t), &own_log),
         NGX_OK);
    T_EQ(written, 1);
    T_EQ(wrote[0], NGX_OK);

    drain(TO);
    flush();
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 2, 12345);
    expect(TO, NGX_CMD_CLOSE_CHANNEL, 3, FIRST_PID + 3);
    expect_nothing(TO);

    finish();
}


/* A process that reads when it is told to: its parent gets SIGIO then. */

static volatile int  *step;


static void
read_proc(ngx_cycle_t *cycle, void *data)
{
    ssize_t        n;
    ngx_channel_t  ch;

    while (*step == 0) {
        sched_yield();
    }

    for ( ;; ) {
        if (!t_readable(ngx_channel)) {
            _exit(1);
        }

        n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                             cycle->log);

        if (n == 32 && ch.command == NGX_CMD_CLOSE_CHANNEL) {
            _exit(ch.slot == 77 ? 0 : 2);
        }

        if (n == NGX_ERROR) {
            _exit(3);
        }
    }
}


static void
test_sigio(void)
{
    sigset_t  set, empty;

    step = t_shared(sizeof(int));

    t_init_signals();
    t_spawn(read_proc, NULL, "reader", NGX_PROCESS_NORESPAWN);

    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGCHLD);

    send_fillers(ngx_processes[0].channel[0]);
    T_EQ(tell_of(0, NGX_CMD_CLOSE_CHANNEL, 77, 4321, -1), NGX_OK);

    sigprocmask(SIG_BLOCK, &set, NULL);
    ngx_sigio = 0;
    *step = 1;

    while (!ngx_sigio) {
        sigsuspend(&empty);
    }

    (void) ngx_reap_children(t_cycle());

    while (!ngx_processes[0].exited) {
        sigsuspend(&empty);

        if (ngx_sigio) {
            ngx_sigio = 0;
            (void) ngx_reap_children(t_cycle());
        }
    }

    T_OK(WIFEXITED(ngx_processes[0].status));
    T_EQ(WEXITSTATUS(ngx_processes[0].status), 0);

    t_end_processes();
}

#endif


int
main(void)
{
    t_begin();

    t_run("nothing waits for a socket that is not in the table",
          test_not_in_table);

#if !(T_NGINX)

    t_run("OPEN and CLOSE wait in order", test_wait);
    t_run("what waits is sent by the event loop", test_loop);
    t_run("what waits is sent before the next message", test_next_write);
    t_run("what waits is sent before a message to another",
          test_write_to_another);
    t_run("what waits is sent at SIGIO", test_sigio);
    t_run("more waits than the socket takes", test_more_than_fits);
    t_run("no other message waits", test_others_do_not_wait);
    t_run("no other message overtakes", test_not_overtaken);
    t_run("ETOOMANYREFS is a full channel", test_toomanyrefs);
    t_run("OPEN of a process that has gone meanwhile", test_gone);
    t_run("OPEN of a process that has been replaced", test_replaced);
    t_run("OPEN with a descriptor of one's own", test_own_descriptor);
    t_run("what waits for a dead process is dropped", test_dead);
    t_run("what waits for a dead process, and for the next one",
          test_dead_and_next_waits);
    t_run("what waits for an empty slot is dropped", test_slot_empty);
    t_run("what waits for a process that has closed its end", test_closed);
    t_run("counters", test_counters);
    t_run("a log writer sends while the queues are sent",
          test_writer_in_flush);
    t_run("a log writer sends while a message is queued",
          test_writer_while_queueing);

#endif

    return t_end();
}
