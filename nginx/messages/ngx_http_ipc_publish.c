
/* ipc_publish: sends the body of a request to workers. */


#include "ngx_http_ipc.h"
#include "ngx_http_ipc_receipts.h"
#include "ngx_ipc_messages.h"


static void ngx_http_ipc_publish_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_publish_send(ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_publish_read(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_http_ipc_publish_ask(ngx_http_request_t *r,
    ngx_http_ipc_receipts_t *all, ngx_str_t *text);


ngx_int_t
ngx_http_ipc_publish_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_ipc_access(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_ipc_not_allowed(r, "POST");
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_ipc_publish_body);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_ipc_publish_body(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_ipc_publish_send(r);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/*
 * Sends the body.  Returns NGX_DONE if receipts will arrive; the request is finalized
 * with the last one.
 */

static ngx_int_t
ngx_http_ipc_publish_send(ngx_http_request_t *r)
{
    ngx_int_t                 rc, worker;
    ngx_str_t                 text, arg;
    ngx_uint_t                i, n, first;
    ngx_core_conf_t          *ccf;
    ngx_http_ipc_loc_conf_t  *lcf;
    ngx_http_ipc_receipts_t  *all;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);
    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    rc = ngx_http_ipc_publish_read(r, &text);
    if (rc != NGX_OK) {
        return rc;
    }

    first = 0;
    n = (ngx_process == NGX_PROCESS_SINGLE) ? 1
                                            : (ngx_uint_t) ccf->worker_processes;

    if (lcf->to == NGX_HTTP_IPC_TO_EXACTLY_ONE) {
        n = 1;

    } else if (lcf->to == NGX_HTTP_IPC_TO_WORKER) {

        if (ngx_http_arg(r, (u_char *) "worker", 6, &arg) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }

        worker = ngx_atoi(arg.data, arg.len);

        if (worker == NGX_ERROR || (ngx_uint_t) worker >= n) {
            return NGX_HTTP_BAD_REQUEST;
        }

        first = worker;
        n = 1;
    }

    all = ngx_http_ipc_receipts_create(r, n);
    if (all == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = first; i < first + n; i++) {

        if (lcf->to == NGX_HTTP_IPC_TO_OTHERS && i == ngx_worker) {
            continue;
        }

        all->receipts[all->n].receipts = all;
        all->receipts[all->n].worker =
                           (lcf->to == NGX_HTTP_IPC_TO_EXACTLY_ONE) ? -1
                                                                    : (ngx_int_t) i;
        all->n++;
    }

    rc = ngx_http_ipc_publish_ask(r, all, &text);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_ipc_receipts_wait(all, lcf->timeout);
}


/* Copies the body to one buffer. */

static ngx_int_t
ngx_http_ipc_publish_read(ngx_http_request_t *r, ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *body;

    text->len = 0;
    text->data = (u_char *) "";

#if (nginx_version >= 1007011)

    if (r->reading_body) {

        /* another module, which has failed, has read a part of it */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the body for \"ipc_publish\" was not read to its end");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#endif

    body = r->request_body ? r->request_body->bufs : NULL;
    size = 0;

    for (cl = body; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size == 0) {
        return NGX_OK;
    }

    /* no configuration allows such a message, so it need not be read */

    if (ngx_ipc_messages_check(0, ngx_min(size, NGX_MAX_INT32_VALUE), 0, 0)) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->data = p;
    text->len = size;

    for (cl = body; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (b->in_file) {
            size = b->file_last - b->file_pos;
            n = ngx_read_file(b->file, p, size, b->file_pos);

            if (n != size) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            p += n;
        }
    }

    return NGX_OK;
}


/*
 * Sends the text to each worker of the list.  Returns NGX_OK, or the code of an error
 * if it could be sent to none.
 */

static ngx_int_t
ngx_http_ipc_publish_ask(ngx_http_request_t *r, ngx_http_ipc_receipts_t *all,
    ngx_str_t *text)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, large;
    ngx_ipc_to_t              to;
    ngx_http_ipc_receipt_t   *receipt;
    ngx_http_ipc_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);

    large = 0;

    for (i = 0; i < all->n; i++) {
        receipt = &all->receipts[i];

        to = (receipt->worker == -1)
             ? NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS|NGX_IPC_SELF)
             : NGX_IPC_TO_WORKER(receipt->worker);

        rc = ngx_ipc_message_request(&lcf->type->message, to, text->data,
                                     text->len, lcf->timeout,
                                     ngx_http_ipc_receipts_reply, receipt);

        if (rc == NGX_OK) {
            receipt->waits = 1;
            all->waiting++;
            continue;
        }

        if (rc == NGX_DECLINED) {
            receipt->missed = "too large";
            large = 1;
            continue;
        }

        if (rc == NGX_AGAIN) {
            receipt->missed = "full";
            continue;
        }

        if (ngx_errno == ESRCH) {
            receipt->missed = "no process";
            continue;
        }

        receipt->missed = "failed";

        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "a message of the type \"%s\" could not be sent",
                      lcf->type->message.name);
    }

    return (large && !all->waiting) ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE : NGX_OK;
}
