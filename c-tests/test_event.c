
/* The event loop: descriptors, timers, signals. */


#include "test.h"

#include <time.h>


#define ROUNDS  1000


/* Timers; nginx's own need no more than something that waits. */

static ngx_event_t       timers[4];
static ngx_connection_t  connection;
static int               order[64];
static int               norder;


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


static void
loop_round(void)
{
    ngx_process_events_and_timers(t_cycle());
}


static long long
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
timer_handler(ngx_event_t *ev)
{
    T_OK(ev->timedout);
    T_OK(!ev->timer_set);

    order[norder++] = (int) (ev - timers);
}


static void
timers_init(void)
{
    ngx_uint_t  i;

    memset(timers, 0, sizeof(timers));
    connection.fd = -1;

    for (i = 0; i < t_nitems(timers); i++) {
        timers[i].data = &connection;
        timers[i].log = t_log();
        timers[i].handler = timer_handler;
    }

    ngx_time_update();
}


static void
setup(void)
{
    loop_init();
    timers_init();
}


static void
test_timer(void)
{
    long long  start;

    setup();

    start = now();
    ngx_add_timer(&timers[0], 20);
    T_OK(timers[0].timer_set);
    T_EQ(timers[0].timer.key, ngx_current_msec + 20);

    while (norder == 0) {
        loop_round();
    }

    T_EQ(norder, 1);
    T_OK(now() - start >= 19);
    T_OK(!timers[0].timer_set);
    T_OK(timers[0].timedout);
}


/* One wait is enough for a timer that is alone. */

static void
test_one_wait(void)
{
    setup();

    ngx_add_timer(&timers[0], 30);
    loop_round();
    T_EQ(norder, 1);
}


static void
test_order(void)
{
    setup();

    ngx_add_timer(&timers[0], 30);
    ngx_add_timer(&timers[1], 10);
    ngx_add_timer(&timers[2], 40);
    ngx_add_timer(&timers[3], 20);

    while (norder < 4) {
        loop_round();
    }

    T_EQ(order[0], 1);
    T_EQ(order[1], 3);
    T_EQ(order[2], 0);
    T_EQ(order[3], 2);
}


static void
test_same_time(void)
{
    ngx_uint_t  i, seen;

    setup();

    for (i = 0; i < 4; i++) {
        ngx_add_timer(&timers[i], 5);
    }

    loop_round();

    T_EQ(norder, 4);

    for (i = 0, seen = 0; i < 4; i++) {
        seen |= (ngx_uint_t) 1 << order[i];
    }

    T_EQ(seen, 15);
}


static void
test_no_time(void)
{
    setup();

    ngx_add_timer(&timers[0], 0);
    loop_round();
    T_EQ(norder, 1);
}


static void
test_deleted(void)
{
    setup();

    ngx_add_timer(&timers[0], 5);
    ngx_add_timer(&timers[1], 10);
    ngx_del_timer(&timers[0]);
    T_OK(!timers[0].timer_set);

    loop_round();

    T_EQ(norder, 1);
    T_EQ(order[0], 1);
    T_OK(!timers[0].timedout);
}


static void
delete_handler(ngx_event_t *ev)
{
    timer_handler(ev);

    ngx_del_timer(&timers[1]);
}


/* ... by the handler of one that is due as well. */

static void
test_deleted_by_another(void)
{
    setup();

    timers[0].handler = delete_handler;

    ngx_add_timer(&timers[0], 4);
    ngx_add_timer(&timers[1], 5);
    ngx_add_timer(&timers[2], 6);

    while (now() < (long long) timers[2].timer.key + 2) {
        /* all of them are due in one round */
    }

    loop_round();

    T_EQ(norder, 2);
    T_EQ(order[0], 0);
    T_EQ(order[1], 2);
}


/* A timer that is moved a little stays where it is. */

static void
test_lazy(void)
{
    ngx_msec_t  key;

    setup();

    ngx_add_timer(&timers[0], 1000);
    key = timers[0].timer.key;

    ngx_add_timer(&timers[0], 1299);
    T_EQ(timers[0].timer.key, key);
    ngx_add_timer(&timers[0], 701);
    T_EQ(timers[0].timer.key, key);

    ngx_add_timer(&timers[0], 1300);
    T_EQ(timers[0].timer.key, key + 300);
    ngx_add_timer(&timers[0], 1000);
    T_EQ(timers[0].timer.key, key);
    ngx_add_timer(&timers[0], 10);
    T_EQ(timers[0].timer.key, key - 990);

    T_OK(timers[0].timer_set);

    while (norder == 0) {
        loop_round();
    }

    T_EQ(norder, 1);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
again_handler(ngx_event_t *ev)
{
    timer_handler(ev);

    if (norder < 4) {
        ngx_add_timer(ev, 10);
    }
}


static void
test_set_again(void)
{
    long long  start;

    setup();

    timers[0].handler = again_handler;

    start = now();
    ngx_add_timer(&timers[0], 10);

    while (norder < 4) {
        loop_round();
    }

    T_OK(now() - start >= 39);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
forever_handler(ngx_event_t *ev)
{
    timer_handler(ev);

    ngx_add_timer(ev, 0);
}


/* nginx never gets out of this; here it is once in a round. */

static void
test_set_at_once(void)
{
    int  i;

    setup();

    timers[0].handler = forever_handler;
    ngx_add_timer(&timers[0], 0);

    for (i = 1; i <= 20; i++) {
        loop_round();
        T_EQ(norder, i);
    }
}


/* ... and takes no round from others, whichever of them comes first. */

static void
test_two_set_at_once(void)
{
    int  i;

    setup();

    timers[1].handler = forever_handler;
    timers[2].handler = forever_handler;

    ngx_add_timer(&timers[2], 0);
    ngx_add_timer(&timers[1], 0);

    for (i = 0; i < ROUNDS; i++) {
        norder = 0;
        loop_round();

        if (!T_EQ(norder, 2) || !T_EQ(order[0] + order[1], 3)) {
            t_diag("in round %d", i);
            return;
        }
    }
}


static void
test_timers_left(void)
{
    setup();

    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    timers[0].cancelable = 1;
    ngx_add_timer(&timers[0], 1000);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_add_timer(&timers[1], 500);
    T_EQ(ngx_event_no_timers_left(), NGX_AGAIN);

    ngx_del_timer(&timers[1]);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_del_timer(&timers[0]);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


static void
test_time_goes_on(void)
{
    ngx_msec_t  before;

    setup();

    before = ngx_current_msec;
    ngx_add_timer(&timers[0], 20);
    loop_round();

    T_OK(ngx_current_msec - before >= 20);
    T_OK(ngx_current_msec - before < 5000);
}


/* nginx takes it out of a tree that it is not in. */

static void
test_deleted_unset(void)
{
    setup();

    ngx_del_timer(&timers[0]);
    ngx_add_timer(&timers[1], 0);
    ngx_del_timer(&timers[0]);
    loop_round();

    T_EQ(norder, 1);
    T_EQ(order[0], 1);
}


#if !(T_NGINX)

/* Descriptors. */

#define PAIRS  200

static int           pair[PAIRS][2];
static int           called[T_FDS_MAX];
static int           calls;
static ngx_event_t  *last_ev;


static void
count_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    T_REQUIRE(c->fd >= 0 && c->fd < T_FDS_MAX);

    called[c->fd]++;
    calls++;
    last_ev = ev;
}


static ngx_int_t
watch(int fd, ngx_int_t event, ngx_event_handler_pt handler)
{
    return ngx_add_channel_event(t_cycle(), fd, event, handler);
}


static void
pairs_open(int n)
{
    setup();

    while (n--) {
        t_socketpair(pair[n]);
        T_REQUIRE(watch(pair[n][1], NGX_READ_EVENT, count_handler) == NGX_OK);
    }
}


static void
pairs_close(int n)
{
    while (n--) {
        ngx_close_channel(pair[n], t_log());
    }
}


static void
put(int i)
{
    T_REQUIRE(write(pair[i][0], "x", 1) == 1);
}


/* A round in which no more than a timer happens, which takes one wait. */

static void
quiet_round(void)
{
    int  before;

    before = calls;
    norder = 0;

    ngx_time_update();
    ngx_add_timer(&timers[0], 20);
    loop_round();

    T_EQ(norder, 1);
    T_EQ(calls, before);
}


static void
test_read(void)
{
    char               buf[2];
    ngx_connection_t  *c;

    pairs_open(1);
    quiet_round();

    put(0);
    loop_round();

    T_EQ(calls, 1);
    T_REQUIRE(last_ev != NULL);

    c = last_ev->data;
    T_EQ(c->fd, pair[0][1]);
    T_OK(c->read == last_ev);
    T_OK(c->write != NULL && c->write != last_ev);
    T_OK(c->log == t_log());
    T_OK(last_ev->log == t_log());
    T_OK(last_ev->active);
    T_OK(last_ev->ready);
    T_OK(last_ev->channel);
    T_OK(!last_ev->write);
    T_OK(!last_ev->timedout);

    /* what is not read is still there */

    loop_round();
    T_EQ(calls, 2);

    T_EQ(read(pair[0][1], buf, 2), 1);
    quiet_round();

    pairs_close(1);
}


static void
test_write(void)
{
    char               buf[4096];
    ngx_connection_t  *c;

    setup();
    t_socketpair(pair[0]);
    memset(buf, 0, sizeof(buf));

    T_EQ(watch(pair[0][0], NGX_WRITE_EVENT, count_handler), NGX_OK);

    loop_round();
    T_EQ(calls, 1);

    c = last_ev->data;
    T_OK(c->write == last_ev);
    T_OK(last_ev->write);
    T_OK(last_ev->ready);

    while (write(pair[0][0], buf, sizeof(buf)) > 0) {
        /* void */
    }

    quiet_round();

    while (read(pair[0][1], buf, sizeof(buf)) > 0) {
        /* void */
    }

    loop_round();
    T_EQ(calls, 2);

    pairs_close(1);
}


static void
test_some_of_many(void)
{
    int  i;

    pairs_open(20);

    put(3);
    put(11);
    put(19);
    loop_round();

    for (i = 0; i < 20; i++) {
        T_EQ(called[pair[i][1]], i == 3 || i == 11 || i == 19);
    }

    pairs_close(20);
}


/* More than one wait returns: none is left out for long. */

static void
test_all_of_many(void)
{
    int  i;

    pairs_open(PAIRS);

    for (i = 0; i < PAIRS; i++) {
        put(i);
    }

    for (i = 0; i < 20; i++) {
        loop_round();
    }

    for (i = 0; i < PAIRS; i++) {
        T_OK(called[pair[i][1]] > 0);
    }

    pairs_close(PAIRS);
}


static void
test_end_of_file(void)
{
    pairs_open(1);

    close(pair[0][0]);
    pair[0][0] = -1;
    loop_round();

    T_EQ(calls, 1);

    pairs_close(1);
    quiet_round();
}


static void
test_pipe(void)
{
    setup();

    T_REQUIRE(pipe2(pair[0], O_CLOEXEC|O_NONBLOCK) == 0);
    T_EQ(watch(pair[0][0], NGX_READ_EVENT, count_handler), NGX_OK);

    quiet_round();
    T_EQ(write(pair[0][1], "x", 1), 1);
    loop_round();
    T_EQ(calls, 1);

    ngx_close_channel(pair[0], t_log());
    quiet_round();
}


/* A timer that is far off does not keep the loop from what is ready. */

static void
test_ready_before_timer(void)
{
    pairs_open(1);
    put(0);

    ngx_add_timer(&timers[1], 100000);
    loop_round();

    T_EQ(calls, 1);
    T_EQ(norder, 0);
    T_OK(timers[1].timer_set);

    ngx_del_timer(&timers[1]);
    pairs_close(1);
}


/* A timer of the connection's own events. */

static void
test_timer_of_connection(void)
{
    ngx_connection_t  *c;

    pairs_open(1);
    put(0);
    loop_round();

    c = last_ev->data;
    c->write->handler = count_handler;
    ngx_add_timer(c->write, 1000);
    T_EQ(ngx_event_no_timers_left(), NGX_AGAIN);

    /* goes with it */

    pairs_close(1);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);
}


/* Connections that are closed. */

static void
close_self(ngx_event_t *ev)
{
    count_handler(ev);
    ngx_close_connection(ev->data);

    /* which is still there to be looked at */

    T_EQ(((ngx_connection_t *) ev->data)->fd, -1);
}


static void
test_close_self(void)
{
    setup();
    t_socketpair(pair[0]);
    T_EQ(watch(pair[0][1], NGX_READ_EVENT, close_self), NGX_OK);

    put(0);
    loop_round();

    T_EQ(calls, 1);
    T_OK(!t_is_open(pair[0][1]));
    quiet_round();

    close(pair[0][0]);
}


static ngx_connection_t  *others[4];


static ngx_connection_t *
watched(int fd, ngx_event_handler_pt handler)
{
    ngx_connection_t  *c;

    /* the one that the loop has just made is found by its first event */

    T_REQUIRE(watch(fd, NGX_READ_EVENT, handler) == NGX_OK);

    last_ev = NULL;
    loop_round();
    T_REQUIRE(last_ev != NULL);

    c = last_ev->data;
    T_REQUIRE(c->fd == fd);

    return c;
}


static void
read_one(int fd)
{
    char  ch;

    T_REQUIRE(read(fd, &ch, 1) == 1);
}


static void
close_others(ngx_event_t *ev)
{
    int  i;

    count_handler(ev);

    for (i = 0; i < 4; i++) {

        if (others[i] && others[i] != ev->data) {
            ngx_close_connection(others[i]);
            others[i] = NULL;
        }
    }
}


/* Four are ready; the first that is called closes the others. */

static void
setup_others(ngx_event_handler_pt handler)
{
    int  i;

    setup();

    for (i = 0; i < 4; i++) {
        t_socketpair(pair[i]);
        put(i);
        others[i] = watched(pair[i][1], count_handler);
        read_one(pair[i][1]);
        others[i]->read->handler = handler;
    }

    quiet_round();
    calls = 0;
    memset(called, 0, sizeof(called));

    for (i = 0; i < 4; i++) {
        put(i);
    }
}


static void
teardown_others(void)
{
    int  i;

    for (i = 0; i < 4; i++) {
        close(pair[i][0]);

        if (others[i]) {
            ngx_close_connection(others[i]);
        }
    }
}


static void
test_close_others(void)
{
    setup_others(close_others);

    loop_round();
    T_EQ(calls, 1);

    teardown_others();
    quiet_round();
}


static int  reused[4][2];


/* The new ones get the numbers of those that were closed. */

static void
close_and_reuse(ngx_event_t *ev)
{
    int  i;

    close_others(ev);

    for (i = 0; i < 3; i++) {
        t_socketpair(reused[i]);
        T_REQUIRE(watch(reused[i][1], NGX_READ_EVENT, count_handler)
                  == NGX_OK);
        T_REQUIRE(watch(reused[i][0], NGX_READ_EVENT, count_handler)
                  == NGX_OK);
    }
}


static void
test_reuse_in_batch(void)
{
    int  i;

    setup_others(close_and_reuse);

    loop_round();
    T_EQ(calls, 1);

    for (i = 0; i < 4; i++) {
        if (others[i]) {
            read_one(others[i]->fd);
        }
    }

    quiet_round();

    /* and each of the new ones is heard */

    for (i = 0; i < 3; i++) {
        T_EQ(write(reused[i][0], "x", 1), 1);
        loop_round();
        T_EQ(calls, 2 + i);
        T_EQ(((ngx_connection_t *) last_ev->data)->fd, reused[i][1]);
        read_one(reused[i][1]);
    }

    for (i = 0; i < 3; i++) {
        ngx_close_channel(reused[i], t_log());
    }

    teardown_others();
}


static void
test_close_twice(void)
{
    ngx_connection_t  *c;

    setup();
    t_socketpair(pair[0]);
    put(0);

    c = watched(pair[0][1], count_handler);

    ngx_close_connection(c);
    T_EQ(c->fd, -1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    ngx_close_connection(c);
    T_EQ(t_logged(NGX_LOG_ALERT, "connection already closed"), 1);
    ngx_free_connection(c);

    close(pair[0][0]);
    quiet_round();
}


static void
test_free(void)
{
    ngx_connection_t  *c;

    setup();
    t_socketpair(pair[0]);
    put(0);

    c = watched(pair[0][1], count_handler);
    ngx_free_connection(c);

    T_EQ(c->fd, -1);
    T_OK(t_is_open(pair[0][1]));
    quiet_round();

    /* and can be watched anew */

    (void) watched(pair[0][1], count_handler);
    pairs_close(1);
}


/*
 * epoll watches what is open, not a number: as long as another process has it
 * open, an event comes for a descriptor that is closed here.
 */

static void
test_closed_but_open(void)
{
    int  copy;

    pairs_open(1);
    copy = dup(pair[0][1]);
    put(0);
    loop_round();
    T_EQ(calls, 1);

    ngx_close_channel(pair[0], t_log());
    quiet_round();
    quiet_round();

    close(copy);
}


static void
test_closed_connection_but_open(void)
{
    int  copy;

    pairs_open(1);
    copy = dup(pair[0][1]);
    put(0);
    loop_round();

    ngx_close_connection(last_ev->data);
    quiet_round();
    put(0);
    quiet_round();

    close(copy);
    close(pair[0][0]);
}


static void
test_closed_by_handler_but_open(void)
{
    int  copy;

    setup();
    t_socketpair(pair[0]);
    copy = dup(pair[0][1]);

    T_EQ(watch(pair[0][1], NGX_READ_EVENT, close_self), NGX_OK);
    put(0);
    loop_round();
    T_EQ(calls, 1);

    quiet_round();

    close(copy);
    close(pair[0][0]);
}


static void
open_elsewhere(ngx_cycle_t *cycle, void *data)
{
    char  ch;

    /* the descriptors are a copy's until the parent closes the pipe */

    close(((int *) data)[1]);
    (void) !read(((int *) data)[0], &ch, 1);

    _exit(0);
}


static void
test_closed_but_open_in_child(void)
{
    int    until[2];
    pid_t  pid;

    pairs_open(1);
    T_REQUIRE(pipe(until) == 0);

    pid = t_spawn(open_elsewhere, until, "holder", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    put(0);
    ngx_close_channel(pair[0], t_log());
    quiet_round();

    close(until[0]);
    close(until[1]);
    t_wait(pid);
    t_end_processes();
}


/* The program closed a descriptor itself, and its number is in use again. */

static void
test_number_in_use_again(void)
{
    int  fd[2];

    pairs_open(1);

    close(pair[0][0]);
    close(pair[0][1]);
    t_socketpair(fd);
    T_EQ(fd[0] + fd[1], pair[0][0] + pair[0][1]);

    T_EQ(watch(pair[0][1], NGX_READ_EVENT, count_handler), NGX_OK);
    quiet_round();
    put(0);
    loop_round();
    T_EQ(calls, 1);

    pairs_close(1);
    quiet_round();
}


/* What is refused. */

static void
refused(int fd, ngx_int_t event, ngx_event_handler_pt handler)
{
    T_EQ(watch(fd, event, handler), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


static void
test_closed_fd(void)
{
    int  fd;

    setup();

    fd = dup(0);
    close(fd);

    refused(fd, NGX_READ_EVENT, count_handler);
    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "epoll_ctl(1, %d) failed (9: Bad file descriptor)", fd),
         1);
    quiet_round();
}


static void
test_no_fd(void)
{
    setup();

    refused(-1, NGX_READ_EVENT, count_handler);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "epoll_ctl(1, -1) failed (9: Bad file descriptor)"), 1);
    quiet_round();
}


static void
test_regular_file(void)
{
    int  fd;

    setup();

    fd = open("/proc/self/exe", O_RDONLY|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    refused(fd, NGX_READ_EVENT, count_handler);
    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "epoll_ctl(1, %d) failed (1: Operation not permitted)",
                   fd), 1);
    quiet_round();

    close(fd);
}


static void
test_watched_already(void)
{
    pairs_open(1);

    refused(pair[0][1], NGX_READ_EVENT, close_self);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "epoll_ctl(1, %d) failed (17: File exists)",
                   pair[0][1]), 1);

    /* the first handler is still there */

    put(0);
    loop_round();
    T_EQ(calls, 1);
    T_OK(t_is_open(pair[0][1]));

    pairs_close(1);
    quiet_round();
}


static void
test_no_handler(void)
{
    setup();
    t_socketpair(pair[0]);

    refused(pair[0][1], NGX_READ_EVENT, NULL);
    put(0);
    quiet_round();

    pairs_close(1);
}


static void
test_bad_event(void)
{
    static ngx_int_t  bad[] = {
        0, 1, -1, NGX_READ_EVENT | NGX_WRITE_EVENT, 1 << 20, INTPTR_MAX
    };
    ngx_uint_t        i;

    setup();
    t_socketpair(pair[0]);

    for (i = 0; i < t_nitems(bad); i++) {
        t_log_clear();
        refused(pair[0][1], bad[i], count_handler);
    }

    put(0);
    quiet_round();

    pairs_close(1);
}


/* What is refused is forgotten: there is no end of refusals. */

static void
test_many_refused(void)
{
    int                i;
    ngx_connection_t  *before, *after;

    setup();

    before = ngx_get_connection(0, t_log());
    ngx_free_connection(before);

    for (i = 0; i < 1000; i++) {
        T_REQUIRE(watch(-1, NGX_READ_EVENT, count_handler) == NGX_ERROR);
    }

    after = ngx_get_connection(0, t_log());
    ngx_free_connection(after);

    T_OK(before == after);
}


/* Children. */

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
    norder = 0;

    pid = t_spawn(proc, NULL, "child", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    T_EQ(child->done, 1);

    ngx_processes[ngx_process_slot].pid = -1;
}


/* A descriptor of the child's own, and one of its parent's that is ready. */

static void
child_loop(ngx_cycle_t *cycle, void *data)
{
    t_socketpair(pair[1]);
    put(1);

    if (watch(pair[1][1], NGX_READ_EVENT, count_handler) != NGX_OK) {
        _exit(1);
    }

    loop_round();
    loop_round();

    child->calls = called[pair[1][1]];
    child->parents_calls = called[pair[0][1]];
    child->done = 1;

    _exit(0);
}


static void
test_child(void)
{
    pairs_open(1);
    put(0);

    run_child(child_loop);

    T_EQ(child->calls, 2);
    T_EQ(child->parents_calls, 0);

    /* and the parent's loop is as it was */

    loop_round();
    T_EQ(calls, 1);

    pairs_close(1);
}


static void
child_timers(ngx_cycle_t *cycle, void *data)
{
    child->left = ngx_event_no_timers_left();

    ngx_add_timer(&timers[1], 10);
    loop_round();

    child->order = order[0];
    child->timers = norder;
    child->done = 1;

    _exit(0);
}


/* The parent's timer is due first, and is not the child's. */

static void
test_child_timers(void)
{
    setup();

    ngx_add_timer(&timers[0], 5);
    run_child(child_timers);

    T_EQ(child->left, NGX_OK);
    T_EQ(child->timers, 1);
    T_EQ(child->order, 1);

    while (norder == 0) {
        loop_round();
    }

    T_EQ(order[0], 0);
}


/* The parent has set a timer, but not run its loop. */

static void
test_child_timers_without_loop(void)
{
    timers_init();

    ngx_add_timer(&timers[0], 5);
    run_child(child_timers);

    T_EQ(child->left, NGX_OK);
    T_EQ(child->timers, 1);
    T_EQ(child->order, 1);

    ngx_del_timer(&timers[0]);
}


/* As a module's init_process() does: first the timer, then the channel. */

static void
child_timer_first(ngx_cycle_t *cycle, void *data)
{
    ngx_add_timer(&timers[1], 10);

    t_socketpair(pair[1]);

    if (watch(pair[1][1], NGX_READ_EVENT, count_handler) != NGX_OK) {
        _exit(1);
    }

    /* not for ever, should the timer be lost */

    ngx_add_timer(&timers[2], 2000);
    loop_round();

    child->order = order[0];
    child->timers = norder;
    child->done = 1;

    _exit(0);
}


static void
test_child_timer_first(void)
{
    setup();
    run_child(child_timer_first);

    T_EQ(child->timers, 1);
    T_EQ(child->order, 1);
}


/* A worker does not need a connection that its parent had. */

static void
close_parents(void)
{
    int  i;

    for (i = 0; i < 4; i++) {
        ngx_close_connection(others[i]);
    }
}


static void
watch_own(int first, int n)
{
    int  i;

    for (i = first; i < first + n; i++) {
        t_socketpair(pair[i]);

        if (watch(pair[i][1], NGX_READ_EVENT, count_handler) != NGX_OK) {
            _exit(1);
        }
    }
}


/* How many of its own descriptors the child hears of. */

static void
hear_own(int first, int n)
{
    int  i;

    memset(called, 0, sizeof(called));

    for (i = first; i < first + n; i++) {
        put(i);
    }

    ngx_add_timer(&timers[0], 2000);
    loop_round();

    for (i = first; i < first + n; i++) {
        child->calls += (called[pair[i][1]] == 1);
    }

    child->timers = norder;
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
    setup_others(count_handler);
    run_child(proc);

    T_EQ(child->calls, n);
    T_EQ(child->timers, 0);

    /* which are still the parent's */

    loop_round();
    T_EQ(calls, 4);

    teardown_others();
}


static void
test_child_closes_parents(void)
{
    closes_parents(child_closes_parents, 6);
}


/* ... when it has a loop of its own already. */

static void
test_child_closes_parents_later(void)
{
    closes_parents(child_closes_parents_later, 12);
}


/* Signals. */

static void
setup_signals(void)
{
    setup();
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    ngx_process = NGX_PROCESS_MASTER;
}


/* Without a timer the loop would wait for ever. */

static void
test_signal_before(void)
{
    setup_signals();

    raise(SIGUSR1);
    T_EQ(ngx_reopen, 1);
    loop_round();
}


static void
test_signals_before(void)
{
    int  i;

    setup_signals();

    for (i = 0; i < 1000; i++) {
        raise(SIGUSR1);
        raise(SIGWINCH);
        loop_round();
    }

    T_EQ(ngx_reopen, 1);

    /* that was one wake-up for each, and none is left */

    quiet_round();
}


static void
raise_handler(ngx_event_t *ev)
{
    char  ch;

    count_handler(ev);

    T_EQ(read(((ngx_connection_t *) ev->data)->fd, &ch, 1), 1);
    raise(SIGUSR1);
}


static void
test_signal_in_handler(void)
{
    setup_signals();
    t_socketpair(pair[0]);
    T_EQ(watch(pair[0][1], NGX_READ_EVENT, raise_handler), NGX_OK);

    put(0);
    loop_round();
    T_EQ(calls, 1);
    T_EQ(ngx_reopen, 1);

    loop_round();
    T_EQ(calls, 1);
    quiet_round();

    pairs_close(1);
}


static void
raise_timer(ngx_event_t *ev)
{
    timer_handler(ev);
    raise(SIGUSR1);
}


static void
test_signal_in_timer(void)
{
    setup_signals();

    timers[1].handler = raise_timer;
    ngx_add_timer(&timers[1], 0);
    loop_round();
    T_EQ(norder, 1);

    loop_round();
    T_EQ(norder, 1);
    quiet_round();
}


/* SIGCHLD is a signal as any other; the child may be gone before the wait. */

static void
test_child_exits_before(void)
{
    pid_t  pid;

    setup_signals();

    pid = t_spawn(open_elsewhere, (int[]) { -1, -1 }, "short",
                  NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    while (!ngx_reap) {
        loop_round();
    }

    T_EQ(ngx_reap_children(t_cycle()), 0);
}


/* A sender waits a while of its own choice, then waits for an answer. */

static void
spin(unsigned n)
{
    volatile unsigned  i;

    for (i = 0; i < n; i++) {
        /* void */
    }
}


static void
send_signals(int rounds, int answer)
{
    char      ch;
    unsigned  seed;

    seed = 1;

    while (rounds--) {
        seed = seed * 1103515245 + 12345;
        spin((seed >> 16) % 20000);

        if (kill(getppid(), SIGUSR1) == -1 || read(answer, &ch, 1) != 1) {
            _exit(1);
        }
    }

    _exit(0);
}


/* One that is slept over stops both, and the harness ends the case. */

static void
signals_at_random(int rounds)
{
    int    n, answer[2];
    pid_t  pid;

    T_REQUIRE(pipe(answer) == 0);

    pid = fork();

    if (pid == 0) {
        send_signals(rounds, answer[0]);
    }

    for (n = 0; n < rounds; /* void */ ) {

        if (ngx_reopen) {
            ngx_reopen = 0;
            n++;
            T_REQUIRE(write(answer[1], "x", 1) == 1);

        } else {
            loop_round();
        }
    }

    /* SIGCHLD's handler has waited for it, if it came in time */

    while (!ngx_reap) {
        loop_round();
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, "unknown process"), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 1);

    close(answer[0]);
    close(answer[1]);
}


static void
test_signals_at_random(void)
{
    setup_signals();
    signals_at_random(t_under_valgrind() ? 200 : 2000);
}


/* The same with a descriptor and a timer at work. */

static void
ring_handler(ngx_event_t *ev)
{
    put(0);
    ngx_add_timer(ev, 1);
}


static void
echo_handler(ngx_event_t *ev)
{
    count_handler(ev);
    read_one(pair[0][1]);
}


static void
test_signals_with_others(void)
{
    setup_signals();

    timers[1].handler = ring_handler;
    ngx_add_timer(&timers[1], 1);
    t_socketpair(pair[0]);
    T_EQ(watch(pair[0][1], NGX_READ_EVENT, echo_handler), NGX_OK);

    signals_at_random(t_under_valgrind() ? 100 : 500);

    T_OK(calls > 0);

    ngx_close_channel(pair[0], t_log());
    ngx_del_timer(&timers[1]);
}


/* A program with a loop of its own. */

typedef struct {
    int             reads;
    int             again;
    int             quit;
    volatile int    reopen;
    int             declined;
    ngx_uint_t      command;
    ngx_int_t       slot;
    ngx_socket_t    own[2];
    int             own_open;
    int             epoll;
    pid_t           pid;
    int             reached;
    int             sibling_closed;
} poller_t;


static poller_t  *poller;


static void
read_all(ngx_log_t *log)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    for ( ;; ) {
        n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t), log);

        if (n == NGX_AGAIN) {
            poller->again++;
            return;
        }

        if (n != (ngx_int_t) sizeof(ngx_channel_t)) {
            _exit(1);
        }

        poller->reads++;

        if (ngx_ipc_channel_command(&ch, log) == NGX_DECLINED) {
            poller->declined++;
            poller->command = ch.command;
        }
    }
}


static void
poll_proc(ngx_cycle_t *cycle, void *data)
{
    int             n;
    ngx_process_t  *own;

    n = t_open_fds();

    if (ngx_ipc_init_channel(cycle, NULL) != NGX_OK) {
        _exit(1);
    }

    own = &ngx_processes[ngx_process_slot];

    poller->slot = ngx_process_slot;
    poller->own[0] = own->channel[0];
    poller->own[1] = own->channel[1];
    poller->own_open = own->channel[1] == ngx_channel
                       && t_is_open(ngx_channel);
    poller->epoll = t_open_fds() - n;

    while (!ngx_quit) {

        if (!t_readable(ngx_channel)) {
            _exit(1);
        }

        read_all(cycle->log);

        if (ngx_reopen) {
            ngx_reopen = 0;

            /* by now the other worker is known */

            poller->pid = ngx_processes[1].pid;
            poller->reached = t_is_open(ngx_processes[1].channel[0]);
            poller->reopen++;
        }
    }

    poller->sibling_closed = ngx_processes[1].pid == -1
                             && ngx_processes[1].channel[0] == -1;
    poller->quit = 1;

    _exit(0);
}


static void
send_to(ngx_int_t slot, ngx_uint_t command, ngx_int_t about, int fd)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = command;
    ch.pid = ngx_processes[about].pid;
    ch.slot = about;
    ch.fd = fd;

    T_EQ(ngx_write_channel(ngx_processes[slot].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()), NGX_OK);
}


static void
test_own_loop(void)
{
    ngx_pid_t      pid[2];
    ngx_channel_t  ch;

    poller = t_shared(sizeof(poller_t));

    pid[0] = t_spawn(poll_proc, NULL, "poller", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[0] > 0);
    pid[1] = t_spawn(t_pause, NULL, "other", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[1] > 0);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = pid[1];
    ch.slot = ngx_process_slot;
    ch.fd = ngx_processes[ngx_process_slot].channel[0];
    ngx_pass_open_channel(t_cycle(), &ch);

    send_to(0, NGX_CMD_REOPEN, 0, -1);
    send_to(0, 31, 0, -1);
    send_to(0, NGX_CMD_CLOSE_CHANNEL, 1, -1);
    send_to(0, NGX_CMD_QUIT, 0, -1);

    T_EQ(t_wait(pid[0]), 0);

    T_EQ(poller->reads, 5);
    T_OK(poller->again >= 1);
    T_EQ(poller->reopen, 1);
    T_EQ(poller->declined, 1);
    T_EQ(poller->command, 31);
    T_EQ(poller->slot, 0);
    T_EQ(poller->own[0], -1);
    T_EQ(poller->own_open, 1);
    T_OK(poller->epoll <= 0);
    T_EQ(poller->sibling_closed, 1);
    T_EQ(poller->quit, 1);

    ngx_processes[0].exited = 1;
    t_end_processes();
}


/* Without the loop the handler is the program's own. */

static void
test_own_loop_learns_slot(void)
{
    pid_t  pid;

    poller = t_shared(sizeof(poller_t));

    pid = t_spawn(poll_proc, NULL, "poller", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_REQUIRE(t_spawn(t_pause, NULL, "other", NGX_PROCESS_NORESPAWN) > 0);

    send_to(0, NGX_CMD_OPEN_CHANNEL, 1, ngx_processes[1].channel[0]);
    send_to(0, NGX_CMD_REOPEN, 0, -1);

    while (poller->reopen == 0) {
        (void) sched_yield();
    }

    T_EQ(poller->pid, ngx_processes[1].pid);
    T_EQ(poller->reached, 1);

    send_to(0, NGX_CMD_QUIT, 0, -1);
    T_EQ(t_wait(pid), 0);

    ngx_processes[0].exited = 1;
    t_end_processes();
}

#endif


int
main(void)
{
    t_begin();

    t_run("a timer", test_timer);
    t_run("a timer takes one wait", test_one_wait);
    t_run("timers go off in order", test_order);
    t_run("timers of the same time", test_same_time);
    t_run("a timer of no time", test_no_time);
    t_run("a timer that is deleted", test_deleted);
    t_run("a timer that is deleted by another", test_deleted_by_another);
    t_run("a timer that is moved by less than 300 ms", test_lazy);
    t_run("a timer that is set again by its handler", test_set_again);
    t_run("X a timer that is set to no time by its handler",
          test_set_at_once);
    t_run("X two timers that are set to no time by their handlers",
          test_two_set_at_once);
    t_run("ngx_event_no_timers_left()", test_timers_left);
    t_run("the time goes on", test_time_goes_on);
    t_run("X a timer that is deleted but not set", test_deleted_unset);

#if !(T_NGINX)

    t_run("a read event", test_read);
    t_run("a write event", test_write);
    t_run("some of 20 descriptors", test_some_of_many);
    t_run("all of 200 descriptors", test_all_of_many);
    t_run("an end of file is an event", test_end_of_file);
    t_run("a pipe", test_pipe);
    t_run("an event before a timer that is far off",
          test_ready_before_timer);
    t_run("a timer of a connection", test_timer_of_connection);

    t_run("a handler closes its own connection", test_close_self);
    t_run("a handler closes others that are ready", test_close_others);
    t_run("a handler closes others and opens new ones", test_reuse_in_batch);
    t_run("a connection is closed twice", test_close_twice);
    t_run("a connection is freed, its descriptor stays", test_free);

    t_run("a closed descriptor that is open elsewhere",
          test_closed_but_open);
    t_run("a closed connection that is open elsewhere",
          test_closed_connection_but_open);
    t_run("a connection closed by its handler, open elsewhere",
          test_closed_by_handler_but_open);
    t_run("a closed descriptor that is open in a child",
          test_closed_but_open_in_child);
    t_run("a descriptor's number is in use again", test_number_in_use_again);

    t_run("a closed descriptor is refused", test_closed_fd);
    t_run("descriptor -1 is refused", test_no_fd);
    t_run("a regular file is refused", test_regular_file);
    t_run("a descriptor is refused the second time", test_watched_already);
    t_run("no handler is refused", test_no_handler);
    t_run("events that there are not are refused", test_bad_event);
    t_run("refusals leave nothing", test_many_refused);

    t_run("a child has a loop of its own", test_child);
    t_run("a child has timers of its own", test_child_timers);
    t_run("a child of one without a loop has timers of its own",
          test_child_timers_without_loop);
    t_run("a child sets a timer first", test_child_timer_first);
    t_run("a child closes its parent's connections",
          test_child_closes_parents);
    t_run("a child closes its parent's connections later",
          test_child_closes_parents_later);

    t_run("a signal before the wait", test_signal_before);
    t_run("signals before each wait", test_signals_before);
    t_run("a signal in a handler", test_signal_in_handler);
    t_run("a signal in a timer's handler", test_signal_in_timer);
    t_run("a child that exits before the wait", test_child_exits_before);
    t_run("signals at random moments", test_signals_at_random);
    t_run("signals at random moments, with others",
          test_signals_with_others);

    t_run("a program with a loop of its own", test_own_loop);
    t_run("a program with a loop of its own learns of others",
          test_own_loop_learns_slot);

#endif

    return t_end();
}
