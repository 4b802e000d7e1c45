
/*
 * Messages between processes in nginx's event loop: it watches the wake-up descriptor of
 * this process, and handles messages when it is readable, or when a timer expires.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_ipc_messages.h"


/* the milliseconds after which a process without a slot looks for one again */

#define NGX_IPC_MESSAGES_RETRY  1000


/* functions of the library that only this file calls */

ngx_fd_t ngx_ipc_messages_watch(void);
void ngx_ipc_messages_process(void);
ngx_int_t ngx_ipc_messages_prepare_sleep(void);


static void ngx_ipc_messages_prepare_timer(ngx_cycle_t *cycle,
    ngx_event_handler_pt handler, ngx_connection_t *c);
static void ngx_ipc_messages_retry(ngx_event_t *ev);
static void ngx_ipc_messages_handler(ngx_event_t *ev);
static void ngx_ipc_messages_sleep(ngx_event_t *ev);
static void ngx_ipc_messages_restart_timer(ngx_int_t milliseconds);


/* the timer of the event loop, in a process that watches its descriptor */

static ngx_event_t  ngx_ipc_messages_timer;

#if (nginx_version >= 1017005)

/* posted behind the light threads that messages have woken up */

static ngx_event_t  ngx_ipc_messages_asleep;

#endif

/* for the debug log, while there is no connection */

static ngx_connection_t  ngx_ipc_messages_none = { .fd = (ngx_socket_t) -1 };

/* a module of this process cannot take more messages */

static ngx_uint_t  ngx_ipc_messages_held;


static ngx_int_t
ngx_ipc_watch(ngx_connection_t *c, ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    if (ngx_add_conn != NULL && !(ngx_event_flags & NGX_USE_EPOLL_EVENT)) {
        return ngx_add_conn(c);
    }

    return ngx_add_event(ev, event, flags);
}


ngx_connection_t *
ngx_ipc_connection(ngx_cycle_t *cycle, ngx_fd_t fd, ngx_int_t event, ngx_uint_t flags,
    ngx_event_handler_pt handler)
{
    ngx_event_t       *ev;
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        return NULL;
    }

    c->pool = cycle->pool;

    /* nginx does not report a channel that is open when the worker exits */

    c->read->log = cycle->log;
    c->read->channel = 1;

    c->write->log = cycle->log;
    c->write->channel = 1;

    ev = (event == NGX_READ_EVENT) ? c->read : c->write;
    ev->handler = handler;

    if (ngx_ipc_watch(c, ev, event, flags) == NGX_ERROR) {
        ngx_free_connection(c);
        return NULL;
    }

    return c;
}


ngx_int_t
ngx_ipc_messages_add(ngx_cycle_t *cycle)
{
    ngx_fd_t           fd;
    ngx_connection_t  *c;

    fd = ngx_ipc_messages_watch();
    if (fd == -1) {
        return NGX_OK;
    }

    if (fd == NGX_AGAIN) {
        ngx_ipc_messages_prepare_timer(cycle, ngx_ipc_messages_retry,
                                       &ngx_ipc_messages_none);
        ngx_ipc_messages_set_timer(NGX_IPC_MESSAGES_RETRY);
        return NGX_OK;
    }

    c = ngx_ipc_connection(cycle, fd, NGX_READ_EVENT, NGX_CLEAR_EVENT,
                           ngx_ipc_messages_handler);
    if (c == NULL) {
        return NGX_ERROR;
    }

    ngx_ipc_messages_prepare_timer(cycle, ngx_ipc_messages_handler, c);

    /* messages can have arrived before the event loop runs */

    ngx_ipc_messages_restart_timer(0);

    return NGX_OK;
}


static void
ngx_ipc_messages_prepare_timer(ngx_cycle_t *cycle,
    ngx_event_handler_pt handler, ngx_connection_t *c)
{
    ngx_ipc_messages_timer.handler = handler;
    ngx_ipc_messages_timer.log = cycle->log;
    ngx_ipc_messages_timer.data = c;

#if (nginx_version >= 1011011)
    ngx_ipc_messages_timer.cancelable = 1;
#endif

#if (nginx_version >= 1017005)
    ngx_ipc_messages_asleep.handler = ngx_ipc_messages_sleep;
    ngx_ipc_messages_asleep.log = cycle->log;
    ngx_ipc_messages_asleep.data = c;
#endif
}


/* Looks again for a slot for the messages of this process: none was free. */

static void
ngx_ipc_messages_retry(ngx_event_t *ev)
{
    if (ngx_exiting) {
        return;
    }

    if (ngx_ipc_messages_add((ngx_cycle_t *) ngx_cycle) != NGX_OK) {

        /* there is no free connection */

        ngx_ipc_messages_set_timer(NGX_IPC_MESSAGES_RETRY);
    }
}


static void
ngx_ipc_messages_handler(ngx_event_t *ev)
{
    if (ngx_ipc_messages_held) {
        return;
    }

    ngx_ipc_messages_process();

#if (nginx_version >= 1017005)

    ngx_post_event(&ngx_ipc_messages_asleep, &ngx_posted_events);

#else

    /* without ngx_posted_next_events, what arrives until the event is handled would be late */

    ngx_ipc_messages_sleep(ev);

#endif
}


/* Makes senders wake up this process from now on, or handles more messages in the next turn. */

static void
ngx_ipc_messages_sleep(ngx_event_t *ev)
{
    if (!ngx_ipc_messages_held) {
        ngx_ipc_messages_restart_timer(ngx_ipc_messages_prepare_sleep());
    }
}


void
ngx_ipc_messages_hold(ngx_uint_t hold)
{
    ngx_connection_t  *c;

    c = ngx_ipc_messages_timer.data;

    if (c == NULL || c->read == NULL || ngx_ipc_messages_held == hold) {
        return;
    }

    /* with poll and select the descriptor stays readable, and nginx would not sleep */

    if (hold) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);

    } else if (ngx_ipc_watch(c, c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) == NGX_ERROR) {
        return;
    }

    ngx_ipc_messages_held = hold;
    ngx_ipc_messages_restart_timer(hold ? -1 : 0);
}


/*
 * Called by the library.  The timer expires after this time at the latest: it can have
 * been set before to an earlier one.
 */

void
ngx_ipc_messages_set_timer(ngx_int_t milliseconds)
{
    ngx_msec_int_t  left;

    if (ngx_ipc_messages_timer.timer_set) {
        left = ngx_ipc_messages_timer.timer.key - ngx_current_msec;

        if (milliseconds < 0 || left <= milliseconds) {
            return;
        }
    }

    ngx_ipc_messages_restart_timer(milliseconds);
}


/* The timer expires after this time; 0: in the next turn.  It is deleted if the time is -1. */

static void
ngx_ipc_messages_restart_timer(ngx_int_t milliseconds)
{
    if (ngx_ipc_messages_timer.timer_set) {
        ngx_del_timer(&ngx_ipc_messages_timer);
    }

#if (nginx_version < 1011011)

    /* this version of nginx does not exit as long as it has a timer */

    if (ngx_exiting) {
        return;
    }

#endif

#if (nginx_version >= 1017005)

    /* with "timer_resolution" nginx does not wake up for a timer */

    if (milliseconds == 0) {
        ngx_post_event(&ngx_ipc_messages_timer, &ngx_posted_next_events);
        return;
    }

#endif

    if (milliseconds >= 0) {
        ngx_add_timer(&ngx_ipc_messages_timer, (ngx_msec_t) milliseconds);
    }
}
