
/* Tests of ngx_add_event() and the other functions of ngx_event_actions. */


#include "t_event.h"


static ngx_connection_t  *c;


static void
setup(ngx_event_handler_pt handler)
{
    t_event_setup();
    t_socketpair(t_pairs[0]);

    c = ngx_get_connection(t_pairs[0][1], t_log());
    T_REQUIRE(c != NULL);

    c->read->handler = handler;
    c->write->handler = handler;
}


static void
teardown(void)
{
    ngx_close_connection(c);
    close(t_pairs[0][0]);
}


static void
test_level(void)
{
    setup(t_count_handler);

    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT), NGX_OK);
    T_OK(c->read->active && !c->write->active);
    t_round_of(0);

    t_pair_put(0);
    t_round_of(1);
    T_OK(c->read->ready);
    t_round_of(2);

    T_EQ(ngx_del_event(c->read, NGX_READ_EVENT, 0), NGX_OK);
    T_OK(!c->read->active);
    t_round_of(2);

    teardown();
}


static void
test_clear(void)
{
    setup(t_count_handler);

    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT), NGX_OK);
    t_pair_put(0);
    t_round_of(1);

    /* Nothing new has arrived. */

    t_round_of(1);

    /* A ready event stays watched, although it is edge-triggered. */

    T_EQ(ngx_handle_read_event(c->read, 0), NGX_OK);
    T_OK(c->read->active);
    t_pair_put(0);
    t_round_of(2);

    /* An event that is added again is reported again. */

    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT), NGX_OK);
    t_round_of(3);

    teardown();
}


static void
test_both(void)
{
    setup(t_count_handler);

    T_EQ(ngx_add_event(c->write, NGX_WRITE_EVENT, 0), NGX_OK);
    T_OK(!c->read->active && c->write->active);
    t_round_of(1);
    T_OK(t_last_ev == c->write);

    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, 0), NGX_OK);
    t_pair_put(0);
    t_round_of(3);
    T_OK(t_last_ev == c->write);

    T_EQ(ngx_del_event(c->write, NGX_WRITE_EVENT, 0), NGX_OK);
    t_round_of(4);
    T_OK(t_last_ev == c->read);

    teardown();
}


static void
test_conn(void)
{
    setup(t_count_handler);

    T_EQ(ngx_add_conn(c), NGX_OK);
    T_OK(c->read->active && c->write->active);
    t_round_of(1);
    t_round_of(1);

    t_pair_put(0);
    t_round_of(3);

    T_EQ(ngx_del_conn(c, 0), NGX_OK);
    T_OK(!c->read->active && !c->write->active);
    t_pair_put(0);
    t_round_of(3);

    teardown();
}


static void
test_close(void)
{
    setup(t_count_handler);

    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, 0), NGX_OK);
    t_pair_put(0);

    /* The descriptor is still watched, but its event is not active. */

    T_EQ(ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT), NGX_OK);
    T_OK(!c->read->active);
    t_round_of(0);

    teardown();
}


static void
test_fails(void)
{
    setup(t_count_handler);

    close(c->fd);
    T_EQ(ngx_add_event(c->read, NGX_READ_EVENT, 0), NGX_ERROR);
    T_OK(!c->read->active);
    T_EQ(ngx_add_conn(c), NGX_ERROR);
    T_OK(!c->read->active && !c->write->active);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "epoll_ctl(1, %d) failed (9: Bad file descriptor)",
                   c->fd),
         2);

    T_EQ(ngx_add_event(NULL, NGX_READ_EVENT, 0), NGX_ERROR);
    T_EQ(ngx_del_event(NULL, NGX_READ_EVENT, 0), NGX_ERROR);
    T_EQ(ngx_add_conn(NULL), NGX_ERROR);
    T_EQ(ngx_del_conn(NULL, 0), NGX_ERROR);

    ngx_free_connection(c);
    close(t_pairs[0][0]);
}


static void
test_flags(void)
{
    T_EQ(ngx_event_flags, NGX_USE_LEVEL_EVENT|NGX_USE_GREEDY_EVENT|NGX_USE_EPOLL_EVENT);
    T_OK(ngx_event_actions.enable == ngx_add_event);
    T_OK(ngx_event_actions.disable == ngx_del_event);
    T_OK(ngx_process_events == NULL && ngx_notify == NULL);

    /* A program can replace a function. */

    ngx_event_actions.notify = (ngx_int_t (*)(ngx_event_handler_pt)) abort;
    T_OK(ngx_notify != NULL);
}


int
main(void)
{
    t_begin();

    t_run("a level-triggered event", test_level);
    t_run("an edge-triggered event", test_clear);
    t_run("both events of a connection", test_both);
    t_run("ngx_add_conn() and ngx_del_conn()", test_conn);
    t_run("ngx_del_event() with NGX_CLOSE_EVENT", test_close);
    t_run("ngx_add_event() fails", test_fails);
    t_run("ngx_event_flags and ngx_event_actions", test_flags);

    return t_end();
}
