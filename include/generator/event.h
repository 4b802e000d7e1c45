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
