
/*
 * The light threads of Lua that handle the queues.
 *
 * A function of a program can end the light thread that has called it, with ngx.exit(),
 * and nginx starts no light thread if too many run.  So each open queue knows its light
 * thread.  If a queue has none, the queue of outcomes gets an item, and its light thread
 * starts one for that queue.  The light thread of outcomes calls no function of a
 * program, which could end it.
 */


#include "ngx_http_ipc_queue.h"


/* the milliseconds between two looks at queues without a light thread */
#define NGX_HTTP_IPC_QUEUE_WATCH  1000


/* A light thread, for the cleanup handler of its request. */

struct ngx_http_ipc_thread_s {
    ngx_http_ipc_queue_t  *queue;
};


static void ngx_http_ipc_queue_left(void *data);
static void ngx_http_ipc_queue_ask_thread(ngx_http_ipc_queue_t *queue);
static void ngx_http_ipc_queue_look(ngx_event_t *ev);


ngx_uint_t  ngx_http_ipc_queue_unguarded;


static ngx_event_t  ngx_http_ipc_queue_watch_timer;


/*
 * Called by Lua when a light thread begins, which handles the queue from now on.  Its
 * request is r.
 */

ngx_int_t
ngx_http_ipc_queue_enter(ngx_http_ipc_queue_t *queue, ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_ipc_thread_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_ipc_queue_left;

    queue->thread = cln->data;
    queue->thread->queue = queue;
    queue->lacks = 0;

    if (queue == ngx_http_ipc_queue_outcomes) {
        ngx_http_ipc_queue_unguarded = 0;
    }

    return NGX_OK;
}


/* The request of a light thread ends.  Another one can handle its queue already. */

static void
ngx_http_ipc_queue_left(void *data)
{
    ngx_http_ipc_thread_t  *thread = data;

    ngx_http_ipc_queue_t  *queue;

    queue = thread->queue;

    if (queue->thread != thread) {
        return;
    }

    queue->thread = NULL;

    (void) ngx_http_ipc_queue_end_wait(queue);

    if (ngx_http_ipc_queue_ended) {
        return;
    }

    ngx_http_ipc_queue_ask_thread(queue);
    ngx_http_ipc_queue_watch_threads();
}


/* Makes the light thread of the queue of outcomes start one for this queue. */

static void
ngx_http_ipc_queue_ask_thread(ngx_http_ipc_queue_t *queue)
{
    ngx_http_ipc_queue_t  *outcomes;

    outcomes = ngx_http_ipc_queue_outcomes;

    if (queue == outcomes) {

        /* the next publish() or call() starts it */

        ngx_http_ipc_queue_unguarded = 1;
        return;
    }

    if (queue->asks || outcomes == NULL || outcomes->wake == NULL) {
        return;
    }

    queue->asks = 1;
    queue->ask.what = NGX_HTTP_IPC_QUEUE_THREAD;
    queue->ask.id = (ngx_uint_t) queue;

    ngx_http_ipc_queue_insert(outcomes, &queue->ask);
    ngx_http_ipc_queue_wake(outcomes);
}


/* Sets the timer that looks for queues without a light thread. */

void
ngx_http_ipc_queue_watch_threads(void)
{
    ngx_event_t  *ev;

    ev = &ngx_http_ipc_queue_watch_timer;

    if (ngx_http_ipc_queue_ended || ev->timer_set) {
        return;
    }

#if (nginx_version < 1011011)

    /* this version of nginx does not exit as long as it has a timer */

    if (ngx_exiting) {
        return;
    }

#endif

    ngx_http_ipc_init_timer(ev, ngx_http_ipc_queue_look);
    ngx_add_timer(ev, NGX_HTTP_IPC_QUEUE_WATCH);
}


static void
ngx_http_ipc_queue_look(ngx_event_t *ev)
{
    ngx_http_ipc_queue_t  *queue;

    if (ngx_http_ipc_queue_ended) {
        return;
    }

    for (queue = ngx_http_ipc_queues; queue; queue = queue->next) {

        if (queue->wake == NULL || queue->thread) {
            continue;
        }

        ngx_http_ipc_queue_watch_threads();

        if (!queue->lacks) {

            /* the light thread can be late because nginx was busy: waits once more */

            queue->lacks = 1;
            continue;
        }

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "no light thread of Lua handles %s%s%s, trying again: "
                      "is \"lua_max_running_timers\" or "
                      "\"lua_max_pending_timers\" too small?",
                      queue->type ? "messages of the type \"" : "outcomes of calls",
                      queue->type ? queue->type->message.name : "",
                      queue->type ? "\"" : "");

        ngx_http_ipc_queue_ask_thread(queue);
    }
}
