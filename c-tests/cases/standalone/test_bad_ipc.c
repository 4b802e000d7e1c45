
/*
 * Tests of invalid arguments to the functions of the event loop and of
 * ngx_ipc.h.
 */


#include "t_bad.h"


/* Tests of the event loop. */

static int  calls;


static void
count_handler(ngx_event_t *ev)
{
    calls++;
}


static void
test_event_null_cycle(void)
{
    ngx_event_t  ev;

    t_init_events();
    t_channel_open();

    T_EQ(ngx_add_channel_event(NULL, t_pair[1], NGX_READ_EVENT,
                               count_handler), NGX_OK);
    T_EQ(ngx_add_channel_event(&t_no_log_cycle, t_pair[0], NGX_READ_EVENT,
                               count_handler), NGX_OK);
    T_EQ(ngx_add_channel_event(NULL, -1, NGX_READ_EVENT, count_handler),
         NGX_ERROR);
    T_EQ(ngx_add_channel_event(NULL, t_pair[1], 0, NULL), NGX_ERROR);
    T_EQ(ngx_add_channel_event(&t_no_log_cycle, -1, 0, NULL), NGX_ERROR);

    T_EQ(write(t_pair[0], "x", 1), 1);
    ngx_process_events_and_timers(NULL);
    T_EQ(calls, 1);
    ngx_process_events_and_timers(&t_no_log_cycle);
    T_EQ(calls, 2);

    ngx_close_channel(t_pair, NULL);

    /* An event that has neither a connection nor a handler. */

    memset(&ev, 0, sizeof(ngx_event_t));
    ngx_add_timer(&ev, 0);
    ngx_process_events_and_timers(NULL);
    T_OK(ev.timedout);

    t_no_alert();
}


static void
test_event_null(void)
{
    t_init_events();

    ngx_event_add_timer(NULL, 1);
    ngx_event_del_timer(NULL);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_free_connection(NULL);
    ngx_close_connection(NULL);

    t_no_alert();
}


static void
test_connection_no_fd(void)
{
    ngx_connection_t  *c;

    t_init_events();

    c = ngx_get_connection(-1, t_log());
    T_REQUIRE(c != NULL);
    ngx_free_connection(c);
    t_no_alert();

    c = ngx_get_connection(t_closed_fd(), t_log());
    T_REQUIRE(c != NULL);
    ngx_close_connection(c);
    T_EQ(c->fd, -1);
    t_one_alert("(9: Bad file descriptor)");

    c = ngx_get_connection(t_closed_fd(), NULL);
    T_REQUIRE(c != NULL);
    ngx_close_connection(c);
}


static void
test_handler_closed(void)
{
    ngx_connection_t  *c;

    t_init_events();
    t_channel_open();

    c = ngx_get_connection(t_pair[1], t_log());
    ngx_close_connection(c);
    ngx_channel_handler(c->read);
    T_OK(t_logged(NGX_LOG_ALERT, "") >= 1);

    c = ngx_get_connection(-1, NULL);
    ngx_channel_handler(c->read);

    close(t_pair[0]);
}


/* Tests of the functions of ngx_ipc.h. */

static void
test_start_null_cycle(void)
{
    T_REQUIRE(ngx_init_signals(NULL) == NGX_OK);

    ngx_start_worker_processes(NULL, 2, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_last_process, 2);

    ngx_signal_worker_processes(NULL, SIGTERM);

    while (ngx_reap_children(NULL)) {
        (void) sched_yield();
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, "worker process"), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


static void
test_start_bad_type(void)
{
    /*
     * The type is invalid for each of the three processes, and is logged once.
     */

    ngx_start_worker_processes(t_cycle(), 3, -6);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
    T_EQ(ngx_last_process, 0);

    ngx_start_worker_processes(t_cycle(), INTPTR_MIN, NGX_PROCESS_RESPAWN);
    T_EQ(ngx_last_process, 0);
}


/*
 * If the message is NULL, ngx_pass_open_channel() announces the process that
 * was spawned last.
 */

static void
test_pass_null(void)
{
    ngx_channel_t  ch;

    ngx_pass_open_channel(t_cycle(), NULL);
    ngx_pass_open_channel(NULL, NULL);
    ngx_pass_open_channel(&t_no_log_cycle, NULL);

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, -1);
    ngx_pass_open_channel(NULL, &ch);
    ngx_pass_open_channel(&t_no_log_cycle, &ch);
    t_no_alert();

    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    ngx_pass_open_channel(t_cycle(), NULL);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "pass channel s:1 pid:%d",
                   (int) ngx_processes[1].pid), 1);
    t_no_alert();

    t_end_processes();
}


static void
signal_fails(int signo)
{
    t_log_clear();
    ngx_signal_worker_processes(t_cycle(), signo);

    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "kill(%d, %d) failed (22: Invalid argument)",
                   (int) ngx_processes[0].pid, signo), 1);
    t_one_alert("");
    T_EQ(ngx_processes[0].exiting, 0);
    T_EQ(ngx_processes[0].exited, 0);
}


static void
test_signal_bad(void)
{
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    signal_fails(-1);
    signal_fails(9999);
    signal_fails(INT_MAX);

    t_end_processes();
}


static void
test_last_process_bad(void)
{
    ngx_uint_t        i;
    static ngx_int_t  bad[] = { -1, 1025, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        ngx_last_process = bad[i];

        ngx_signal_worker_processes(t_cycle(), SIGWINCH);
        T_EQ(ngx_reap_children(t_cycle()), 0);
        T_EQ(ngx_ipc_init_channel(t_cycle(), NULL), NGX_OK);
    }

    ngx_last_process = 0;
    t_no_alert();
}


static void
test_process_slot_bad(void)
{
    ngx_uint_t        i;
    ngx_channel_t     ch;
    static ngx_int_t  bad[] = { -1, 1024, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        ngx_process_slot = bad[i];

        t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
        T_EQ(ngx_ipc_init_channel(t_cycle(), NULL), NGX_OK);
        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_OK);
        ngx_pass_open_channel(t_cycle(), &ch);
    }

    ngx_process_slot = 0;
    t_no_alert();
}


static void
test_init_channel_none(void)
{
    t_init_events();

    ngx_channel = -1;

    T_EQ(ngx_ipc_init_channel(NULL, NULL), NGX_OK);
    T_EQ(ngx_ipc_init_channel(t_cycle(), ngx_channel_handler), NGX_ERROR);
    t_one_alert("epoll_ctl(1, -1) failed (9: Bad file descriptor)");
}


static void
test_command_null(void)
{
    ngx_channel_t  ch;

    T_EQ(ngx_ipc_channel_command(NULL, t_log()), NGX_ERROR);
    T_EQ(ngx_ipc_channel_command(NULL, NULL), NGX_ERROR);
    t_one_alert("no channel message to look at");
    t_log_clear();

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(ngx_ipc_channel_command(&ch, NULL), NGX_OK);
    T_EQ(ngx_quit, 1);
    t_no_alert();
}


/*
 * The message passes a descriptor for an invalid slot.
 * ngx_ipc_channel_command() closes the descriptor.
 */

static void
test_command_bad_slot(void)
{
    ngx_uint_t        i;
    ngx_channel_t     ch;
    static ngx_int_t  bad[] = { -1, 1024, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        t_log_clear();
        t_message(&ch, NGX_CMD_OPEN_CHANNEL, t_some_fd());
        ch.slot = bad[i];

        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_OK);
        t_one_alert("");
        T_OK(!t_is_open(ch.fd));

        t_message(&ch, NGX_CMD_OPEN_CHANNEL, t_some_fd());
        ch.slot = bad[i];
        T_EQ(ngx_ipc_channel_command(&ch, NULL), NGX_OK);
        T_OK(!t_is_open(ch.fd));
    }
}


static void
test_command_unknown(void)
{
    ngx_uint_t         i;
    ngx_channel_t      ch;
    static ngx_uint_t  bad[] = { 0, 6, 31, UINTPTR_MAX };

    for (i = 0; i < t_nitems(bad); i++) {
        t_message(&ch, bad[i], -1);
        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_DECLINED);
    }

    t_no_alert();
}


static void
test_debug_points_bad(void)
{
    ngx_ipc_debug_points = 77;
    ngx_debug_point();
    ngx_ipc_debug_points = (ngx_uint_t) -1;
    ngx_debug_point();
}


int
main(void)
{
    t_begin();

    t_run("an event loop without a cycle", test_event_null_cycle);
    t_run("a NULL event and a NULL connection", test_event_null);
    t_run("a connection without a descriptor", test_connection_no_fd);
    t_run("ngx_channel_handler() of a closed connection",
          test_handler_closed);

    t_run("workers without a cycle", test_start_null_cycle);
    t_run("workers of a bad type", test_start_bad_type);
    t_run("ngx_pass_open_channel() of NULL", test_pass_null);
    t_run("invalid signals", test_signal_bad);
    t_run("invalid values of ngx_last_process", test_last_process_bad);
    t_run("invalid values of ngx_process_slot", test_process_slot_bad);
    t_run("ngx_ipc_init_channel() without a channel",
          test_init_channel_none);
    t_run("ngx_ipc_channel_command() of NULL", test_command_null);
    t_run("ngx_ipc_channel_command() of a bad slot", test_command_bad_slot);
    t_run("ngx_ipc_channel_command() of other commands",
          test_command_unknown);
    t_run("invalid values of ngx_ipc_debug_points", test_debug_points_bad);

    return t_end();
}
