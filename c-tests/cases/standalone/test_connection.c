
/* Tests of the event loop: connections that are closed, freed or copied. */


#include "t_event.h"


static void
close_self(ngx_event_t *ev)
{
    t_count_handler(ev);
    ngx_close_connection(ev->data);

    /*
     * A handler that has closed its connection can still read the structure.
     */

    T_EQ(((ngx_connection_t *) ev->data)->fd, -1);
}


static void
test_close_self(void)
{
    t_event_setup();
    t_socketpair(t_pairs[0]);
    T_EQ(t_watch(t_pairs[0][1], NGX_READ_EVENT, close_self), NGX_OK);

    t_pair_put(0);
    t_loop_round();

    T_EQ(t_calls, 1);
    T_OK(!t_is_open(t_pairs[0][1]));
    t_quiet_round();

    close(t_pairs[0][0]);
}


static void
close_others(ngx_event_t *ev)
{
    int  i;

    t_count_handler(ev);

    for (i = 0; i < 4; i++) {

        if (t_others[i] && t_others[i] != ev->data) {
            ngx_close_connection(t_others[i]);
            t_others[i] = NULL;
        }
    }
}


static void
test_close_others(void)
{
    t_others_open(close_others);

    t_loop_round();
    T_EQ(t_calls, 1);

    t_others_close();
    t_quiet_round();
}


static int  reused[4][2];


/*
 * A handler closes three connections whose events are pending, and watches new
 * descriptors.  The new descriptors get the numbers of the closed ones, but
 * must not get their events.
 */

static void
close_and_reuse(ngx_event_t *ev)
{
    int  i;

    close_others(ev);

    for (i = 0; i < 3; i++) {
        t_socketpair(reused[i]);
        T_REQUIRE(t_watch(reused[i][1], NGX_READ_EVENT, t_count_handler)
                  == NGX_OK);
        T_REQUIRE(t_watch(reused[i][0], NGX_READ_EVENT, t_count_handler)
                  == NGX_OK);
    }
}


static void
test_reuse_in_batch(void)
{
    int  i;

    t_others_open(close_and_reuse);

    t_loop_round();
    T_EQ(t_calls, 1);

    for (i = 0; i < 4; i++) {
        if (t_others[i]) {
            t_read_one(t_others[i]->fd);
        }
    }

    t_quiet_round();

    /* Each new descriptor gets the events that belong to it. */

    for (i = 0; i < 3; i++) {
        T_EQ(write(reused[i][0], "x", 1), 1);
        t_loop_round();
        T_EQ(t_calls, 2 + i);
        T_EQ(((ngx_connection_t *) t_last_ev->data)->fd, reused[i][1]);
        t_read_one(reused[i][1]);
    }

    for (i = 0; i < 3; i++) {
        ngx_close_channel(reused[i], t_log());
    }

    t_others_close();
}


static void
test_close_twice(void)
{
    ngx_connection_t  *c;

    t_event_setup();
    t_socketpair(t_pairs[0]);
    t_pair_put(0);

    c = t_watched(t_pairs[0][1], t_count_handler);

    ngx_close_connection(c);
    T_EQ(c->fd, -1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    ngx_close_connection(c);
    T_EQ(t_logged(NGX_LOG_ALERT, "connection already closed"), 1);
    ngx_free_connection(c);

    close(t_pairs[0][0]);
    t_quiet_round();
}


static void
test_free(void)
{
    ngx_connection_t  *c;

    t_event_setup();
    t_socketpair(t_pairs[0]);
    t_pair_put(0);

    c = t_watched(t_pairs[0][1], t_count_handler);
    ngx_free_connection(c);

    T_EQ(c->fd, -1);
    T_OK(t_is_open(t_pairs[0][1]));
    t_quiet_round();

    /*
     * After ngx_free_connection() the descriptor is still open, and can be
     * watched again.
     */

    (void) t_watched(t_pairs[0][1], t_count_handler);
    t_pairs_close(1);
}


/*
 * A connection is freed, and its memory becomes another connection.  The
 * descriptor of the first connection is closed, and the other stays open.
 */

static void
test_free_and_reuse(void)
{
    ngx_connection_t  *c, *other;

    t_event_setup();
    t_socketpair(t_pairs[0]);
    t_socketpair(t_pairs[1]);
    t_pair_put(0);

    c = t_watched(t_pairs[0][1], t_count_handler);
    ngx_free_connection(c);

    other = ngx_get_connection(t_pairs[1][1], t_log());
    T_REQUIRE(other == c);
    t_pairs_close(1);
    T_EQ(other->fd, t_pairs[1][1]);

    ngx_free_connection(other);
    ngx_close_channel(t_pairs[1], t_log());
    t_quiet_round();
}


/* An event loop uses the memory of each closed connection again. */

static void
test_reuse_each(void)
{
    int                i, n;
    ngx_connection_t  *first[3], *c;

    t_event_setup();

    for (i = 0; i < 3; i++) {
        t_socketpair(t_pairs[i]);
        first[i] = ngx_get_connection(t_pairs[i][1], t_log());
        T_REQUIRE(first[i] != NULL);
    }

    for (i = 0; i < 3; i++) {

        for (n = 0; n < 100; n++) {
            ngx_free_connection(first[i]);
            c = ngx_get_connection(t_pairs[i][1], t_log());
            T_REQUIRE(c == first[i]);
        }
    }

    for (i = 0; i < 3; i++) {
        ngx_free_connection(first[i]);
        ngx_close_channel(t_pairs[i], t_log());
    }
}


/*
 * A module can use a copy of a connection that has events of its own, as
 * nginx's HTTP/2 does.
 */

static void
test_copy(void)
{
    u_char             buf[8];
    ngx_event_t        rev, wev;
    ngx_connection_t  *c;

    struct {
        ngx_connection_t  c;
        u_char            behind[512];
    } copy;

    t_event_setup();
    t_socketpair(t_pairs[0]);

    c = ngx_get_connection(t_pairs[0][1], t_log());
    c->read->ready = 1;

    memset(&copy, 0xff, sizeof(copy));
    rev = *c->read;
    wev = *c->write;
    copy.c = *c;
    copy.c.read = &rev;
    copy.c.write = &wev;

    T_EQ(copy.c.send(&copy.c, (u_char *) "abc", 3), 3);
    T_OK(wev.ready);
    T_OK(!c->write->ready);

    T_EQ(write(t_pairs[0][0], "x", 1), 1);
    T_EQ(copy.c.recv(&copy.c, buf, sizeof(buf)), 1);
    T_OK(!rev.ready);
    T_OK(c->read->ready);

    t_pairs_close(1);

    T_EQ(copy.c.recv(&copy.c, buf, sizeof(buf)), NGX_ERROR);
    T_OK(rev.error);
    T_OK(!c->read->error);
    T_EQ(t_logged(NGX_LOG_ALERT, "recv() failed (9: Bad file descriptor)"), 1);

    T_EQ(copy.behind[0], 0xff);
    T_EQ(memcmp(copy.behind, copy.behind + 1, sizeof(copy.behind) - 1), 0);

    ngx_free_connection(c);
}


int
main(void)
{
    t_begin();

    t_run("a handler closes its own connection", test_close_self);
    t_run("a handler closes others that are ready", test_close_others);
    t_run("a handler closes others and opens new ones", test_reuse_in_batch);
    t_run("a connection is closed twice", test_close_twice);
    t_run("a connection is freed, its descriptor stays", test_free);
    t_run("a connection is freed, another gets its memory",
          test_free_and_reuse);
    t_run("the memory of each connection is used again", test_reuse_each);
    t_run("a copy of a connection receives and sends", test_copy);

    return t_end();
}
