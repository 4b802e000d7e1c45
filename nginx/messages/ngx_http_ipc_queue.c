
/*
 * Queues of messages for programs in Lua, lua/resty/ngx_ipc.lua, which calls the
 * functions ngx_http_ipc_queue_*() with LuaJIT's FFI.
 *
 * The handler of a message cannot call Lua.  It adds a copy of the message to the
 * queue of its type, and posts the semaphore for which a light thread waits.  One
 * more queue has the outcomes of requests, and lost messages.
 *
 * A queue that is full makes the event loop handle no messages: they wait in the
 * shared memory, until it is full and senders are told so.
 */


#include "ngx_http_ipc_queue.h"


/* a queue with more bytes than this is full */
#define NGX_HTTP_IPC_QUEUE_MOST       (4 * 1024 * 1024)
/* with more bytes it holds messages back even if a program waits for an outcome */
#define NGX_HTTP_IPC_QUEUE_OVERFULL  (16 * 1024 * 1024)


static void ngx_http_ipc_queue_measure(ngx_http_ipc_queue_t *queue);


ngx_http_ipc_queue_t  *ngx_http_ipc_queues;
ngx_http_ipc_queue_t  *ngx_http_ipc_queue_outcomes;
ngx_uint_t             ngx_http_ipc_queue_waiting;
ngx_uint_t             ngx_http_ipc_queue_asked;
ngx_uint_t             ngx_http_ipc_queue_ended;
ngx_uint_t             ngx_http_ipc_queue_late;

static ngx_uint_t      ngx_http_ipc_queue_full;
static ngx_uint_t      ngx_http_ipc_queue_overfull;


/* Called by Lua.  Returns the type with this name, or NULL. */

ngx_http_ipc_type_t *
ngx_http_ipc_queue_type(const char *name, size_t len, ngx_uint_t flags)
{
    ngx_str_t             str;
    ngx_http_ipc_type_t  *type;

    str.data = (u_char *) name;
    str.len = len;

    if (!ngx_http_ipc_is_name(&str)) {
        ngx_set_errno(NGX_EINVAL);
        return NULL;
    }

    type = ngx_http_ipc_get_type(&str, ngx_cycle->log);
    if (type == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NULL;
    }

    if (type->registered) {

        if (flags & ~type->message.flags) {
            ngx_set_errno(NGX_EEXIST);
            return NULL;
        }

        return type;
    }

    type->message.flags = flags;

    if (ngx_http_ipc_register(type) != NGX_OK) {

        /* the log says why */

        ngx_set_errno(EPERM);
        return NULL;
    }

    return type;
}


/*
 * Called by Lua.  Opens the queue of a type; NULL: the queue of outcomes.  The
 * function wake is called with the semaphore when a light thread waits and something
 * has arrived.
 */

ngx_http_ipc_queue_t *
ngx_http_ipc_queue_open(ngx_http_ipc_type_t *type, ngx_http_ipc_wake_pt wake,
    void *semaphore)
{
    ngx_http_ipc_queue_t  *queue;

    if (ngx_http_ipc_queue_begin() != NGX_OK) {
        return NULL;
    }

    queue = type ? type->queue : ngx_http_ipc_queue_outcomes;

    if (queue && queue->wake) {

        /* of another virtual machine of Lua */

        ngx_set_errno(NGX_EEXIST);
        return NULL;
    }

    if (queue == NULL) {
        queue = ngx_calloc(sizeof(ngx_http_ipc_queue_t), ngx_cycle->log);
        if (queue == NULL) {
            ngx_set_errno(NGX_ENOMEM);
            return NULL;
        }

        ngx_queue_init(&queue->items);

        queue->type = type;
        queue->next = ngx_http_ipc_queues;
        ngx_http_ipc_queues = queue;
    }

    queue->wake = wake;
    queue->semaphore = semaphore;

    if (type) {
        type->queue = queue;

    } else {
        ngx_http_ipc_queue_outcomes = queue;
    }

    ngx_http_ipc_queue_measure(queue);
    ngx_http_ipc_queue_watch_threads();

    return queue;
}


/*
 * Called by Lua when its virtual machine ends, which frees the semaphore.  The items stay
 * for the next virtual machine that opens the queue.  Until then the queue takes no
 * messages, so it does not hold back those of other types.
 */

void
ngx_http_ipc_queue_close(ngx_http_ipc_queue_t *queue)
{
    queue->wake = NULL;

    (void) ngx_http_ipc_queue_end_wait(queue);
    ngx_http_ipc_queue_measure(queue);
}


/*
 * Called by Lua, whose light thread does not wait then.  Frees the item that it has taken
 * before, and returns the next one; NULL if there is none.
 */

ngx_http_ipc_item_t *
ngx_http_ipc_queue_take(ngx_http_ipc_queue_t *queue)
{
    ngx_queue_t          *q;
    ngx_http_ipc_item_t  *item;

    (void) ngx_http_ipc_queue_end_wait(queue);

    item = queue->taken;

    if (item) {
        queue->taken = NULL;
        queue->size -= sizeof(ngx_http_ipc_item_t) + item->len;

        if (queue->type) {
            ngx_http_ipc_unhandled_add(-1);
        }

        if (item->what == NGX_HTTP_IPC_QUEUE_THREAD) {
            ((ngx_http_ipc_queue_t *) item->id)->asks = 0;

        } else {
            ngx_free(item);
        }
    }

    ngx_http_ipc_queue_measure(queue);

    if (ngx_queue_empty(&queue->items)) {
        return NULL;
    }

    q = ngx_queue_head(&queue->items);
    ngx_queue_remove(q);

    queue->taken = ngx_queue_data(q, ngx_http_ipc_item_t, link);

    return queue->taken;
}


/*
 * Called by Lua before a light thread waits for the semaphore.  Returns 1 if it has
 * nothing to wait for: the worker exits.
 */

ngx_int_t
ngx_http_ipc_queue_wait(ngx_http_ipc_queue_t *queue)
{
    if (ngx_http_ipc_queue_ended) {
        return 1;
    }

    if (!queue->waiting) {
        queue->waiting = 1;
        ngx_http_ipc_queue_waiting++;
    }

    return 0;
}


ngx_uint_t
ngx_http_ipc_queue_end_wait(ngx_http_ipc_queue_t *queue)
{
    if (!queue->waiting) {
        return 0;
    }

    queue->waiting = 0;
    ngx_http_ipc_queue_waiting--;

    return 1;
}


/* Drops a message that Lua cannot take.  Its sender need not wait for a reply. */

static void
ngx_http_ipc_queue_lose(ngx_http_ipc_queue_t *queue, ngx_ipc_message_t *m,
    ngx_uint_t clients)
{
    if (queue->wake && !ngx_http_ipc_queue_ended) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "a message of the type \"%s\" is lost: no memory",
                      queue->type->message.name);

    } else {
        ngx_http_ipc_queue_late++;
    }

    if (m->request) {
        (void) ngx_http_ipc_queue_reply(m->sender->to, m->request, clients,
                                        NGX_HTTP_IPC_REPLY_EXITING, NULL, 0);
    }
}


ngx_uint_t
ngx_http_ipc_queue_is_open(ngx_http_ipc_queue_t *queue)
{
    return queue->wake != NULL || !ngx_queue_empty(&queue->items);
}


void
ngx_http_ipc_queue_add(ngx_http_ipc_queue_t *queue, ngx_ipc_message_t *m,
    ngx_uint_t clients)
{
    ngx_http_ipc_item_t  *item;

    item = NULL;

    if (queue->wake && !ngx_http_ipc_queue_ended) {
        item = ngx_http_ipc_queue_push(queue, m->data, m->len);
    }

    if (item == NULL) {
        ngx_http_ipc_queue_lose(queue, m, clients);
        return;
    }

    item->what = NGX_HTTP_IPC_QUEUE_MESSAGE;
    item->worker = m->sender->worker;
    item->from = m->sender->to;
    item->request = m->request;
    item->count = clients;

    ngx_http_ipc_unhandled_add(1);

    ngx_http_ipc_queue_measure(queue);
    ngx_http_ipc_queue_wake(queue);
}


ngx_http_ipc_item_t *
ngx_http_ipc_queue_item(const void *data, size_t len)
{
    ngx_http_ipc_item_t  *item;

    item = ngx_alloc(sizeof(ngx_http_ipc_item_t) + len, ngx_cycle->log);
    if (item == NULL) {
        return NULL;
    }

    ngx_memzero(item, sizeof(ngx_http_ipc_item_t));

    item->data = (u_char *) (item + 1);
    item->len = len;

    if (len) {
        ngx_memcpy(item->data, data, len);
    }

    return item;
}


void
ngx_http_ipc_queue_insert(ngx_http_ipc_queue_t *queue, ngx_http_ipc_item_t *item)
{
    ngx_queue_insert_tail(&queue->items, &item->link);
    queue->size += sizeof(ngx_http_ipc_item_t) + item->len;
}


ngx_http_ipc_item_t *
ngx_http_ipc_queue_push(ngx_http_ipc_queue_t *queue, const void *data,
    size_t len)
{
    ngx_http_ipc_item_t  *item;

    item = ngx_http_ipc_queue_item(data, len);

    if (item) {
        ngx_http_ipc_queue_insert(queue, item);
    }

    return item;
}


void
ngx_http_ipc_queue_wake(ngx_http_ipc_queue_t *queue)
{
    if (ngx_http_ipc_queue_end_wait(queue)) {
        (void) queue->wake(queue->semaphore, 1);
    }
}


/* Finds out whether the queue is full.  The queue of outcomes is never full. */

static void
ngx_http_ipc_queue_measure(ngx_http_ipc_queue_t *queue)
{
    ngx_uint_t  full, overfull;

    full = 0;
    overfull = 0;

    if (queue->type && queue->wake) {
        full = queue->size > NGX_HTTP_IPC_QUEUE_MOST / (queue->full ? 2 : 1);

        overfull = queue->size > (queue->overfull ? NGX_HTTP_IPC_QUEUE_OVERFULL / 4 * 3
                                                  : NGX_HTTP_IPC_QUEUE_OVERFULL);
    }

    if (full == queue->full && overfull == queue->overfull) {
        return;
    }

    ngx_http_ipc_queue_full += full - queue->full;
    ngx_http_ipc_queue_overfull += overfull - queue->overfull;

    queue->full = full;
    queue->overfull = overfull;

    ngx_http_ipc_queue_flow();
}


/* Called by Lua.  Returns whether messages and outcomes are held back for this queue. */

ngx_int_t
ngx_http_ipc_queue_is_overfull(ngx_http_ipc_queue_t *queue)
{
    return queue->overfull;
}


/*
 * Messages are held back if a queue is full.  While a program waits for the outcome of
 * a request, which comes with the messages, they are held back only if a queue is
 * overfull.
 */

void
ngx_http_ipc_queue_flow(void)
{
    ngx_ipc_messages_hold(ngx_http_ipc_queue_overfull
                          || (ngx_http_ipc_queue_full && !ngx_http_ipc_queue_asked));
}
