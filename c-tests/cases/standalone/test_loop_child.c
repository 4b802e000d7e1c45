
/* Tests of the event loop of a child and of that of its parent. */


#include "t_event.h"


typedef struct {
    int        calls;
    int        parents_calls;
    int        order;
    int        timers;
    int        done;
    ngx_int_t  left;
} child_t;


static child_t  *child;


static void
run_child(ngx_spawn_proc_pt proc)
{
    pid_t  pid;

    child = t_shared(sizeof(child_t));
    t_norder = 0;

    pid = t_spawn(proc, NULL, "child", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    T_EQ(child->done, 1);

    ngx_processes[ngx_process_slot].pid = -1;
}


static void
watch_own(int first, int n)
{
    int  i;

    for (i = first; i < first + n; i++) {
        t_socketpair(t_pairs[i]);

        if (t_watch(t_pairs[i][1], NGX_READ_EVENT, t_count_handler)
            != NGX_OK)
        {
            _exit(1);
        }
    }
}


/*
 * Calls the child's event loop once; a timer ends the call.  Records which
 * timer has expired, and exits.
 */

static void
timer_round(void)
{
    t_loop_round();

    child->order = t_order[0];
    child->timers = t_norder;
    child->done = 1;

    _exit(0);
}


static void
timer_of_child(ngx_spawn_proc_pt proc)
{
    run_child(proc);

    T_EQ(child->left, NGX_OK);
    T_EQ(child->timers, 1);
    T_EQ(child->order, 1);
}


/*
 * The function of a child that watches a descriptor of its own, while one that
 * its parent watches is readable.
 */

static void
child_loop(ngx_cycle_t *cycle, void *data)
{
    watch_own(1, 1);
    t_pair_put(1);

    t_loop_round();
    t_loop_round();

    child->calls = t_called[t_pairs[1][1]];
    child->parents_calls = t_called[t_pairs[0][1]];
    child->done = 1;

    _exit(0);
}


static void
test_child(void)
{
    t_pairs_open(1);
    t_pair_put(0);

    run_child(child_loop);

    T_EQ(child->calls, 2);
    T_EQ(child->parents_calls, 0);

    /*
     * The child has made an event loop of its own, so that of the parent still
     * watches the parent's descriptor.
     */

    t_loop_round();
    T_EQ(t_calls, 1);

    t_pairs_close(1);
}


static void
child_timers(ngx_cycle_t *cycle, void *data)
{
    child->left = ngx_event_no_timers_left();

    ngx_add_timer(&t_timers[1], 10);
    timer_round();
}


/*
 * The timer of the parent would expire first, but the child does not have it.
 */

static void
test_child_timers(void)
{
    t_event_setup();

    ngx_add_timer(&t_timers[0], 5);
    timer_of_child(child_timers);

    while (t_norder == 0) {
        t_loop_round();
    }

    T_EQ(t_order[0], 0);
}


/*
 * The parent has set a timer and has not yet called its event loop.  The child
 * does not have the parent's timer.
 */

static void
test_child_timers_without_loop(void)
{
    t_timers_init();

    ngx_add_timer(&t_timers[0], 5);
    timer_of_child(child_timers);

    ngx_del_timer(&t_timers[0]);
}


/*
 * The function of a child that sets a timer before it makes its event loop, as
 * a module's init_process() does before the channel is watched.  The timer
 * must not be lost.
 */

static void
child_timer_first(ngx_cycle_t *cycle, void *data)
{
    ngx_add_timer(&t_timers[1], 10);
    watch_own(1, 1);

    /* This timer ends the wait if the child has lost the first one. */

    ngx_add_timer(&t_timers[2], 2000);
    timer_round();
}


static void
test_child_timer_first(void)
{
    t_event_setup();
    timer_of_child(child_timer_first);
}


/* Closes the connections that the child has inherited from its parent. */

static void
close_parents(void)
{
    int  i;

    for (i = 0; i < 4; i++) {
        ngx_close_connection(t_others[i]);
    }
}


/*
 * Makes all of the child's own descriptors readable, counts those for which a
 * handler is called, and exits.
 */

static void
hear_own(int first, int n)
{
    int  i;

    memset(t_called, 0, sizeof(t_called));

    for (i = first; i < first + n; i++) {
        t_pair_put(i);
    }

    ngx_add_timer(&t_timers[0], 2000);
    t_loop_round();

    for (i = first; i < first + n; i++) {
        child->calls += (t_called[t_pairs[i][1]] == 1);
    }

    child->timers = t_norder;
    child->done = 1;

    _exit(0);
}


static void
child_closes_parents(ngx_cycle_t *cycle, void *data)
{
    close_parents();
    watch_own(4, 6);
    hear_own(4, 6);
}


static void
child_closes_parents_later(ngx_cycle_t *cycle, void *data)
{
    watch_own(4, 6);
    close_parents();
    watch_own(10, 6);
    hear_own(4, 12);
}


static void
closes_parents(ngx_spawn_proc_pt proc, int n)
{
    t_others_open(t_count_handler);
    run_child(proc);

    T_EQ(child->calls, n);
    T_EQ(child->timers, 0);

    /*
     * The child has closed only its own copies of the connections, so the
     * parent still gets their events.
     */

    t_loop_round();
    T_EQ(t_calls, 4);

    t_others_close();
}


static void
test_child_closes_parents(void)
{
    closes_parents(child_closes_parents, 6);
}


/* A child that already has an event loop closes its parent's connections. */

static void
test_child_closes_parents_later(void)
{
    closes_parents(child_closes_parents_later, 12);
}


static void
child_looks_for_loop(ngx_cycle_t *cycle, void *data)
{
    int   fd;
    char  name[64];

    for (fd = 0; fd < 64; fd++) {
        (void) t_fd_name(fd, name, sizeof(name));
        child->calls += strstr(name, "[eventpoll]") != NULL
                        || strstr(name, "[eventfd]") != NULL;
    }

    child->done = 1;
    _exit(0);
}


/*
 * A child does not inherit the descriptors of its master's event loop.  With
 * these descriptors it could make the master spin.
 */

static void
test_child_has_no_loop(void)
{
    int  n;

    t_init_events();
    n = t_open_fds();

    run_child(child_looks_for_loop);

    T_EQ(child->calls, 0);
    T_EQ(t_open_fds(), n);
}


int
main(void)
{
    t_begin();

    t_run("a child has its own event loop", test_child);
    t_run("a child has no descriptors of its parent's event loop",
          test_child_has_no_loop);
    t_run("a child has its own timers", test_child_timers);
    t_run("a child of a parent without an event loop has its own timers",
          test_child_timers_without_loop);
    t_run("a child sets a timer before it makes the event loop",
          test_child_timer_first);
    t_run("a child closes its parent's connections",
          test_child_closes_parents);
    t_run("a child closes its parent's connections later",
          test_child_closes_parents_later);

    return t_end();
}
