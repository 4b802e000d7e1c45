
/* Tests of the event loop: descriptors and events that it refuses to watch. */


#include "t_event.h"


static void
other_handler(ngx_event_t *ev)
{
    (void) ev;
}


static void
refused(int fd, ngx_int_t event, ngx_event_handler_pt handler)
{
    T_EQ(t_watch(fd, event, handler), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


static void
test_closed_fd(void)
{
    int  fd;

    t_event_setup();

    fd = dup(0);
    close(fd);

    refused(fd, NGX_READ_EVENT, t_count_handler);
    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "epoll_ctl(1, %d) failed (9: Bad file descriptor)", fd),
         1);
    t_quiet_round();
}


static void
test_no_fd(void)
{
    t_event_setup();

    refused(-1, NGX_READ_EVENT, t_count_handler);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "epoll_ctl(1, -1) failed (9: Bad file descriptor)"), 1);
    t_quiet_round();
}


static void
test_regular_file(void)
{
    int  fd;

    t_event_setup();

    fd = open("/proc/self/exe", O_RDONLY|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    refused(fd, NGX_READ_EVENT, t_count_handler);
    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "epoll_ctl(1, %d) failed (1: Operation not permitted)",
                   fd), 1);
    t_quiet_round();

    close(fd);
}


static void
test_watched_already(void)
{
    t_pairs_open(1);

    refused(t_pairs[0][1], NGX_READ_EVENT, other_handler);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "epoll_ctl(1, %d) failed (17: File exists)",
                   t_pairs[0][1]), 1);

    /*
     * The refused call does not change the event: its first handler is still
     * called.
     */

    t_pair_put(0);
    t_loop_round();
    T_EQ(t_calls, 1);
    T_OK(t_is_open(t_pairs[0][1]));

    t_pairs_close(1);
    t_quiet_round();
}


static void
test_no_handler(void)
{
    t_event_setup();
    t_socketpair(t_pairs[0]);

    refused(t_pairs[0][1], NGX_READ_EVENT, NULL);
    t_pair_put(0);
    t_quiet_round();

    t_pairs_close(1);
}


static void
test_bad_event(void)
{
    static ngx_int_t  bad[] = {
        0, 1, -1, NGX_READ_EVENT | NGX_WRITE_EVENT, 1 << 20, INTPTR_MAX
    };
    ngx_uint_t        i;

    t_event_setup();
    t_socketpair(t_pairs[0]);

    for (i = 0; i < t_nitems(bad); i++) {
        t_log_clear();
        refused(t_pairs[0][1], bad[i], t_count_handler);
    }

    t_pair_put(0);
    t_quiet_round();

    t_pairs_close(1);
}


/* The event loop keeps no memory for a descriptor that it has refused. */

static void
test_many_refused(void)
{
    int                i;
    ngx_connection_t  *before, *after;

    t_event_setup();

    before = ngx_get_connection(0, t_log());
    ngx_free_connection(before);

    for (i = 0; i < 1000; i++) {
        T_REQUIRE(t_watch(-1, NGX_READ_EVENT, t_count_handler) == NGX_ERROR);
    }

    after = ngx_get_connection(0, t_log());
    ngx_free_connection(after);

    T_OK(before == after);
}


int
main(void)
{
    t_begin();

    t_run("a closed descriptor is refused", test_closed_fd);
    t_run("descriptor -1 is refused", test_no_fd);
    t_run("a regular file is refused", test_regular_file);
    t_run("a descriptor is refused the second time", test_watched_already);
    t_run("no handler is refused", test_no_handler);
    t_run("invalid events are refused", test_bad_event);
    t_run("refused descriptors leave no memory", test_many_refused);

    return t_end();
}
