
/* Tests of macros in a program that is compiled without debug lines. */


#define NGX_DEBUG  0

#include "test.h"

#include <ngx_event.h>


static void
test_no_lines(void)
{
    int  evaluated = 0;

    t_log()->log_level = NGX_LOG_DEBUG_ALL;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, t_log(), 0, "a debug line");
    ngx_log_debug1(NGX_LOG_DEBUG_CORE, t_log(), 0, "a debug line %d",
                   ++evaluated);
    ngx_log_debug8(NGX_LOG_DEBUG_CORE, t_log(), 0, "%d%d%d%d%d%d%d%d",
                   1, 2, 3, 4, 5, 6, 7, ++evaluated);

    T_EQ(evaluated, 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, ""), 0);

    /* This macro has no number and stays. */

    ngx_log_debug(NGX_LOG_DEBUG_CORE, t_log(), 0, "a debug line");
    T_EQ(t_logged(NGX_LOG_DEBUG, "a debug line"), 1);
}


static void
test_no_log(void)
{
    ngx_event_t  ev;
    ngx_queue_t  q;

    memset(&ev, 0, sizeof(ev));
    ngx_queue_init(&q);

    ngx_post_event(&ev, &q);
    ngx_post_event(&ev, &q);
    T_OK(ev.posted && ngx_queue_head(&q) == &ev.queue);

    ngx_delete_posted_event(&ev);
    T_OK(!ev.posted && ngx_queue_empty(&q));
}


static void
test_remove_head(void)
{
    int          i;
    ngx_queue_t  h, link[3];

    ngx_queue_init(&h);

    for (i = 0; i < 3; i++) {
        ngx_queue_insert_tail(&h, &link[i]);
    }

    ngx_queue_remove(ngx_queue_head(&h));
    T_OK(ngx_queue_head(&h) == &link[1] && ngx_queue_prev(&link[1]) == &h);
    T_OK(link[0].prev == &h && link[0].next == &link[1]);
}


int
main(void)
{
    t_begin();

    t_run("debug lines are not compiled", test_no_lines);
    t_run("an event without a log is posted", test_no_log);
    t_run("the first element of a queue is removed", test_remove_head);

    return t_end();
}
