/*
 * ngx_event_posted.h: events whose handlers the event loop calls later.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_EVENT_POSTED_H_INCLUDED_
#define _NGX_EVENT_POSTED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * The queues of posted events.  In each round the event loop first waits and
 * calls the handlers of descriptors, then those of ngx_posted_accept_events,
 * then those of the timers that have expired, then those of ngx_posted_events.
 * If a queue has an event, the round does not wait.  The events of
 * ngx_posted_next_events move to ngx_posted_events at the beginning of the
 * next round.
 *
 * A new process begins with empty queues.
 */

extern ngx_queue_t  ngx_posted_accept_events;
extern ngx_queue_t  ngx_posted_next_events;
extern ngx_queue_t  ngx_posted_events;


/*
 * A macro of this header is a block, so that it needs no semicolon, as in nginx.
 */

/*
 * Adds the event ev to the end of the queue q, unless the event is in a queue
 * already.
 *
 * Safety: the event stays valid until its handler is called or the event is
 * removed from the queue.
 *
 * References: nginx's src/event/ngx_event_posted.h.
 */
#define ngx_post_event(ev, q)                                                 \
    {                                                                         \
        if ((ev)->posted) {                                                   \
            ngx_log_debug1(NGX_LOG_DEBUG_CORE, (ev)->log, 0,                  \
                           "update posted event %p", ev);                     \
        } else {                                                              \
            ngx_log_debug1(NGX_LOG_DEBUG_CORE, (ev)->log, 0,                  \
                           "post event %p", ev);                              \
            (ev)->posted = 1;                                                 \
            ngx_queue_insert_tail(q, &(ev)->queue);                           \
        }                                                                     \
    }

/*
 * Removes the event ev from its queue.
 *
 * Safety: the event is in a queue: ev->posted is 1.
 *
 * References: nginx's src/event/ngx_event_posted.h.
 */
#define ngx_delete_posted_event(ev)                                           \
    {                                                                         \
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, (ev)->log, 0,                      \
                       "delete posted event %p", ev);                         \
        (ev)->posted = 0;                                                     \
        ngx_queue_remove(&(ev)->queue);                                       \
    }

/*
 * Removes all events from the queue posted, and calls their handlers in the
 * order of the queue.  Also calls the handlers of events that a handler adds to
 * the queue meanwhile.
 *
 * Safety: cycle is NULL or a valid cycle, and the events of the queue are valid.
 *
 * References: nginx's src/event/ngx_event_posted.c.
 */
void ngx_event_process_posted(ngx_cycle_t *cycle, ngx_queue_t *posted);

/*
 * Marks the events of ngx_posted_next_events as ready, and moves them to the end
 * of ngx_posted_events.
 *
 * Safety: cycle is NULL or a valid cycle, and the events of the queue are valid.
 *
 * References: nginx's src/event/ngx_event_posted.c.
 */
void ngx_event_move_posted_next(ngx_cycle_t *cycle);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_EVENT_POSTED_H_INCLUDED_ */
