
/* ngx_ipc_spawn_processes(): processes that are started together. */


#include "test.h"


#define T_MEMBERS  16
#define T_HELLO    31
#define T_FILL     32

/* What each process tells, by its number. */

typedef struct {
    ngx_int_t  slot;
    ngx_int_t  last_before;         /* before it has read a message */
    ngx_int_t  known_before;
    ngx_int_t  messages;            /* until it knew all */
    ngx_int_t  opens;               /* of them with a descriptor */
    ngx_int_t  hellos;
    ngx_pid_t  pids[T_MEMBERS];
    int        wrong;
    int        open_fds;
} t_member_t;


static volatile t_member_t  *members;
static ngx_int_t             expected;      /* how many there are in all */

/* what holds the processes back until one is to go on, and what they answer */

static int  gate[2], answers[2];


/* How many of the others a process knows, its own slot not among them. */

static ngx_int_t
known(void)
{
    ngx_int_t  n, s;

    for (n = 0, s = 0; s < ngx_last_process; s++) {
        if (s != ngx_process_slot && ngx_processes[s].pid > 0
            && ngx_processes[s].channel[0] > 0)
        {
            n++;
        }
    }

    return n;
}


static void
wait_for_message(void)
{
    struct pollfd  pfd;

    pfd.fd = ngx_channel;
    pfd.events = POLLIN;

    T_REQUIRE(poll(&pfd, 1, 20000) == 1);
}


static void
read_messages(volatile t_member_t *m)
{
    ngx_channel_t  ch;

    while (ngx_read_channel(ngx_channel, &ch, sizeof(ch), t_log())
           == sizeof(ch))
    {
        if (ch.command == T_HELLO) {
            /* who greets is whom the table has in that slot */
            m->wrong |= ngx_processes[ch.slot].pid != ch.pid;
            m->hellos++;
            continue;
        }

        if (ch.command == T_FILL) {
            continue;
        }

        m->messages++;
        m->opens += (ch.command == NGX_CMD_OPEN_CHANNEL);
        m->wrong |= ngx_ipc_channel_command(&ch, t_log()) != NGX_OK;
    }
}


/* Until the other's channel takes it. */

static void
greet(int fd, ngx_channel_t *ch)
{
    ngx_int_t      rc;
    struct pollfd  pfd;

    pfd.fd = fd;
    pfd.events = POLLOUT;

    do {
        rc = ngx_write_channel(fd, ch, sizeof(ngx_channel_t), t_log());
    } while (rc == NGX_AGAIN && poll(&pfd, 1, 20000) == 1);

    T_EQ(rc, NGX_OK);
}


static void
greet_all(void)
{
    ngx_int_t      s;
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = T_HELLO;
    ch.pid = ngx_pid;
    ch.slot = ngx_process_slot;
    ch.fd = -1;

    for (s = 0; s < ngx_last_process; s++) {
        if (s != ngx_process_slot && ngx_processes[s].pid > 0) {
            greet(ngx_processes[s].channel[0], &ch);
        }
    }
}


static void
answer(void)
{
    T_REQUIRE(write(answers[1], "x", 1) == 1);
}


static void
wait_for_answers(ngx_int_t n)
{
    char  c;

    while (n-- > 0) {
        T_REQUIRE(read(answers[0], &c, 1) == 1);
    }
}


static void
open_gate(ngx_int_t n)
{
    while (n-- > 0) {
        T_REQUIRE(write(gate[1], "x", 1) == 1);
    }
}


/* Tells what it knows, is let through, gets to know the others, greets them. */

static void
member(ngx_cycle_t *cycle, void *data)
{
    char                  c;
    ngx_int_t             s;
    volatile t_member_t  *m;

    m = &members[(ngx_int_t) (intptr_t) data];
    m->slot = ngx_process_slot;
    m->last_before = ngx_last_process;
    m->known_before = known();

    T_EQ(ngx_ipc_init_channel(cycle, NULL), NGX_OK);
    answer();
    T_REQUIRE(read(gate[0], &c, 1) == 1);

    read_messages(m);

    while (known() < expected - 1) {
        wait_for_message();
        read_messages(m);
    }

    for (s = 0; s < ngx_last_process; s++) {
        m->pids[s] = ngx_processes[s].pid;
    }

    m->open_fds = t_open_fds();
    greet_all();

    while (m->hellos < expected - 1) {
        wait_for_message();
        read_messages(m);
    }

    answer();
    t_pause(cycle, NULL);
}


static void
begin(ngx_int_t n)
{
    members = t_shared(T_MEMBERS * sizeof(t_member_t));
    expected = n;
    T_EQ(pipe(gate), 0);
    T_EQ(pipe(answers), 0);
    ngx_ipc_init(t_cycle());
}


static void
end(void)
{
    t_end_processes();

    close(gate[0]);
    close(gate[1]);
    close(answers[0]);
    close(answers[1]);
}


static ngx_int_t
start(ngx_int_t n)
{
    return ngx_ipc_spawn_processes(t_cycle(), member, n, "member",
                                   NGX_PROCESS_RESPAWN);
}


/* All of them know all, and could greet all. */

static void
check_members(ngx_int_t n)
{
    ngx_int_t  i, s;

    for (i = 0; i < n; i++) {
        T_EQ(members[i].hellos, expected - 1);
        T_EQ(members[i].wrong, 0);

        for (s = 0; s < expected; s++) {
            T_EQ(members[i].pids[s], ngx_processes[s].pid);
        }
    }

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_five(void)
{
    ngx_int_t  i;

    begin(5);
    T_EQ(start(5), 5);

    T_EQ(ngx_process_slot, 4);
    T_EQ(ngx_last_process, 5);

    wait_for_answers(5);
    open_gate(5);
    wait_for_answers(5);
    check_members(5);

    for (i = 0; i < 5; i++) {

        /* as if they had been spawned one after the other, until it reads */

        T_EQ(members[i].slot, i);
        T_EQ(members[i].last_before, i + 1);
        T_EQ(members[i].known_before, i);

        T_EQ(members[i].messages, i < 4 ? 1 : 0);
        T_EQ(members[i].opens, 0);

        /* nobody has what is not his */

        T_EQ(members[i].open_fds, members[0].open_fds);

        T_EQ(ngx_processes[i].respawn, 1);
        T_EQ(ngx_processes[i].channel[1], -1);
        T_OK(ngx_processes[i].data == (void *) (intptr_t) i);
    }

    end();
}


/* Those that were there before are told as ever, of each. */

static void
test_five_more(void)
{
    begin(7);

    T_EQ(ngx_ipc_spawn_processes(t_cycle(), member, 2, "member",
                                 NGX_PROCESS_RESPAWN), 2);
    wait_for_answers(2);
    members = &members[2];
    T_EQ(start(5), 5);
    members = &members[-2];

    wait_for_answers(5);
    open_gate(7);
    wait_for_answers(7);
    check_members(7);

    T_EQ(members[0].messages, 1 + 5);
    T_EQ(members[0].opens, 5);
    T_EQ(members[1].messages, 5);
    T_EQ(members[2].messages, 1);
    T_EQ(members[6].messages, 0);
    T_EQ(members[6].open_fds, members[0].open_fds);

    end();
}


static void
test_freed_slots(void)
{
    ngx_int_t  i;

    begin(5);

    for (i = 0; i < 4; i++) {
        t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    }

    t_end_process(2);
    t_end_process(0);

    /* the two that are left do not answer */

    expected = 6;
    T_EQ(start(4), 4);
    T_EQ(ngx_process_slot, 5);
    T_EQ(ngx_last_process, 6);
    wait_for_answers(4);

    T_EQ(members[0].slot, 0);
    T_EQ(members[1].slot, 2);
    T_EQ(members[2].slot, 4);
    T_EQ(members[3].slot, 5);
    T_EQ(members[0].last_before, 4);
    T_EQ(members[2].last_before, 5);

    end();
}


/* Descriptors are short: those that could be are started together. */

static void
test_few_fds(void)
{
    begin(9);

    t_limit_fds(13);
    T_EQ(start(9), 9);
    t_more_fds();

    wait_for_answers(9);
    open_gate(9);
    wait_for_answers(9);
    check_members(9);

    T_OK(members[0].opens > 0);
    T_OK(members[0].messages < 8);
    T_EQ(members[8].open_fds, members[0].open_fds);

    end();
}


static void
test_no_fds(void)
{
    begin(1);

    t_no_more_fds();
    T_EQ(start(3), 0);
    t_more_fds();

    T_EQ(t_logged(NGX_LOG_ALERT, "socketpair() failed while spawning "
                  "\"member\" (24: Too many open files)"), 3);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[ngx_process_slot].pid, -1);

    end();
}


static void
test_no_fork(void)
{
    begin(1);

    t_fail_fork(EAGAIN);
    T_EQ(start(3), 0);

    T_EQ(t_logged(NGX_LOG_ALERT, "fork() failed while spawning \"member\""),
         3);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[0].pid, -1);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_EQ(ngx_processes[2].channel[0], -1);

    end();
}


/* One exits before another has read that it was started. */

static void
test_one_has_gone(void)
{
    ngx_int_t  i;

    t_init_events();
    begin(4);
    T_EQ(start(5), 5);
    wait_for_answers(5);

    T_EQ(kill(ngx_processes[3].pid, SIGKILL), 0);

    while (!ngx_processes[3].exited) {
        ngx_process_events_and_timers(t_cycle());
    }

    ngx_processes[3].respawn = 0;
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(ngx_processes[3].pid, -1);

    open_gate(4);
    wait_for_answers(4);

    for (i = 0; i < 5; i++) {
        if (i == 3) {
            continue;
        }

        T_EQ(members[i].hellos, 3);
        T_EQ(members[i].wrong, 0);
        T_EQ(members[i].opens, 0);
        T_OK(members[i].pids[3] <= 0);
        T_EQ(members[i].open_fds, members[0].open_fds);
    }

    end();
}


/* While the third is started, the channel of the first is filled. */

static ngx_log_writer_pt  write_line;


static void
fill_first(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    ngx_channel_t  ch;

    write_line(log, level, buf, len);

    if (level != NGX_LOG_NOTICE || ngx_process_slot != 2 || ngx_pid != getpid())
    {
        return;
    }

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = T_FILL;
    ch.fd = -1;

    while (send(ngx_processes[0].channel[0], &ch, sizeof(ngx_channel_t),
                MSG_DONTWAIT)
           == sizeof(ngx_channel_t))
    {
        /* void */
    }
}


/* What a full channel does not take is not lost (D14). */

static void
test_full_channel(void)
{
    struct pollfd  pfd;

    begin(5);

    write_line = t_log()->writer;
    t_log()->writer = fill_first;
    T_EQ(start(5), 5);
    t_log()->writer = write_line;

    wait_for_answers(5);
    open_gate(5);

    pfd.fd = answers[0];
    pfd.events = POLLIN;

    /* four of five cannot go on before the first has been told */

    while (members[0].messages == 0 || poll(&pfd, 1, 0) == 0) {
        ngx_reap_children(t_cycle());
        (void) poll(&pfd, 1, 1);
    }

    wait_for_answers(5);

    /* a greeting may have come before what had to wait */

    members[0].wrong = 0;
    check_members(5);
    T_EQ(members[0].messages, 1);

    end();
}


static void
test_bad_arguments(void)
{
    begin(1);

    T_EQ(start(0), 0);
    T_EQ(start(-1), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), NULL, 2, "member",
                                 NGX_PROCESS_RESPAWN), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), member, 2, "member", 0),
         NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), member, 2, "member",
                                 NGX_PROCESS_DETACHED), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), member, 2, "member", -6),
         NGX_ERROR);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 5);
    T_EQ(ngx_last_process, 0);

    end();
}


int
main(void)
{
    t_begin();

    t_run("five together", test_five);
    t_run("five more", test_five_more);
    t_run("slots that were freed", test_freed_slots);
    t_run("few descriptors", test_few_fds);
    t_run("no descriptors", test_no_fds);
    t_run("fork() fails", test_no_fork);
    t_run("one has gone before another is told of it", test_one_has_gone);
    t_run("D14 the first's channel is full", test_full_channel);
    t_run("bad arguments", test_bad_arguments);

    return t_end();
}
