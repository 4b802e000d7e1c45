/*
 * ngx_event.h: the event loop.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/event.rs
 *   include/generator/event.h
 */

#ifndef _NGX_EVENT_H_INCLUDED_
#define _NGX_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event_timer.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Makes the event loop watch a connection for input, unless the read event
 * rev is ready: then it stops watching.
 *
 * A read handler calls this when it returns. flags is not used. Returns
 * NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: rev is NULL or the read event of an open connection.
 *
 * References: nginx's src/event/ngx_event.c.
 */
ngx_int_t ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags);

/*
 * Makes the event loop watch a connection for room for output, unless the
 * write event wev is ready: then it stops watching.
 *
 * A program calls this after c->send has sent less than it was given, and
 * when a write handler returns. lowat is not used. Returns NGX_OK, or
 * NGX_ERROR with an alert in the log.
 *
 * Safety: wev is NULL or the write event of an open connection.
 */
ngx_int_t ngx_handle_write_event(ngx_event_t *wev, size_t lowat);

/*
 * Runs one round of the event loop: waits for an event, a timer or a signal,
 * then updates the time and calls the handlers.
 *
 * Does not wait if a signal has arrived since the last round, so no signal is
 * missed.
 *
 * Safety: cycle is NULL or a valid cycle.
 *
 * References: epoll_wait(2); nginx's src/event/ngx_event.c.
 */
void ngx_process_events_and_timers(ngx_cycle_t *cycle);


#define NGX_READ_EVENT      0x2001          /* EPOLLIN|EPOLLRDHUP */
#define NGX_WRITE_EVENT     0x0004          /* EPOLLOUT */


/* An event, and the handler that is called when it happens. */
struct ngx_event_s {
    /* the connection whose event it is; for the program in other events */
    void                  *data;

    unsigned               write:1;
    unsigned               accept:1;
    unsigned               instance:1;
    unsigned               active:1;        /* the loop watches it */
    unsigned               disabled:1;
    unsigned               ready:1;         /* it has happened */
    unsigned               oneshot:1;
    unsigned               complete:1;
    unsigned               eof:1;
    unsigned               error:1;
    unsigned               timedout:1;      /* its timer has expired */
    unsigned               timer_set:1;
    unsigned               delayed:1;
    unsigned               deferred_accept:1;
    unsigned               pending_eof:1;
    unsigned               posted:1;
    unsigned               closed:1;
    unsigned               channel:1;
    unsigned               resolver:1;
    unsigned               cancelable:1;    /* its timer delays no shutdown */

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
