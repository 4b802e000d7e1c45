/*
 * ngx_event.h: the event loop and timers.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Made by build.rs of src/abi/event.rs: edit that, then "make headers".
 */

#ifndef _NGX_EVENT_H_INCLUDED_
#define _NGX_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define WRITE (1 << 0)

#define ACTIVE (1 << 3)

#define READY (1 << 5)

#define TIMEDOUT (1 << 10)

#define TIMER_SET (1 << 11)

#define CHANNEL (1 << 17)

#define CANCELABLE (1 << 19)

/* NGX_READ_EVENT of event.h. */
#define READ_EVENT 8193

/*
 * Waits for events, timers and signals, and calls the handlers.
 *
 * Returns after each wake-up; a signal that came since the last one counts,
 * so none is slept over. The time is up to date then.
 *
 * Safety: cycle is a valid cycle.
 *
 * References: epoll_wait(2); nginx's src/event/ngx_event.c.
 */
void ngx_process_events_and_timers(ngx_cycle_t *cycle);

/*
 * Has ev->handler called, with ev->timedout set, in timer milliseconds.
 *
 * An event has one timer; setting it anew moves it, unless by less than
 * 300 ms.
 *
 * Safety: ev is a valid event until its timer has gone off or been deleted.
 *
 * References: nginx's src/event/ngx_event_timer.h.
 */
void ngx_event_add_timer(ngx_event_t *ev, ngx_msec_t timer);

/*
 * Deletes the timer of an event, if it has one.
 *
 * Safety: ev is a valid event.
 */
void ngx_event_del_timer(ngx_event_t *ev);

/*
 * Whether a worker that shuts down has nothing left to wait for.
 *
 * Returns NGX_OK, or NGX_AGAIN while there are timers that are not
 * cancelable.
 */
ngx_int_t ngx_event_no_timers_left(void);


#define NGX_READ_EVENT      0x2001          /* EPOLLIN|EPOLLRDHUP */
#define NGX_WRITE_EVENT     0x0004          /* EPOLLOUT */
#define NGX_TIMER_INFINITE  (ngx_msec_t) -1

#define ngx_add_timer       ngx_event_add_timer
#define ngx_del_timer       ngx_event_del_timer


/* Something that can happen, and what is done about it. */
struct ngx_event_s {
    /* the connection, in an event of a connection */
    void                  *data;

    unsigned               write:1;
    unsigned               accept:1;
    unsigned               instance:1;
    unsigned               active:1;        /* the loop watches for it */
    unsigned               disabled:1;
    unsigned               ready:1;         /* it has happened */
    unsigned               oneshot:1;
    unsigned               complete:1;
    unsigned               eof:1;
    unsigned               error:1;
    unsigned               timedout:1;      /* its timer has gone off */
    unsigned               timer_set:1;
    unsigned               delayed:1;
    unsigned               deferred_accept:1;
    unsigned               pending_eof:1;
    unsigned               posted:1;
    unsigned               closed:1;
    unsigned               channel:1;
    unsigned               resolver:1;
    unsigned               cancelable:1;    /* a shutdown need not wait */

    int                    available;

    ngx_event_handler_pt   handler;
    ngx_log_t             *log;

    struct ngx_event_timer_s {
        ngx_msec_t         key;
    } timer;
};


#ifdef __cplusplus
}
#endif

#endif /* _NGX_EVENT_H_INCLUDED_ */
