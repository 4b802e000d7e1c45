
/* Tests of posted events: order, rounds, and posting by handlers. */


#include "t_event.h"

#include <ngx_event.h>


static ngx_event_t  posted[4];
static int          again;


static void
posted_handler(ngx_event_t *ev)
{
    T_OK(!ev->posted);

    t_order[t_norder++] = 10 + (int) (ev - posted);

    if (again > 0) {
        again--;
        ngx_post_event(ev, &ngx_posted_events);
    }
}


static void
setup(void)
{
    ngx_uint_t  i;

    t_event_setup();
    memset(posted, 0, sizeof(posted));

    for (i = 0; i < t_nitems(posted); i++) {
        posted[i].log = t_log();
        posted[i].handler = posted_handler;
    }

    /* A timer that expires at once, so that the first round does not wait. */

    ngx_add_timer(&t_timers[0], 0);
}


static void
test_order(void)
{
    setup();

    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_post_event(&posted[1], &ngx_posted_accept_events);
    ngx_post_event(&posted[2], &ngx_posted_events);

    t_loop_round();

    T_EQ(t_norder, 4);
    T_EQ(t_order[0], 11);
    T_EQ(t_order[1], 0);
    T_EQ(t_order[2], 10);
    T_EQ(t_order[3], 12);
    T_OK(ngx_queue_empty(&ngx_posted_events));
    T_OK(ngx_queue_empty(&ngx_posted_accept_events));
}


static void
test_twice(void)
{
    setup();

    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_post_event(&posted[1], &ngx_posted_events);
    ngx_post_event(&posted[0], &ngx_posted_events);
    T_EQ(posted[0].posted, 1);

    t_loop_round();

    T_EQ(t_norder, 3);
    T_EQ(t_order[1], 10);
    T_EQ(t_order[2], 11);
}


static void
test_deleted(void)
{
    setup();

    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_post_event(&posted[1], &ngx_posted_events);
    ngx_delete_posted_event(&posted[0]);
    T_EQ(posted[0].posted, 0);

    t_loop_round();

    T_EQ(t_norder, 2);
    T_EQ(t_order[1], 11);
}


static void
test_again(void)
{
    setup();

    again = 2;
    ngx_post_event(&posted[0], &ngx_posted_events);
    t_loop_round();

    /* The handler is called again in the same round. */

    T_EQ(t_norder, 4);
    T_EQ(again, 0);
}


static void
post_next(ngx_event_t *ev)
{
    posted[1].ready = 0;
    ngx_post_event(&posted[1], &ngx_posted_next_events);
}


static void
test_next(void)
{
    setup();

    posted[0].handler = post_next;
    ngx_post_event(&posted[0], &ngx_posted_events);
    t_loop_round();
    T_EQ(t_norder, 1);

    /* The second round does not wait. */

    t_loop_round();
    T_EQ(t_norder, 2);
    T_EQ(t_order[1], 11);
    T_EQ(posted[1].ready, 1);
    T_EQ(posted[1].available, -1);
    T_OK(ngx_queue_empty(&ngx_posted_next_events));
}


static void
test_process(void)
{
    ngx_queue_t  own;

    setup();
    ngx_queue_init(&own);

    ngx_post_event(&posted[3], &own);
    ngx_event_process_posted(t_cycle(), &own);

    T_EQ(t_norder, 1);
    T_EQ(t_order[0], 13);
    T_OK(ngx_queue_empty(&own));
}


static void
test_debug_lines(void)
{
    setup();
    t_log()->log_level = NGX_LOG_DEBUG_CORE|NGX_LOG_DEBUG_EVENT;

    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_event_process_posted(t_cycle(), &ngx_posted_events);

    T_EQ(t_logged(NGX_LOG_DEBUG, "update posted event "), 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, " posted event %016lX",
                   (unsigned long) &posted[0]), 3);
    T_EQ(t_logged(NGX_LOG_DEBUG, "delete posted event "), 1);
}


/* With nginx's objects the round waits for ever. */

static void
test_no_wait(void)
{
    setup();
    ngx_del_timer(&t_timers[0]);

    ngx_post_event(&posted[0], &ngx_posted_events);
    t_loop_round();
    T_EQ(t_norder, 1);
}


/* In nginx a worker, but not any child, begins with empty queues. */

static void
child_proc(ngx_cycle_t *cycle, void *data)
{
    int  ok;

    ok = ngx_queue_empty(&ngx_posted_events) && !posted[0].posted
         && ngx_queue_empty(&ngx_posted_next_events) && !posted[1].posted;

    exit(ok ? 0 : 1);
}


static void
test_child(void)
{
    pid_t  pid;

    setup();
    ngx_post_event(&posted[0], &ngx_posted_events);
    ngx_post_event(&posted[1], &ngx_posted_next_events);

    pid = t_spawn(child_proc, NULL, "child", NGX_PROCESS_NORESPAWN);
    T_EQ(t_wait(pid), 0);
    t_close_slot(ngx_process_slot);

    T_OK(posted[0].posted && posted[1].posted);
}


int
main(void)
{
    t_begin();

    t_run("posted events and timers are called in nginx's order", test_order);
    t_run("an event that is posted twice", test_twice);
    t_run("a posted event that is deleted", test_deleted);
    t_run("a handler posts its event again", test_again);
    t_run("an event that is posted for the next round", test_next);
    t_run("ngx_event_process_posted() and a queue of the program", test_process);
    t_run("debug lines of posted events", test_debug_lines);
    t_run("X a round does not wait if an event is posted", test_no_wait);
    t_run("X a child does not inherit posted events", test_child);

    return t_end();
}
