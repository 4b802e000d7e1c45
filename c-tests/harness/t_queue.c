
/*
 * A process table whose pids belong to no process, for the tests of control
 * messages that wait in a queue.  The test holds the other ends of the
 * channels.
 */


#include "t_queue.h"


#if !(T_NGINX)


int  t_peer[T_PROCESSES];


/*
 * Fills a slot of the table.  The table has one end of the new channel, and
 * the test holds the other end in t_peer[].
 */

void
t_table_add(ngx_int_t slot, ngx_pid_t pid)
{
    int  fd[2];

    t_message_pair(fd);

    ngx_processes[slot].pid = pid;
    ngx_processes[slot].channel[0] = fd[0];
    ngx_processes[slot].channel[1] = -1;

    t_peer[slot] = fd[1];

    if (slot >= ngx_last_process) {
        ngx_last_process = slot + 1;
    }
}


void
t_table_remove(ngx_int_t slot)
{
    t_close_slot(slot);
    close(t_peer[slot]);

    ngx_processes[slot].pid = -1;
    t_peer[slot] = -1;
}


void
t_table_open(void)
{
    int  i;

    t_init_events();

    for (i = 0; i < T_PROCESSES; i++) {
        t_table_add(i, T_FIRST_PID + i);
    }

    ngx_process_slot = T_PROCESSES - 1;

    t_fill_channel(ngx_processes[T_TO].channel[0]);
}


void
t_table_close(void)
{
    int  i;

    for (i = 0; i < T_PROCESSES; i++) {
        t_table_remove(i);
    }

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


ngx_int_t
t_tell_about(ngx_int_t to, ngx_uint_t command, ngx_int_t about, ngx_pid_t pid,
    int fd)
{
    ngx_channel_t  ch;

    t_message(&ch, command, fd);

    ch.slot = about;
    ch.pid = pid;

    return ngx_write_channel(ngx_processes[to].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log());
}


ngx_int_t
t_tell_open(ngx_int_t to, ngx_int_t about)
{
    return t_tell_about(to, NGX_CMD_OPEN_CHANNEL, about,
                        ngx_processes[about].pid,
                        ngx_processes[about].channel[0]);
}


ngx_int_t
t_tell_close(ngx_int_t to, ngx_int_t about)
{
    return t_tell_about(to, NGX_CMD_CLOSE_CHANNEL, about,
                        ngx_processes[about].pid, -1);
}


ngx_int_t
t_tell(ngx_int_t to, ngx_uint_t command)
{
    return t_tell_about(to, command, 0, 0, -1);
}


ngx_int_t
t_receive(ngx_int_t slot, ngx_channel_t *ch)
{
    return ngx_read_channel(t_peer[slot], ch, sizeof(ngx_channel_t), t_log());
}


/*
 * Reads all messages of a channel, and checks that each of them has the
 * command T_FILLER.
 */

void
t_drain(ngx_int_t slot)
{
    ngx_channel_t  ch;

    while (t_unread(t_peer[slot]) > 0) {
        T_REQUIRE(t_receive(slot, &ch) == 32);
        T_EQ(ch.command, T_FILLER);
    }
}


void
t_expect_nothing(ngx_int_t slot)
{
    ngx_channel_t  ch;

    T_EQ(t_receive(slot, &ch), NGX_AGAIN);
}


void
t_expect(ngx_int_t slot, ngx_uint_t command, ngx_int_t about, ngx_pid_t pid)
{
    ngx_channel_t  ch;

    T_REQUIRE(t_receive(slot, &ch) == 32);

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


/*
 * Sends the queued messages.  A program that has its own event loop calls
 * ngx_reap_children() for this from time to time.
 */

void
t_send_queues(void)
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


void
t_expect_counters(ngx_int_t slot, ngx_uint_t sent, ngx_uint_t queued,
    ngx_uint_t queued_max, ngx_uint_t dropped)
{
    ngx_ipc_process_t  info;

    get_info(slot, &info);

    T_EQ(info.sent, sent);
    T_EQ(info.queued, queued);
    T_EQ(info.queued_max, queued_max);
    T_EQ(info.dropped, dropped);
}


#endif
