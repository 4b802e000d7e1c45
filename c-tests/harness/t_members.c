
/*
 * Processes that ngx_ipc_spawn_processes() starts together.  Each process, a
 * member, records which of the others it knows.
 */


#include "t_members.h"


#if !(T_NGINX)


volatile t_member_t  *t_members;
ngx_int_t             t_expected;      /* how many members there are in all */


/*
 * The pipes between the test and the members.  A member waits until it reads a
 * byte from "gate", and writes a byte to "t_answers" when it is done.
 */

static int  gate[2];
int         t_answers[2];


/*
 * Returns the number of other processes that have a pid and a channel in this
 * process's table.
 */

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
            /*
             * The sender's pid must be in this process's table, in the slot
             * that the message names.
             */
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


/* Sends a greeting; waits while the channel is full. */

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
    T_REQUIRE(write(t_answers[1], "x", 1) == 1);
}


void
t_wait_for_answers(ngx_int_t n)
{
    char  c;

    while (n-- > 0) {
        T_REQUIRE(read(t_answers[0], &c, 1) == 1);
    }
}


void
t_open_gate(ngx_int_t n)
{
    while (n-- > 0) {
        T_REQUIRE(write(gate[1], "x", 1) == 1);
    }
}


/*
 * The function of a member.  It records which processes are in its table,
 * waits at the gate, reads messages until it knows all other members, sends a
 * greeting to each of them, and waits for a greeting from each.
 */

void
t_member(ngx_cycle_t *cycle, void *data)
{
    char                  c;
    ngx_int_t             s;
    volatile t_member_t  *m;

    m = &t_members[(ngx_int_t) (intptr_t) data];
    m->slot = ngx_process_slot;
    m->last_before = ngx_last_process;
    m->known_before = known();

    T_EQ(ngx_ipc_init_channel(cycle, NULL), NGX_OK);
    answer();
    T_REQUIRE(read(gate[0], &c, 1) == 1);

    read_messages(m);

    while (known() < t_expected - 1) {
        wait_for_message();
        read_messages(m);
    }

    for (s = 0; s < ngx_last_process; s++) {
        m->pids[s] = ngx_processes[s].pid;
    }

    m->open_fds = t_open_fds();
    greet_all();

    while (m->hellos < t_expected - 1) {
        wait_for_message();
        read_messages(m);
    }

    answer();
    t_pause(cycle, NULL);
}


void
t_members_begin(ngx_int_t n)
{
    t_members = t_shared(T_MEMBERS * sizeof(t_member_t));
    t_expected = n;
    T_EQ(pipe(gate), 0);
    T_EQ(pipe(t_answers), 0);
    ngx_ipc_init(t_cycle());
}


void
t_members_end(void)
{
    t_end_processes();

    close(gate[0]);
    close(gate[1]);
    close(t_answers[0]);
    close(t_answers[1]);
}


ngx_int_t
t_members_start(ngx_int_t n)
{
    return ngx_ipc_spawn_processes(t_cycle(), t_member, n, "member",
                                   NGX_PROCESS_RESPAWN);
}


/*
 * Checks the first n members: each of them knows all other members, and has
 * received a greeting from each.
 */

void
t_members_check(ngx_int_t n)
{
    ngx_int_t  i, s;

    for (i = 0; i < n; i++) {
        T_EQ(t_members[i].hellos, t_expected - 1);
        T_EQ(t_members[i].wrong, 0);

        for (s = 0; s < t_expected; s++) {
            T_EQ(t_members[i].pids[s], ngx_processes[s].pid);
        }
    }

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


#endif
