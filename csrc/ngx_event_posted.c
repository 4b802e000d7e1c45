/*
 * Events that a program has posted: the event loop calls their handlers later in
 * the same round, or in the next round.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* The queues are empty before the event loop runs for the first time. */

ngx_queue_t  ngx_posted_accept_events =
                 { &ngx_posted_accept_events, &ngx_posted_accept_events };
ngx_queue_t  ngx_posted_next_events =
                 { &ngx_posted_next_events, &ngx_posted_next_events };
ngx_queue_t  ngx_posted_events = { &ngx_posted_events, &ngx_posted_events };


void
ngx_event_process_posted(ngx_cycle_t *cycle, ngx_queue_t *posted)
{
    ngx_event_t  *ev;

    while (!ngx_queue_empty(posted)) {
        ev = ngx_queue_data(ngx_queue_head(posted), ngx_event_t, queue);

        if (cycle != NULL && cycle->log != NULL) {
            ngx_log_debug1(NGX_LOG_DEBUG_EVENT, cycle->log, 0,
                           "posted event %p", ev);
        }

        /* The handler can post the event again, so the event is removed first. */

        if (ev->log != NULL) {
            ngx_log_debug1(NGX_LOG_DEBUG_CORE, ev->log, 0,
                           "delete posted event %p", ev);
        }

        ev->posted = 0;
        ngx_queue_remove(&ev->queue);

        ev->handler(ev);
    }
}


void
ngx_event_move_posted_next(ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ngx_posted_next_events)) {
        q = ngx_queue_head(&ngx_posted_next_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        if (cycle != NULL && cycle->log != NULL) {
            ngx_log_debug1(NGX_LOG_DEBUG_EVENT, cycle->log, 0,
                           "posted next event %p", ev);
        }

        ev->ready = 1;
        ev->available = -1;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_posted_events, q);
    }
}
