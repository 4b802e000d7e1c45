
/*
 * Tests of ngx_channel_handler(): which fields a message about another process
 * changes in the table.
 */


#include "t_handler.h"


static void
test_close_of_another(void)
{
    int  fd;

    t_handler_open();

    fd = t_open_slot(T_OTHER_SLOT, 4322);

    /*
     * The message arrives late: it is about the previous process of the slot,
     * so the new process stays in the table.
     */

    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);
    T_EQ(ngx_processes[T_OTHER_SLOT].pid, 4322);
    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], fd);
    T_OK(t_is_open(fd));

    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4322, -1);
    T_EQ(ngx_processes[T_OTHER_SLOT].pid, -1);
    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);
    T_OK(!t_is_open(fd));
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_open_clears(void)
{
    t_handler_open();

    ngx_processes[T_OTHER_SLOT].pid = 4321;
    ngx_processes[T_OTHER_SLOT].channel[0] = -1;
    ngx_processes[T_OTHER_SLOT].channel[1] = -1;
    ngx_processes[T_OTHER_SLOT].respawn = 1;
    ngx_processes[T_OTHER_SLOT].exiting = 1;
    ngx_processes[T_OTHER_SLOT].exited = 1;

    (void) t_open_slot(T_OTHER_SLOT, 4322);

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, 4322);
    T_EQ(ngx_processes[T_OTHER_SLOT].respawn, 0);
    T_EQ(ngx_processes[T_OTHER_SLOT].exiting, 0);
    T_EQ(ngx_processes[T_OTHER_SLOT].exited, 0);

    ngx_processes[T_OTHER_SLOT].exited = 1;
    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4322, -1);

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, -1);
    T_EQ(ngx_processes[T_OTHER_SLOT].exited, 0);

    t_channel_close();
}


int
main(void)
{
    t_begin();

    t_run("CLOSE_CHANNEL for the previous process of a slot",
          test_close_of_another);
    t_run("OPEN_CHANNEL and CLOSE_CHANNEL clear the flags of a slot",
          test_open_clears);

    return t_end();
}
