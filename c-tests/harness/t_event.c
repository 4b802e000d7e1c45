
/* Timers and watched descriptors, for the tests of the event loop. */


#include "t_event.h"

#include <time.h>


ngx_event_t              t_timers[4];
int                      t_order[64];
int                      t_norder;

static ngx_connection_t  connection;


/*
 * nginx's ngx_process_events_and_timers() calls an event module.  This module
 * has no events: it waits until the next timer expires.
 */

#if (T_NGINX)

static ngx_int_t
wait_only(ngx_cycle_t *cycle, ngx_msec_t timer, ngx_uint_t flags)
{
    (void) poll(NULL, 0, (int) timer);
    ngx_time_update();

    return NGX_OK;
}


static void
loop_init(void)
{
    ngx_event_actions.process_events = wait_only;
    T_REQUIRE(ngx_event_timer_init(t_log()) == NGX_OK);

    ngx_queue_init(&ngx_posted_accept_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_queue_init(&ngx_posted_events);
}

#else

static void
loop_init(void)
{
    ngx_time_init();
    t_init_events();
}

#endif


void
t_loop_round(void)
{
    ngx_process_events_and_timers(t_cycle());
}


long long
t_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
t_timer_handler(ngx_event_t *ev)
{
    T_OK(ev->timedout);
    T_OK(!ev->timer_set);

    t_order[t_norder++] = (int) (ev - t_timers);
}


void
t_timers_init(void)
{
    ngx_uint_t  i;

    memset(t_timers, 0, sizeof(t_timers));
    connection.fd = -1;

    for (i = 0; i < t_nitems(t_timers); i++) {
        t_timers[i].data = &connection;
        t_timers[i].log = t_log();
        t_timers[i].handler = t_timer_handler;
    }

    ngx_time_update();
}


void
t_event_setup(void)
{
    loop_init();
    t_timers_init();
}


#if !(T_NGINX)

/* Descriptors that the event loop watches, and counters of handler calls. */

int                t_pairs[T_PAIRS][2];
ngx_connection_t  *t_others[4];
int                t_called[T_FDS_MAX];
int                t_calls;
ngx_event_t       *t_last_ev;
ngx_event_t        t_posted;


void
t_count_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    T_REQUIRE(c->fd >= 0 && c->fd < T_FDS_MAX);

    t_called[c->fd]++;
    t_calls++;
    t_last_ev = ev;
}


ngx_int_t
t_watch(int fd, ngx_int_t event, ngx_event_handler_pt handler)
{
    return ngx_add_channel_event(t_cycle(), fd, event, handler);
}


ngx_connection_t *
t_watched(int fd, ngx_event_handler_pt handler)
{
    ngx_connection_t  *c;

    /*
     * The event loop creates the connection.  The test learns the connection's
     * address from the first event.
     */

    T_REQUIRE(t_watch(fd, NGX_READ_EVENT, handler) == NGX_OK);

    t_last_ev = NULL;
    t_loop_round();
    T_REQUIRE(t_last_ev != NULL);

    c = t_last_ev->data;
    T_REQUIRE(c->fd == fd);

    return c;
}


void
t_pairs_open(int n)
{
    t_event_setup();

    while (n--) {
        t_socketpair(t_pairs[n]);
        T_REQUIRE(t_watch(t_pairs[n][1], NGX_READ_EVENT, t_count_handler)
                  == NGX_OK);
    }
}


void
t_pairs_close(int n)
{
    while (n--) {
        ngx_close_channel(t_pairs[n], t_log());
    }
}


void
t_pair_put(int i)
{
    T_REQUIRE(write(t_pairs[i][0], "x", 1) == 1);
}


void
t_read_one(int fd)
{
    char  ch;

    T_REQUIRE(read(fd, &ch, 1) == 1);
}


/* Does nothing: the event only ends a round. */

static void
t_posted_handler(ngx_event_t *ev)
{
}


/*
 * Calls the event loop once, without a wait, and checks the number of handler calls of
 * the test until now.
 */

void
t_round_of(int calls)
{
    t_posted.handler = t_posted_handler;
    t_posted.log = t_log();

    ngx_post_event(&t_posted, &ngx_posted_events);
    t_loop_round();
    T_EQ(t_calls, calls);
}


/*
 * Calls the event loop once, and checks that the call returns because one
 * timer expires, and that no other handler is called.
 */

void
t_quiet_round(void)
{
    int  before;

    before = t_calls;
    t_norder = 0;

    ngx_time_update();
    ngx_add_timer(&t_timers[0], 20);
    t_loop_round();

    T_EQ(t_norder, 1);
    T_EQ(t_calls, before);
}


/*
 * Makes four descriptors readable at once.  "handler" is called for the one
 * that is reported first, and closes the other three.
 */

void
t_others_open(ngx_event_handler_pt handler)
{
    int  i;

    t_event_setup();

    for (i = 0; i < 4; i++) {
        t_socketpair(t_pairs[i]);
        t_pair_put(i);
        t_others[i] = t_watched(t_pairs[i][1], t_count_handler);
        t_read_one(t_pairs[i][1]);
        t_others[i]->read->handler = handler;
    }

    t_quiet_round();
    t_calls = 0;
    memset(t_called, 0, sizeof(t_called));

    for (i = 0; i < 4; i++) {
        t_pair_put(i);
    }
}


void
t_others_close(void)
{
    int  i;

    for (i = 0; i < 4; i++) {
        close(t_pairs[i][0]);

        if (t_others[i]) {
            ngx_close_connection(t_others[i]);
        }
    }
}


/*
 * The function of a child that keeps copies of its parent's descriptors open.
 */

void
t_hold_proc(ngx_cycle_t *cycle, void *data)
{
    char  ch;

    /* The read() returns when the parent closes its end of the pipe. */

    close(((int *) data)[1]);
    (void) !read(((int *) data)[0], &ch, 1);

    _exit(0);
}

#endif
