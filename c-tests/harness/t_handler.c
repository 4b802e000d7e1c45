
/* A worker that receives messages, for the tests of ngx_channel_handler(). */


#include "t_handler.h"


void
t_handler_open(void)
{
    t_init_events();
    t_channel_open_messages();

    /*
     * This process gets the role and the table of a worker: its own slot is in
     * use, all other slots are free.
     */

    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = T_OWN_SLOT;
    ngx_last_process = T_OWN_SLOT + 1;

    ngx_processes[T_OWN_SLOT].pid = ngx_pid;
    ngx_processes[T_OWN_SLOT].channel[0] = -1;
    ngx_processes[T_OWN_SLOT].channel[1] = -1;
}


void
t_send_about(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd)
{
    ngx_channel_t  ch;

    t_message(&ch, command, fd);

    ch.slot = slot;
    ch.pid = pid;

    T_REQUIRE(t_put(&ch) == NGX_OK);
}


void
t_handle(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd)
{
    t_send_about(command, slot, pid, fd);
    t_handle_channel(t_pair[1]);
}


/*
 * Sends OPEN_CHANNEL for a slot to this worker and handles the message;
 * returns the descriptor that the worker then has in its table.
 */

int
t_open_slot(ngx_int_t slot, ngx_pid_t pid)
{
    int  fd;

    fd = t_some_fd();
    t_handle(NGX_CMD_OPEN_CHANNEL, slot, pid, fd);
    close(fd);

    T_REQUIRE(ngx_processes[slot].channel[0] > 2);
    T_REQUIRE(t_is_open(ngx_processes[slot].channel[0]));

    return ngx_processes[slot].channel[0];
}
