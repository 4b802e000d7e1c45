
/*
 * Requests of programs in Lua, replies, and lost messages.  What a program waits for
 * comes to the queue of outcomes, see ngx_http_ipc_queue.c.
 */


#include "ngx_http_ipc_queue.h"


static void ngx_http_ipc_queue_outcome(void *ctx, ngx_uint_t outcome,
    ngx_ipc_message_t *reply);
static void ngx_http_ipc_queue_gap(void *ctx, const ngx_ipc_gap_t *gap);


static ngx_ipc_message_watch_t  ngx_http_ipc_queue_watch;


/* Called by Lua.  Asks a process; the outcome comes to the queue of outcomes. */

ngx_int_t
ngx_http_ipc_queue_ask(ngx_http_ipc_type_t *type, ngx_ipc_to_t to,
    const void *data, size_t len, ngx_msec_t timeout, ngx_uint_t id)
{
    ngx_int_t             rc;
    ngx_err_t             err;
    ngx_http_ipc_item_t  *item;

    if (ngx_http_ipc_queue_ended) {

        /* a program that waits for the outcome would keep the worker running */

        ngx_set_errno(NGX_EPIPE);
        return NGX_ERROR;
    }

    /* made now, because there can be no memory when the outcome arrives */

    item = ngx_http_ipc_queue_item(NULL, 0);
    if (item == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    item->what = NGX_HTTP_IPC_QUEUE_OUTCOME;
    item->id = id;

    rc = ngx_ipc_message_request(&type->message, to, data, len, timeout,
                                 ngx_http_ipc_queue_outcome, item);

    if (rc == NGX_OK) {
        ngx_http_ipc_queue_asked++;
        ngx_http_ipc_queue_flow();

    } else {
        err = ngx_errno;
        ngx_free(item);
        ngx_set_errno(err);
    }

    return rc;
}


/* The library has the outcome of a request. */

static void
ngx_http_ipc_queue_outcome(void *ctx, ngx_uint_t outcome,
    ngx_ipc_message_t *reply)
{
    ngx_http_ipc_item_t  *item = ctx;

    size_t                 len;
    u_char                *data;
    ngx_http_ipc_item_t   *whole;
    ngx_http_ipc_reply_t   head;

    ngx_http_ipc_queue_asked--;
    ngx_http_ipc_queue_flow();

    if (!ngx_http_ipc_queue_outcomes->wake) {
        ngx_free(item);
        return;
    }

    item->worker = reply ? reply->sender->worker : -1;
    item->status = outcome;

    if (outcome == NGX_IPC_REPLIED && reply->len >= sizeof(ngx_http_ipc_reply_t)) {
        ngx_memcpy(&head, reply->data, sizeof(ngx_http_ipc_reply_t));
        data = (u_char *) reply->data + sizeof(ngx_http_ipc_reply_t);
        len = reply->len - sizeof(ngx_http_ipc_reply_t);

        item->count = head.status;

        if (len) {
            whole = ngx_http_ipc_queue_item(data, len);

            if (whole == NULL) {
                item->status = NGX_HTTP_IPC_QUEUE_NO_MEMORY;

            } else {
                whole->what = item->what;
                whole->id = item->id;
                whole->worker = item->worker;
                whole->status = item->status;
                whole->count = item->count;

                ngx_free(item);
                item = whole;
            }
        }
    }

    ngx_http_ipc_queue_insert(ngx_http_ipc_queue_outcomes, item);
    ngx_http_ipc_queue_wake(ngx_http_ipc_queue_outcomes);
}


/* Replies to a request.  Called by Lua too. */

ngx_int_t
ngx_http_ipc_queue_reply(ngx_ipc_to_t to, ngx_uint_t request,
    ngx_uint_t clients, ngx_uint_t status, const void *data, size_t len)
{
    u_char                *p;
    ngx_int_t              rc;
    ngx_http_ipc_reply_t   head;

    head.clients = (uint32_t) clients;
    head.status = (uint32_t) status;

    if (len == 0) {
        return ngx_ipc_message_reply(to, request, &head,
                                     sizeof(ngx_http_ipc_reply_t));
    }

    p = ngx_alloc(sizeof(ngx_http_ipc_reply_t) + len, ngx_cycle->log);
    if (p == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    ngx_memcpy(p, &head, sizeof(ngx_http_ipc_reply_t));
    ngx_memcpy(p + sizeof(ngx_http_ipc_reply_t), data, len);

    rc = ngx_ipc_message_reply(to, request, p,
                               sizeof(ngx_http_ipc_reply_t) + len);
    ngx_free(p);

    return rc;
}


/* Called by Lua.  Lost messages come to the queue of outcomes, and not to the log. */

ngx_int_t
ngx_http_ipc_queue_want_gaps(void)
{
    ngx_uint_t            n;
    ngx_http_ipc_item_t  *item;

    ngx_http_ipc_queue_watch.gap = ngx_http_ipc_queue_gap;

    n = ngx_http_ipc_unhandled_before();

    if (n) {
        item = ngx_http_ipc_queue_push(ngx_http_ipc_queue_outcomes, NULL, 0);
        if (item == NULL) {
            return NGX_ERROR;
        }

        item->what = NGX_HTTP_IPC_QUEUE_GAP;
        item->worker = -1;
        item->status = NGX_IPC_GAP_HANDLED;
        item->count = n;

        ngx_http_ipc_queue_wake(ngx_http_ipc_queue_outcomes);
    }

    return ngx_ipc_message_watch(&ngx_http_ipc_queue_watch);
}


static void
ngx_http_ipc_queue_gap(void *ctx, const ngx_ipc_gap_t *gap)
{
    ngx_http_ipc_item_t  *item;

    item = NULL;

    if (ngx_http_ipc_queue_outcomes->wake) {
        item = ngx_http_ipc_queue_push(ngx_http_ipc_queue_outcomes, NULL, 0);
    }

    if (item == NULL) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "%ui messages from slot %i are lost", gap->count,
                      gap->sender->slot);
        return;
    }

    item->what = NGX_HTTP_IPC_QUEUE_GAP;
    item->worker = gap->sender->worker;
    item->status = gap->cause;
    item->count = gap->count;

    ngx_http_ipc_queue_wake(ngx_http_ipc_queue_outcomes);
}
