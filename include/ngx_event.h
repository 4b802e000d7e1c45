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
 * Makes the event loop watch a connection for input if the read event rev is
 * not ready. If rev is ready, the event loop stops watching.
 *
 * A read handler calls this function before it returns. flags is not used.
 * Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: rev is NULL or the read event of an open connection.
 *
 * References: nginx's src/event/ngx_event.c.
 */
ngx_int_t ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags);

/*
 * Makes the event loop watch a connection for room in the socket buffer if the
 * write event wev is not ready. If wev is ready, the event loop stops
 * watching.
 *
 * A program calls this function after c->send has sent fewer bytes than
 * requested, and before a write handler returns. lowat is not used. Returns
 * NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: wev is NULL or the write event of an open connection.
 */
ngx_int_t ngx_handle_write_event(ngx_event_t *wev, size_t lowat);

/*
 * Runs one round of the event loop: waits for an event, a timer or a signal,
 * then updates the time and calls the handlers.
 *
 * If a signal has arrived since the last round, the function does not wait, so
 * no signal is missed.
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
    /* the connection that the event belongs to; else for the program to use */
    void                  *data;

    unsigned               write:1;
    unsigned               accept:1;
    unsigned               instance:1;
    unsigned               active:1;        /* epoll watches for the event */
    unsigned               disabled:1;
    unsigned               ready:1;         /* the event has happened */
    unsigned               oneshot:1;
    unsigned               complete:1;
    unsigned               eof:1;
    unsigned               error:1;
    unsigned               timedout:1;      /* the timer has expired */
    unsigned               timer_set:1;
    unsigned               delayed:1;
    unsigned               deferred_accept:1;
    unsigned               pending_eof:1;
    unsigned               posted:1;
    unsigned               closed:1;
    unsigned               channel:1;
    unsigned               resolver:1;
    unsigned               cancelable:1;    /* a shutdown ignores the timer */

    int                    available;

    ngx_event_handler_pt   handler;
    ngx_log_t             *log;

    /* as large as nginx's ngx_rbtree_node_t */
    struct ngx_event_timer_s {
        ngx_msec_t         key;             /* when the timer expires */

        /* only the library uses these members */
        ngx_event_t       *left;
        ngx_event_t       *right;
        ngx_event_t       *parent;
        uint16_t           priority;
        uint16_t           round;
        uint32_t           tree;
    } timer;
};


#ifdef __cplusplus
}
#endif

#endif /* _NGX_EVENT_H_INCLUDED_ */
