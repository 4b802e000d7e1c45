/*
 * ngx_event_timer.h: timers.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/event_timer.rs
 *   include/generator/event_timer.h
 */

#ifndef _NGX_EVENT_TIMER_H_INCLUDED_
#define _NGX_EVENT_TIMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Adds a timer to an event: in timer milliseconds the event loop sets
 * ev->timedout and calls ev->handler.
 *
 * An event has at most one timer. If the event has a timer already, the timer
 * is moved, unless it would move by less than 300 ms. Does nothing if ev is
 * NULL.
 *
 * Safety: ev is NULL or an event that is valid until its timer expires or is
 * deleted.
 *
 * References: nginx's src/event/ngx_event_timer.h.
 */
void ngx_event_add_timer(ngx_event_t *ev, ngx_msec_t timer);

/*
 * Deletes the timer of an event, if it has one. Does nothing if ev is NULL.
 *
 * Safety: ev is NULL or a valid event.
 */
void ngx_event_del_timer(ngx_event_t *ev);

/*
 * Tells whether a worker that shuts down must wait for a timer.
 *
 * Returns NGX_AGAIN while an event that is not cancelable has a timer, else
 * NGX_OK.
 */
ngx_int_t ngx_event_no_timers_left(void);


/* The time until the next timer expires, if there is no timer. */
#define NGX_TIMER_INFINITE  (ngx_msec_t) -1

/* Another name of ngx_event_add_timer(): adds a timer to an event. */
#define ngx_add_timer       ngx_event_add_timer

/* Another name of ngx_event_del_timer(): deletes the timer of an event. */
#define ngx_del_timer       ngx_event_del_timer


#ifdef __cplusplus
}
#endif

#endif /* _NGX_EVENT_TIMER_H_INCLUDED_ */
