
/* Tests of a program that has its own event loop. */


#include "test.h"


typedef struct {
    int             reads;
    int             again;
    int             quit;
    volatile int    reopen;
    int             declined;
    ngx_uint_t      command;
    ngx_int_t       slot;
    ngx_socket_t    own[2];
    int             own_open;
    int             epoll;
    pid_t           pid;
    int             reached;
    int             sibling_closed;
} poller_t;


static poller_t  *poller;


static void
read_all(ngx_log_t *log)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    for ( ;; ) {
        n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t), log);

        if (n == NGX_AGAIN) {
            poller->again++;
            return;
        }

        if (n != (ngx_int_t) sizeof(ngx_channel_t)) {
            _exit(1);
        }

        poller->reads++;

        if (ngx_ipc_channel_command(&ch, log) == NGX_DECLINED) {
            poller->declined++;
            poller->command = ch.command;
        }
    }
}


static void
poll_proc(ngx_cycle_t *cycle, void *data)
{
    int             n;
    ngx_process_t  *own;

    n = t_open_fds();

    if (ngx_ipc_init_channel(cycle, NULL) != NGX_OK) {
        _exit(1);
    }

    own = &ngx_processes[ngx_process_slot];

    poller->slot = ngx_process_slot;
    poller->own[0] = own->channel[0];
    poller->own[1] = own->channel[1];
    poller->own_open = own->channel[1] == ngx_channel
                       && t_is_open(ngx_channel);
    poller->epoll = t_open_fds() - n;

    while (!ngx_quit) {

        if (!t_readable(ngx_channel)) {
            _exit(1);
        }

        read_all(cycle->log);

        if (ngx_reopen) {
            ngx_reopen = 0;

            /*
             * The command REOPEN follows the message about the other worker,
             * so the other worker is in the table now.
             */

            poller->pid = ngx_processes[1].pid;
            poller->reached = t_is_open(ngx_processes[1].channel[0]);
            poller->reopen++;
        }
    }

    poller->sibling_closed = ngx_processes[1].pid == -1
                             && ngx_processes[1].channel[0] == -1;
    poller->quit = 1;

    _exit(0);
}


static void
send_to(ngx_int_t slot, ngx_uint_t command, ngx_int_t about, int fd)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = command;
    ch.pid = ngx_processes[about].pid;
    ch.slot = about;
    ch.fd = fd;

    T_EQ(ngx_write_channel(ngx_processes[slot].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()), NGX_OK);
}


static void
test_own_loop(void)
{
    ngx_pid_t      pid[2];
    ngx_channel_t  ch;

    poller = t_shared(sizeof(poller_t));

    pid[0] = t_spawn(poll_proc, NULL, "poller", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[0] > 0);
    pid[1] = t_spawn(t_pause, NULL, "other", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[1] > 0);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = pid[1];
    ch.slot = ngx_process_slot;
    ch.fd = ngx_processes[ngx_process_slot].channel[0];
    ngx_pass_open_channel(t_cycle(), &ch);

    send_to(0, NGX_CMD_REOPEN, 0, -1);
    send_to(0, 31, 0, -1);
    send_to(0, NGX_CMD_CLOSE_CHANNEL, 1, -1);
    send_to(0, NGX_CMD_QUIT, 0, -1);

    T_EQ(t_wait(pid[0]), 0);

    T_EQ(poller->reads, 5);
    T_OK(poller->again >= 1);
    T_EQ(poller->reopen, 1);
    T_EQ(poller->declined, 1);
    T_EQ(poller->command, 31);
    T_EQ(poller->slot, 0);
    T_EQ(poller->own[0], -1);
    T_EQ(poller->own_open, 1);
    T_OK(poller->epoll <= 0);
    T_EQ(poller->sibling_closed, 1);
    T_EQ(poller->quit, 1);

    ngx_processes[0].exited = 1;
    t_end_processes();
}


/*
 * A program with its own event loop passes messages to
 * ngx_ipc_channel_command(), and so learns of other processes.
 */

static void
test_own_loop_learns_slot(void)
{
    pid_t  pid;

    poller = t_shared(sizeof(poller_t));

    pid = t_spawn(poll_proc, NULL, "poller", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_REQUIRE(t_spawn(t_pause, NULL, "other", NGX_PROCESS_NORESPAWN) > 0);

    send_to(0, NGX_CMD_OPEN_CHANNEL, 1, ngx_processes[1].channel[0]);
    send_to(0, NGX_CMD_REOPEN, 0, -1);

    while (poller->reopen == 0) {
        (void) sched_yield();
    }

    T_EQ(poller->pid, ngx_processes[1].pid);
    T_EQ(poller->reached, 1);

    send_to(0, NGX_CMD_QUIT, 0, -1);
    T_EQ(t_wait(pid), 0);

    ngx_processes[0].exited = 1;
    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("a program with its own event loop", test_own_loop);
    t_run("a program with its own event loop learns of other processes",
          test_own_loop_learns_slot);

    return t_end();
}
