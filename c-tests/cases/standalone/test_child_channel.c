
/* Tests of a child whose channel's other end is closed. */


#include "t_channel.h"


typedef struct {
    int           step;
    ngx_socket_t  channel;
    ngx_socket_t  own[2];
    int           open;
} t_child_t;


static volatile t_child_t  *child;


static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));
}


static void
channel_proc(ngx_cycle_t *cycle, void *data)
{
    int  fd, number;

    if (ngx_ipc_init_channel(cycle, ngx_channel_handler) != NGX_OK) {
        _exit(1);
    }

    number = ngx_channel;
    child->step = 1;

    while (t_is_open(number)) {
        ngx_process_events_and_timers(cycle);
    }

    child->channel = ngx_channel;
    child->own[0] = ngx_processes[ngx_process_slot].channel[0];
    child->own[1] = ngx_processes[ngx_process_slot].channel[1];

    /*
     * The child has closed its end of the channel.  A new descriptor gets the
     * same number, and must not be closed.
     */

    fd = open("/dev/null", O_RDWR);

    if (fd == -1 || (fd != number && dup2(fd, number) == -1)) {
        _exit(2);
    }

    ngx_close_channel((ngx_fd_t *) ngx_processes[ngx_process_slot].channel,
                      cycle->log);

    child->open = t_is_open(number);
    _exit(0);
}


static void
test_channel_closed(void)
{
    setup();

    t_spawn(channel_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_await(&child->step, 1);
    t_close_slot(0);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(child->channel, -1);
    T_EQ(child->own[0], -1);
    T_EQ(child->own[1], -1);
    T_EQ(child->open, 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


/*
 * A process can read another channel than its own.  When the other end of that
 * channel is closed, the process's own channel stays open.
 */

static void
test_other_channel_closed(void)
{
    t_init_events();
    t_channel_open();

    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = 2;
    ngx_last_process = 3;
    ngx_processes[2].pid = ngx_pid;
    ngx_processes[2].channel[0] = -1;
    ngx_processes[2].channel[1] = t_some_fd();
    ngx_channel = ngx_processes[2].channel[1];

    close(t_pair[0]);
    t_handle_channel(t_pair[1]);

    T_OK(!t_is_open(t_pair[1]));
    T_OK(ngx_channel > 2);
    T_EQ(ngx_processes[2].channel[1], ngx_channel);

    close(ngx_channel);
}


int
main(void)
{
    t_begin();

    t_run("a child whose channel has been closed", test_channel_closed);
    t_run("a channel that is not the process's own is closed",
          test_other_channel_closed);

    return t_end();
}
