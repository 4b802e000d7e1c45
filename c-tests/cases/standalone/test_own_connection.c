
/* Tests of connections that the program has made without ngx_get_connection(). */


#include "t_event.h"


static ngx_connection_t  own;
static ngx_event_t       rev, wev;


/* Makes a connection as code for nginx does, in memory with any contents. */

static void
own_init(ngx_connection_t *c, int fd, ngx_event_handler_pt handler)
{
    memset(&rev, 0, sizeof(rev));
    memset(&wev, 0, sizeof(wev));
    memset(c, 0xa5, sizeof(*c));

    c->fd = fd;
    c->read = &rev;
    c->write = &wev;
    c->log = NULL;

    rev.data = c;
    rev.log = t_log();
    rev.handler = handler;

    wev.data = c;
    wev.write = 1;
    wev.log = t_log();
    wev.handler = handler;
}


static void
setup(void)
{
    t_event_setup();
    t_socketpair(t_pairs[0]);

    own_init(&own, t_pairs[0][1], t_count_handler);
}


static void
teardown(void)
{
    close(t_pairs[0][0]);
    close(t_pairs[0][1]);
}


static void
test_read(void)
{
    setup();

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_OK(rev.active && !wev.active);
    t_round_of(0);

    t_pair_put(0);
    t_round_of(1);
    T_OK(t_last_ev == &rev && rev.ready);
    t_round_of(2);

    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_OK(!rev.active);
    t_round_of(2);

    teardown();
}


static void
test_both(void)
{
    setup();

    T_EQ(ngx_add_event(&wev, NGX_WRITE_EVENT, 0), NGX_OK);
    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_OK(rev.active && wev.active);

    t_pair_put(0);
    t_round_of(2);

    T_EQ(ngx_del_event(&wev, NGX_WRITE_EVENT, 0), NGX_OK);
    T_OK(rev.active && !wev.active);
    t_round_of(3);
    T_OK(t_last_ev == &rev);

    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    t_round_of(3);

    teardown();
}


static void
test_conn(void)
{
    setup();

    T_EQ(ngx_add_conn(&own), NGX_OK);
    T_OK(rev.active && wev.active);
    t_round_of(1);
    T_OK(t_last_ev == &wev);
    t_round_of(1);

    t_pair_put(0);
    t_round_of(3);

    T_EQ(ngx_del_conn(&own, 0), NGX_OK);
    T_OK(!rev.active && !wev.active);
    t_pair_put(0);
    t_round_of(3);

    teardown();
}


static void
test_handle(void)
{
    setup();

    T_EQ(ngx_handle_read_event(&rev, 0), NGX_OK);
    T_OK(rev.active);
    t_pair_put(0);
    t_round_of(1);

    /* The event is ready, so it is not watched any more. */

    T_EQ(ngx_handle_read_event(&rev, 0), NGX_OK);
    T_OK(!rev.active);
    t_round_of(1);

    T_EQ(ngx_handle_write_event(&wev, 0), NGX_OK);
    T_OK(wev.active && !rev.active);
    t_round_of(2);

    T_EQ(ngx_handle_write_event(&wev, 0), NGX_OK);
    T_OK(!wev.active);
    t_round_of(2);

    teardown();
}


/* A program closes the descriptor and uses the connection with another one. */

static void
test_again(void)
{
    int  fd;

    setup();

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    close(t_pairs[0][1]);
    close(t_pairs[0][0]);

    fd = t_pairs[0][1];
    t_socketpair(t_pairs[0]);
    T_EQ(t_pairs[0][1], fd);
    T_OK(rev.active);

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    t_pair_put(0);
    t_round_of(1);

    /* The same with zeroed events, as after a new start of a child. */

    close(t_pairs[0][1]);
    close(t_pairs[0][0]);
    t_socketpair(t_pairs[0]);
    own_init(&own, t_pairs[0][1], t_count_handler);

    T_EQ(ngx_add_event(&wev, NGX_WRITE_EVENT, 0), NGX_OK);
    t_round_of(2);
    T_OK(t_last_ev == &wev);

    T_EQ(ngx_del_event(&wev, NGX_WRITE_EVENT, NGX_CLOSE_EVENT), NGX_OK);
    t_round_of(2);

    teardown();
}


/* The descriptor of a closed connection gets a connection of the library. */

static void
test_replaced(void)
{
    ngx_uint_t         i, k, n;
    ngx_connection_t  *c, *seen[10];

    setup();

    n = 0;

    for (i = 0; i < 10; i++) {
        own_init(&own, t_pairs[0][1], t_count_handler);
        T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);

        teardown();
        t_socketpair(t_pairs[0]);

        c = ngx_get_connection(t_pairs[0][1], t_log());
        T_REQUIRE(c != NULL);
        c->read->handler = t_count_handler;
        T_EQ(ngx_handle_read_event(c->read, 0), NGX_OK);

        t_pair_put(0);
        t_round_of(i + 1);
        T_OK(t_last_ev == c->read);

        for (k = 0; k < n && seen[k] != c; k++) { /* void */ }

        if (k == n) {
            seen[n++] = c;
        }

        ngx_free_connection(c);
    }

    /* The event loop keeps no connection for the closed descriptors. */

    T_OK(n <= 2);

    teardown();
}


static void
test_fails(void)
{
    setup();
    teardown();

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_ERROR);
    T_OK(!rev.active && !wev.active);
    T_EQ(ngx_add_conn(&own), NGX_ERROR);
    T_OK(!rev.active && !wev.active);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "epoll_ctl(1, %d) failed (9: Bad file descriptor)",
                   own.fd),
         2);

    /* An event that is not active is deleted without a call of the kernel. */

    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);

    /* An event that is added twice stays as it is. */

    t_socketpair(t_pairs[0]);
    own_init(&own, t_pairs[0][1], t_count_handler);
    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "epoll_ctl(1, %d) failed (17: File exists)", own.fd),
         1);
    T_OK(rev.active);

    t_pair_put(0);
    t_round_of(1);
    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    t_round_of(1);
    teardown();

    /* A connection can have one event. */

    t_socketpair(t_pairs[0]);
    own_init(&own, t_pairs[0][1], t_count_handler);
    own.write = NULL;

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    t_pair_put(0);
    t_round_of(2);
    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);

    teardown();
}


static void
test_close(void)
{
    setup();

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    ngx_add_timer(&rev, 0);
    ngx_post_event(&wev, &ngx_posted_events);
    t_pair_put(0);

    ngx_close_connection(&own);

    T_EQ(own.fd, -1);
    T_OK(!rev.active && !rev.timer_set && !wev.posted);
    T_OK(!t_is_open(t_pairs[0][1]));
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    ngx_close_connection(&own);
    T_EQ(t_logged(NGX_LOG_ALERT, "connection already closed"), 1);
    t_round_of(0);

    close(t_pairs[0][0]);
}


static void
test_free(void)
{
    setup();

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    t_pair_put(0);

    ngx_free_connection(&own);

    T_OK(!rev.active && t_is_open(own.fd));
    t_round_of(0);

    teardown();
}


/* A handler of the round closes the connection. */

static void
close_own(ngx_event_t *ev)
{
    t_calls++;
    T_EQ(ngx_del_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_EQ(ngx_del_event(&wev, NGX_WRITE_EVENT, 0), NGX_OK);
    memset(&own, 0, sizeof(own));
}


static void
test_handler_closes(void)
{
    setup();

    rev.handler = close_own;
    wev.handler = close_own;

    T_EQ(ngx_add_event(&rev, NGX_READ_EVENT, 0), NGX_OK);
    T_EQ(ngx_add_event(&wev, NGX_WRITE_EVENT, 0), NGX_OK);
    t_pair_put(0);
    t_round_of(1);
    t_round_of(1);

    teardown();
}


/* Events of a connection of the library that are posted when it is closed. */

static void
test_posted(void)
{
    ngx_connection_t  *c;

    setup();

    c = ngx_get_connection(t_pairs[0][1], t_log());
    T_REQUIRE(c != NULL);

    c->read->handler = t_count_handler;
    c->write->handler = t_count_handler;

    t_round_of(0);

    ngx_post_event(c->read, &ngx_posted_events);
    ngx_post_event(&t_posted, &ngx_posted_events);
    ngx_post_event(c->write, &ngx_posted_next_events);

    ngx_free_connection(c);
    T_OK(!c->read->posted && !c->write->posted);
    T_OK(ngx_queue_empty(&ngx_posted_next_events));
    T_OK(ngx_queue_head(&ngx_posted_events) == &t_posted.queue);
    T_OK(ngx_queue_last(&ngx_posted_events) == &t_posted.queue);

    t_round_of(0);
    teardown();
}


int
main(void)
{
    t_begin();

    t_run("the read event", test_read);
    t_run("both events", test_both);
    t_run("ngx_add_conn() and ngx_del_conn()", test_conn);
    t_run("ngx_handle_read_event() and ngx_handle_write_event()", test_handle);
    t_run("another descriptor with the same number", test_again);
    t_run("a connection of the library with the same descriptor", test_replaced);
    t_run("errors", test_fails);
    t_run("ngx_close_connection()", test_close);
    t_run("ngx_free_connection()", test_free);
    t_run("a handler deletes both events", test_handler_closes);
    t_run("posted events of a closed connection", test_posted);

    return t_end();
}
