
/* Tests of the event loop: timers. */


#include "t_event.h"


#define ROUNDS  1000


static void
test_timer(void)
{
    long long  start;

    t_event_setup();

    start = (long long) ngx_current_msec;
    ngx_add_timer(&t_timers[0], 20);
    T_OK(t_timers[0].timer_set);
    T_EQ(t_timers[0].timer.key, ngx_current_msec + 20);

    while (t_norder == 0) {
        t_loop_round();
    }

    T_EQ(t_norder, 1);
    T_OK(t_now() - start >= 19);
    T_OK(!t_timers[0].timer_set);
    T_OK(t_timers[0].timedout);
}


/* One call of the event loop waits until the timer expires. */

static void
test_one_wait(void)
{
    t_event_setup();

    ngx_add_timer(&t_timers[0], 30);
    t_loop_round();
    T_EQ(t_norder, 1);
}


static void
test_order(void)
{
    t_event_setup();

    ngx_add_timer(&t_timers[0], 30);
    ngx_add_timer(&t_timers[1], 10);
    ngx_add_timer(&t_timers[2], 40);
    ngx_add_timer(&t_timers[3], 20);

    while (t_norder < 4) {
        t_loop_round();
    }

    T_EQ(t_order[0], 1);
    T_EQ(t_order[1], 3);
    T_EQ(t_order[2], 0);
    T_EQ(t_order[3], 2);
}


static void
test_same_time(void)
{
    ngx_uint_t  i, seen;

    t_event_setup();

    for (i = 0; i < 4; i++) {
        ngx_add_timer(&t_timers[i], 5);
    }

    t_loop_round();

    T_EQ(t_norder, 4);

    for (i = 0, seen = 0; i < 4; i++) {
        seen |= (ngx_uint_t) 1 << t_order[i];
    }

    T_EQ(seen, 15);
}


static void
test_no_time(void)
{
    t_event_setup();

    ngx_add_timer(&t_timers[0], 0);
    t_loop_round();
    T_EQ(t_norder, 1);
}


static void
test_deleted(void)
{
    t_event_setup();

    ngx_add_timer(&t_timers[0], 5);
    ngx_add_timer(&t_timers[1], 10);
    ngx_del_timer(&t_timers[0]);
    T_OK(!t_timers[0].timer_set);

    t_loop_round();

    T_EQ(t_norder, 1);
    T_EQ(t_order[0], 1);
    T_OK(!t_timers[0].timedout);
}


static void
delete_handler(ngx_event_t *ev)
{
    t_timer_handler(ev);

    ngx_del_timer(&t_timers[1]);
}


/*
 * Two timers have expired; the handler of the first one deletes the second,
 * whose handler must not be called.
 */

static void
test_deleted_by_another(void)
{
    t_event_setup();

    t_timers[0].handler = delete_handler;

    ngx_add_timer(&t_timers[0], 4);
    ngx_add_timer(&t_timers[1], 5);
    ngx_add_timer(&t_timers[2], 6);

    while (t_now() < (long long) t_timers[2].timer.key + 2) {
        /*
         * Waits until all three timers have expired, so that one call of the
         * event loop calls their handlers.
         */
    }

    t_loop_round();

    T_EQ(t_norder, 2);
    T_EQ(t_order[0], 0);
    T_EQ(t_order[1], 2);
}


/*
 * A timer that is set again less than NGX_TIMER_LAZY_DELAY ms from its old
 * time keeps the old time.
 */

static void
test_lazy(void)
{
    ngx_msec_t  key;

    t_event_setup();

    ngx_add_timer(&t_timers[0], 1000);
    key = t_timers[0].timer.key;

    ngx_add_timer(&t_timers[0], 1299);
    T_EQ(t_timers[0].timer.key, key);
    ngx_add_timer(&t_timers[0], 701);
    T_EQ(t_timers[0].timer.key, key);

    ngx_add_timer(&t_timers[0], 1300);
    T_EQ(t_timers[0].timer.key, key + 300);
    ngx_add_timer(&t_timers[0], 1000);
    T_EQ(t_timers[0].timer.key, key);
    ngx_add_timer(&t_timers[0], 10);
    T_EQ(t_timers[0].timer.key, key - 990);

    T_OK(t_timers[0].timer_set);

    while (t_norder == 0) {
        t_loop_round();
    }

    T_EQ(t_norder, 1);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
again_handler(ngx_event_t *ev)
{
    t_timer_handler(ev);

    if (t_norder < 4) {
        ngx_add_timer(ev, 10);
    }
}


static void
test_set_again(void)
{
    long long  start;

    t_event_setup();

    t_timers[0].handler = again_handler;

    start = (long long) ngx_current_msec;
    ngx_add_timer(&t_timers[0], 10);

    while (t_norder < 4) {
        t_loop_round();
    }

    T_OK(t_now() - start >= 39);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
forever_handler(ngx_event_t *ev)
{
    t_timer_handler(ev);

    ngx_add_timer(ev, 0);
}


/*
 * A handler sets its timer again with 0 ms.  In nginx,
 * ngx_event_expire_timers() never returns then.  In the library, the handler
 * is called once in each call of the event loop.
 */

static void
test_set_at_once(void)
{
    int  i;

    t_event_setup();

    t_timers[0].handler = forever_handler;
    ngx_add_timer(&t_timers[0], 0);

    for (i = 1; i <= 20; i++) {
        t_loop_round();
        T_EQ(t_norder, i);
    }
}


/*
 * Two handlers set their timers again with 0 ms.  Each handler is called once
 * in each call of the event loop, so that neither of them keeps the other one
 * from being called.
 */

static void
test_two_set_at_once(void)
{
    int  i;

    t_event_setup();

    t_timers[1].handler = forever_handler;
    t_timers[2].handler = forever_handler;

    ngx_add_timer(&t_timers[2], 0);
    ngx_add_timer(&t_timers[1], 0);

    for (i = 0; i < ROUNDS; i++) {
        t_norder = 0;
        t_loop_round();

        if (!T_EQ(t_norder, 2) || !T_EQ(t_order[0] + t_order[1], 3)) {
            t_diag("in round %d", i);
            return;
        }
    }
}


static void
test_timers_left(void)
{
    t_event_setup();

    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    t_timers[0].cancelable = 1;
    ngx_add_timer(&t_timers[0], 1000);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_add_timer(&t_timers[1], 500);
    T_EQ(ngx_event_no_timers_left(), NGX_AGAIN);

    ngx_del_timer(&t_timers[1]);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_del_timer(&t_timers[0]);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
test_time_goes_on(void)
{
    ngx_msec_t  before;

    t_event_setup();

    before = ngx_current_msec;
    ngx_add_timer(&t_timers[0], 20);
    t_loop_round();

    T_OK(ngx_current_msec - before >= 20);
    T_OK(ngx_current_msec - before < 5000);
}


/*
 * The program deletes a timer that is not set.  nginx removes it from a tree
 * that does not contain it, and damages the tree.
 */

static void
test_deleted_unset(void)
{
    t_event_setup();

    ngx_del_timer(&t_timers[0]);
    ngx_add_timer(&t_timers[1], 0);
    ngx_del_timer(&t_timers[0]);
    t_loop_round();

    T_EQ(t_norder, 1);
    T_EQ(t_order[0], 1);
}


int
main(void)
{
    t_begin();

    t_run("a timer", test_timer);
    t_run("the loop waits once for a timer", test_one_wait);
    t_run("timers expire in order", test_order);
    t_run("timers of the same time", test_same_time);
    t_run("a timer of 0 ms", test_no_time);
    t_run("a timer that is deleted", test_deleted);
    t_run("a timer that is deleted by another", test_deleted_by_another);
    t_run("a timer that is moved by less than 300 ms", test_lazy);
    t_run("a timer that is set again by its handler", test_set_again);
    t_run("X a handler sets its timer to 0 ms", test_set_at_once);
    t_run("X two handlers set their timers to 0 ms", test_two_set_at_once);
    t_run("ngx_event_no_timers_left()", test_timers_left);
    t_run("ngx_time_update() updates the time", test_time_goes_on);
    t_run("X a timer that is deleted but not set", test_deleted_unset);

    return t_end();
}
