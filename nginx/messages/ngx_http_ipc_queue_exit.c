
/*
 * The end of a worker with light threads that wait for messages.  A light thread that
 * waits for a semaphore has a timer, so it would keep the worker running.
 */


#include "ngx_http_ipc_queue.h"


/* the milliseconds after which an exiting worker looks again for other timers */
#define NGX_HTTP_IPC_QUEUE_INTERVAL  50


static void ngx_http_ipc_queue_end(ngx_event_t *ev);
static ngx_uint_t ngx_http_ipc_queue_has_others(void);


static ngx_event_t  ngx_http_ipc_queue_timer;


ngx_int_t
ngx_http_ipc_queue_begin(void)
{
    if (ngx_http_ipc_queue_timer.data) {
        return NGX_OK;
    }

    /* "init_worker_by_lua" can come before init_process of this module */

    (void) ngx_http_ipc_unhandled_init_process((ngx_cycle_t *) ngx_cycle);

    if (ngx_exiting) {

        /* nginx has called the handlers of idle connections already */

        ngx_http_ipc_init_timer(&ngx_http_ipc_queue_timer,
                                ngx_http_ipc_queue_end);
        ngx_add_timer(&ngx_http_ipc_queue_timer, NGX_HTTP_IPC_QUEUE_INTERVAL);

        return NGX_OK;
    }

    if (ngx_http_ipc_exit_watch() != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_ipc_init_timer(&ngx_http_ipc_queue_timer, ngx_http_ipc_queue_end);

    return NGX_OK;
}


void
ngx_http_ipc_queue_quit(void)
{
    if (ngx_http_ipc_queue_timer.data) {
        ngx_add_timer(&ngx_http_ipc_queue_timer, 0);
    }
}


/*
 * Ends the light threads, when the worker waits for nothing else.  Their timers would
 * keep it running.
 */

static void
ngx_http_ipc_queue_end(ngx_event_t *ev)
{
    ngx_http_ipc_queue_t  *queue;

    if (ngx_http_ipc_queue_has_others()) {
        ngx_add_timer(ev, NGX_HTTP_IPC_QUEUE_INTERVAL);
        return;
    }

    /* from now on, others learn that they cannot send to this worker */

    ngx_ipc_messages_finish();

    ngx_http_ipc_queue_ended = 1;

    for (queue = ngx_http_ipc_queues; queue; queue = queue->next) {
        ngx_http_ipc_queue_wake(queue);
    }
}


/* Whether timers other than those of the waiting light threads keep it running. */

static ngx_uint_t
ngx_http_ipc_queue_has_others(void)
{
#if (nginx_version >= 1011011)

    ngx_uint_t          n;
    ngx_event_t        *ev;
    ngx_rbtree_node_t  *node, *root, *sentinel;

    n = 0;

    sentinel = ngx_event_timer_rbtree.sentinel;
    root = ngx_event_timer_rbtree.root;

    if (root == sentinel) {
        return 0;
    }

    for (node = ngx_rbtree_min(root, sentinel);
         node;
         node = ngx_rbtree_next(&ngx_event_timer_rbtree, node))
    {
        ev = (ngx_event_t *) ((char *) node - offsetof(ngx_event_t, timer));

        n += !ev->cancelable;
    }

    return n > ngx_http_ipc_queue_waiting;

#else

    return 0;

#endif
}


void
ngx_http_ipc_queue_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t             n;
    ngx_queue_t           *q;
    ngx_http_ipc_queue_t  *queue;

    n = ngx_http_ipc_queue_late;

    for (queue = ngx_http_ipc_queues; queue; queue = queue->next) {

        if (queue->type == NULL) {
            continue;
        }

        n += (queue->taken != NULL);

        for (q = ngx_queue_head(&queue->items);
             q != ngx_queue_sentinel(&queue->items);
             q = ngx_queue_next(q))
        {
            n++;
        }
    }

    if (n) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "%ui messages are lost: the process exits before Lua "
                      "handled them", n);
    }

    ngx_http_ipc_unhandled_clear();
}
