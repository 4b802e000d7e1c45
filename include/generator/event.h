#define NGX_READ_EVENT      0x2001          /* EPOLLIN|EPOLLRDHUP */
#define NGX_WRITE_EVENT     0x0004          /* EPOLLOUT */

/* The flags of ngx_add_event(). */
#define NGX_LEVEL_EVENT     0
#define NGX_CLEAR_EVENT     0x80000000      /* EPOLLET */
#define NGX_ONESHOT_EVENT   0x70000000      /* ignored */
#define NGX_EXCLUSIVE_EVENT 0x10000000      /* EPOLLEXCLUSIVE */

/* The flags of ngx_del_event(). */
#define NGX_CLOSE_EVENT     1
#define NGX_DISABLE_EVENT   2               /* ignored */
#define NGX_FLUSH_EVENT     4               /* ignored */
#define NGX_LOWAT_EVENT     0
#define NGX_VNODE_EVENT     0

/* An event that has no place in a list of events. */
#define NGX_INVALID_INDEX   0xd0d0d0d0

/*
 * The bits of ngx_event_flags.  This event loop has NGX_USE_LEVEL_EVENT,
 * NGX_USE_GREEDY_EVENT and NGX_USE_EPOLL_EVENT: ngx_handle_read_event() and
 * ngx_handle_write_event() watch for level-triggered events.
 */
#define NGX_USE_LEVEL_EVENT      0x00000001
#define NGX_USE_ONESHOT_EVENT    0x00000002
#define NGX_USE_CLEAR_EVENT      0x00000004
#define NGX_USE_KQUEUE_EVENT     0x00000008
#define NGX_USE_LOWAT_EVENT      0x00000010
#define NGX_USE_GREEDY_EVENT     0x00000020
#define NGX_USE_EPOLL_EVENT      0x00000040
#define NGX_USE_RTSIG_EVENT      0x00000080
#define NGX_USE_AIO_EVENT        0x00000100
#define NGX_USE_IOCP_EVENT       0x00000200
#define NGX_USE_FD_EVENT         0x00000400
#define NGX_USE_TIMER_EVENT      0x00000800
#define NGX_USE_EVENTPORT_EVENT  0x00001000
#define NGX_USE_VNODE_EVENT      0x00002000

#define NGX_UPDATE_TIME          1
#define NGX_POST_EVENTS          2


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
    ngx_uint_t             index;           /* for the program to use */
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

    ngx_queue_t            queue;           /* links posted events */
};


/*
 * Functions of the event loop.  The library itself does not use this table, so a
 * function that a program stores here changes only what the macros below do.
 * The members that are NULL have no function in this library.
 */

typedef struct {
    ngx_int_t  (*add)(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);
    ngx_int_t  (*del)(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);

    ngx_int_t  (*enable)(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);
    ngx_int_t  (*disable)(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);

    ngx_int_t  (*add_conn)(ngx_connection_t *c);
    ngx_int_t  (*del_conn)(ngx_connection_t *c, ngx_uint_t flags);

    /* NULL */
    ngx_int_t  (*notify)(ngx_event_handler_pt handler);
    ngx_int_t  (*process_events)(ngx_cycle_t *cycle, ngx_msec_t timer,
                                 ngx_uint_t flags);
    ngx_int_t  (*init)(ngx_cycle_t *cycle, ngx_msec_t timer);
    void       (*done)(ngx_cycle_t *cycle);
} ngx_event_actions_t;

extern ngx_event_actions_t  ngx_event_actions;

/* What the event loop is, a sum of NGX_USE_..._EVENT. */
extern ngx_uint_t           ngx_event_flags;


/*
 * Makes the event loop watch for an event: event is NGX_READ_EVENT or
 * NGX_WRITE_EVENT, and ev the read or write event of a connection, ev->data.
 *
 * With NGX_CLEAR_EVENT in flags, the loop calls the handler when the event
 * occurs: the handler must read or write until it gets NGX_AGAIN.  With
 * NGX_LEVEL_EVENT, the loop calls the handler as long as the descriptor is
 * ready.  The last call decides this for both events of the connection.
 *
 * Sets ev->active.  Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: ev is an event of a connection.
 *
 * References: epoll_ctl(2); nginx's src/event/modules/ngx_epoll_module.c.
 */
#define ngx_add_event           ngx_event_actions.add

/*
 * Makes the event loop stop watching for an event: the opposite of
 * ngx_add_event().
 *
 * With NGX_CLOSE_EVENT in flags, the function only clears ev->active, because the
 * program closes the descriptor next.  Returns NGX_OK, or NGX_ERROR with an alert
 * in the log.
 *
 * Safety: ev is an event of a connection.
 */
#define ngx_del_event           ngx_event_actions.del

/*
 * Makes the event loop watch for both events of the connection c, as
 * ngx_add_event() does with NGX_CLEAR_EVENT.
 *
 * Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: c is a connection.
 */
#define ngx_add_conn            ngx_event_actions.add_conn

/*
 * Makes the event loop stop watching for both events of the connection c. flags
 * are those of ngx_del_event().
 *
 * Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: c is a connection.
 */
#define ngx_del_conn            ngx_event_actions.del_conn

#define ngx_process_events      ngx_event_actions.process_events
#define ngx_done_events         ngx_event_actions.done
#define ngx_notify              ngx_event_actions.notify


/* The descriptor of the connection p, for log lines about an event. */
#define ngx_event_ident(p)      ((ngx_connection_t *) (p))->fd


#include <ngx_event_posted.h>
