
/*
 * Tests of the event loop: watched descriptors that are closed while another
 * process has them open, or whose numbers are used again.
 */


#include "t_event.h"


static void
close_self(ngx_event_t *ev)
{
    t_count_handler(ev);
    ngx_close_connection(ev->data);

    T_EQ(((ngx_connection_t *) ev->data)->fd, -1);
}


/*
 * epoll watches an open file description (epoll(7)).  While another process
 * has the description open, the kernel still reports events for a descriptor
 * that this process has closed.
 */

static void
test_closed_but_open(void)
{
    int  copy;

    t_pairs_open(1);
    copy = dup(t_pairs[0][1]);
    t_pair_put(0);
    t_loop_round();
    T_EQ(t_calls, 1);

    ngx_close_channel(t_pairs[0], t_log());
    t_quiet_round();
    t_quiet_round();

    close(copy);
}


static void
test_closed_connection_but_open(void)
{
    int  copy;

    t_pairs_open(1);
    copy = dup(t_pairs[0][1]);
    t_pair_put(0);
    t_loop_round();

    ngx_close_connection(t_last_ev->data);
    t_quiet_round();
    t_pair_put(0);
    t_quiet_round();

    close(copy);
    close(t_pairs[0][0]);
}


static void
test_closed_by_handler_but_open(void)
{
    int  copy;

    t_event_setup();
    t_socketpair(t_pairs[0]);
    copy = dup(t_pairs[0][1]);

    T_EQ(t_watch(t_pairs[0][1], NGX_READ_EVENT, close_self), NGX_OK);
    t_pair_put(0);
    t_loop_round();
    T_EQ(t_calls, 1);

    t_quiet_round();

    close(copy);
    close(t_pairs[0][0]);
}


static void
test_closed_but_open_in_child(void)
{
    int    until[2];
    pid_t  pid;

    t_pairs_open(1);
    T_REQUIRE(pipe(until) == 0);

    pid = t_spawn(t_hold_proc, until, "holder", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    t_pair_put(0);
    ngx_close_channel(t_pairs[0], t_log());
    t_quiet_round();

    close(until[0]);
    close(until[1]);
    t_wait(pid);
    t_end_processes();
}


/*
 * The program calls close() for a watched descriptor, which the event loop
 * does not notice.  A new descriptor gets the same number, and can be watched.
 */

static void
test_number_in_use_again(void)
{
    int  fd[2];

    t_pairs_open(1);

    close(t_pairs[0][0]);
    close(t_pairs[0][1]);
    t_socketpair(fd);
    T_EQ(fd[0] + fd[1], t_pairs[0][0] + t_pairs[0][1]);

    T_EQ(t_watch(t_pairs[0][1], NGX_READ_EVENT, t_count_handler), NGX_OK);
    t_quiet_round();
    t_pair_put(0);
    t_loop_round();
    T_EQ(t_calls, 1);

    t_pairs_close(1);
    t_quiet_round();
}


int
main(void)
{
    t_begin();

    t_run("a closed descriptor that another process has open",
          test_closed_but_open);
    t_run("a closed connection that another process has open",
          test_closed_connection_but_open);
    t_run("a handler closes its connection, another process has it open",
          test_closed_by_handler_but_open);
    t_run("a closed descriptor that is open in a child",
          test_closed_but_open_in_child);
    t_run("a descriptor number that is used again", test_number_in_use_again);

    return t_end();
}
