
/* Tests of the event loop: events of descriptors. */


#include "t_event.h"


static void
test_read(void)
{
    char               buf[2];
    ngx_connection_t  *c;

    t_pairs_open(1);
    t_quiet_round();

    t_pair_put(0);
    t_loop_round();

    T_EQ(t_calls, 1);
    T_REQUIRE(t_last_ev != NULL);

    c = t_last_ev->data;
    T_EQ(c->fd, t_pairs[0][1]);
    T_OK(c->read == t_last_ev);
    T_OK(c->write != NULL && c->write != t_last_ev);
    T_OK(c->log == t_log());
    T_OK(t_last_ev->log == t_log());
    T_OK(t_last_ev->active);
    T_OK(t_last_ev->ready);
    T_OK(t_last_ev->channel);
    T_OK(!t_last_ev->write);
    T_OK(!t_last_ev->timedout);

    /*
     * The handler has read nothing, so the next call of the event loop reports
     * the event again.
     */

    t_loop_round();
    T_EQ(t_calls, 2);

    T_EQ(read(t_pairs[0][1], buf, 2), 1);
    t_quiet_round();

    t_pairs_close(1);
}


static void
test_write(void)
{
    char               buf[4096];
    ngx_connection_t  *c;

    t_event_setup();
    t_socketpair(t_pairs[0]);
    memset(buf, 0, sizeof(buf));

    T_EQ(t_watch(t_pairs[0][0], NGX_WRITE_EVENT, t_count_handler), NGX_OK);

    t_loop_round();
    T_EQ(t_calls, 1);

    c = t_last_ev->data;
    T_OK(c->write == t_last_ev);
    T_OK(t_last_ev->write);
    T_OK(t_last_ev->ready);

    while (write(t_pairs[0][0], buf, sizeof(buf)) > 0) {
        /* void */
    }

    t_quiet_round();

    while (read(t_pairs[0][1], buf, sizeof(buf)) > 0) {
        /* void */
    }

    t_loop_round();
    T_EQ(t_calls, 2);

    t_pairs_close(1);
}


static void
test_some_of_many(void)
{
    int  i;

    t_pairs_open(20);

    t_pair_put(3);
    t_pair_put(11);
    t_pair_put(19);
    t_loop_round();

    for (i = 0; i < 20; i++) {
        T_EQ(t_called[t_pairs[i][1]], i == 3 || i == 11 || i == 19);
    }

    t_pairs_close(20);
}


/*
 * More events are pending than one epoll_wait() returns.  After a few calls of
 * the event loop, each handler has been called.
 */

static void
test_all_of_many(void)
{
    int  i;

    t_pairs_open(T_PAIRS);

    for (i = 0; i < T_PAIRS; i++) {
        t_pair_put(i);
    }

    for (i = 0; i < 20; i++) {
        t_loop_round();
    }

    for (i = 0; i < T_PAIRS; i++) {
        T_OK(t_called[t_pairs[i][1]] > 0);
    }

    t_pairs_close(T_PAIRS);
}


static void
test_end_of_file(void)
{
    t_pairs_open(1);

    close(t_pairs[0][0]);
    t_pairs[0][0] = -1;
    t_loop_round();

    T_EQ(t_calls, 1);

    t_pairs_close(1);
    t_quiet_round();
}


static void
test_pipe(void)
{
    t_event_setup();

    T_REQUIRE(pipe2(t_pairs[0], O_CLOEXEC|O_NONBLOCK) == 0);
    T_EQ(t_watch(t_pairs[0][0], NGX_READ_EVENT, t_count_handler), NGX_OK);

    t_quiet_round();
    T_EQ(write(t_pairs[0][1], "x", 1), 1);
    t_loop_round();
    T_EQ(t_calls, 1);

    ngx_close_channel(t_pairs[0], t_log());
    t_quiet_round();
}


/* While a full socket is readable, only the reader gets an event. */

static void
test_only_readable(void)
{
    static char        data[4096];
    ngx_connection_t  *c;

    t_event_setup();
    t_socketpair(t_pairs[0]);

    while (write(t_pairs[0][1], data, sizeof(data)) > 0) { /* void */ }

    c = ngx_get_connection(t_pairs[0][1], t_log());
    T_REQUIRE(c != NULL);

    c->read->handler = t_count_handler;
    c->write->handler = t_count_handler;
    T_EQ(ngx_handle_read_event(c->read, 0), NGX_OK);
    T_EQ(ngx_handle_write_event(c->write, 0), NGX_OK);

    T_EQ(write(t_pairs[0][0], "x", 1), 1);
    t_loop_round();
    T_EQ(t_calls, 1);
    T_OK(t_last_ev == c->read);

    ngx_free_connection(c);
    ngx_close_channel(t_pairs[0], t_log());
    t_quiet_round();
}


/* If nothing reads from a full pipe any more, the writer gets the only event. */

static void
test_broken_pipe(void)
{
    static char  data[4096];

    t_event_setup();

    T_REQUIRE(pipe2(t_pairs[0], O_CLOEXEC|O_NONBLOCK) == 0);

    while (write(t_pairs[0][1], data, sizeof(data)) > 0) {
        /* void */
    }

    T_EQ(t_watch(t_pairs[0][1], NGX_WRITE_EVENT, t_count_handler), NGX_OK);
    t_quiet_round();

    close(t_pairs[0][0]);
    t_pairs[0][0] = -1;
    t_loop_round();
    T_EQ(t_calls, 1);
    T_OK(t_last_ev->write);

    t_pairs_close(1);
    t_quiet_round();
}


/* If nothing writes to an empty pipe any more, the reader gets the only event. */

static void
test_ended_pipe(void)
{
    t_event_setup();

    T_REQUIRE(pipe2(t_pairs[0], O_CLOEXEC|O_NONBLOCK) == 0);
    T_EQ(t_watch(t_pairs[0][0], NGX_READ_EVENT, t_count_handler), NGX_OK);
    t_quiet_round();

    close(t_pairs[0][1]);
    t_pairs[0][1] = -1;
    t_loop_round();
    T_EQ(t_calls, 1);
    T_OK(!t_last_ev->write);

    t_pairs_close(1);
    t_quiet_round();
}


/* While a descriptor is readable, the event loop does not wait for a timer. */

static void
test_ready_before_timer(void)
{
    t_pairs_open(1);
    t_pair_put(0);

    ngx_add_timer(&t_timers[1], 100000);
    t_loop_round();

    T_EQ(t_calls, 1);
    T_EQ(t_norder, 0);
    T_OK(t_timers[1].timer_set);

    ngx_del_timer(&t_timers[1]);
    t_pairs_close(1);
}


/* The timer of a connection's read event expires. */

static void
test_timer_of_connection(void)
{
    ngx_connection_t  *c;

    t_pairs_open(1);
    t_pair_put(0);
    t_loop_round();

    c = t_last_ev->data;
    c->write->handler = t_count_handler;
    ngx_add_timer(c->write, 1000);
    T_EQ(ngx_event_no_timers_left(), NGX_AGAIN);

    /* When the connection is closed, its timer is deleted. */

    t_pairs_close(1);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


int
main(void)
{
    t_begin();

    t_run("a read event", test_read);
    t_run("a write event", test_write);
    t_run("events of some of 20 descriptors", test_some_of_many);
    t_run("events of all of 200 descriptors", test_all_of_many);
    t_run("an end of file is an event", test_end_of_file);
    t_run("a pipe", test_pipe);
    t_run("a full socket is readable", test_only_readable);
    t_run("a full pipe breaks", test_broken_pipe);
    t_run("an empty pipe ends", test_ended_pipe);
    t_run("an event before a timer expires", test_ready_before_timer);
    t_run("a timer of a connection", test_timer_of_connection);

    return t_end();
}
