
/* ipc_publish: sends the body of a request to workers. */


#include "ngx_ipc_header.h"
#include "ngx_http_ipc.h"


typedef struct ngx_http_ipc_receipts_s  ngx_http_ipc_receipts_t;

/* What became of the message to one worker. */

typedef struct {
    ngx_http_ipc_receipts_t  *receipts;
    ngx_int_t                 worker;       /* -1: it is not known */
    const char               *missed;       /* why it has not taken the message */
    ngx_uint_t                clients;      /* those that the worker told */
    ngx_uint_t                waits;        /* the receipt has not arrived */
} ngx_http_ipc_receipt_t;


/*
 * All receipts of a request.  They are not in its pool, because the request can end
 * before the last receipt has arrived.
 */

struct ngx_http_ipc_receipts_s {
    ngx_http_request_t       *request;      /* NULL: it has ended */
    ngx_uint_t                waiting;      /* receipts that have not arrived */
    ngx_uint_t                answered;
    ngx_event_t               hold;         /* see ngx_http_ipc_publish_hold() */
    ngx_uint_t                n;
    ngx_http_ipc_receipt_t    receipts[1];
};


static ngx_uint_t ngx_http_ipc_publish_is_foreign(ngx_http_request_t *r);
static void ngx_http_ipc_publish_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_publish_send(ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_publish_read(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_http_ipc_publish_ask(ngx_http_request_t *r,
    ngx_http_ipc_receipts_t *all, ngx_str_t *text);
static void ngx_http_ipc_publish_hold(ngx_http_ipc_receipts_t *all,
    ngx_msec_t timeout);
static void ngx_http_ipc_publish_held(ngx_event_t *ev);
static void ngx_http_ipc_publish_release(ngx_http_ipc_receipts_t *all);
static void ngx_http_ipc_publish_end(void *data);
static void ngx_http_ipc_publish_reply(void *ctx, ngx_uint_t outcome,
    ngx_ipc_message_t *reply);
static void ngx_http_ipc_publish_finalize(ngx_http_ipc_receipts_t *all);
static ngx_int_t ngx_http_ipc_publish_answer(ngx_http_ipc_receipts_t *all);


ngx_int_t
ngx_http_ipc_publish_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    ngx_http_ipc_loc_conf_t  *lcf;

    rc = ngx_http_ipc_access(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method != NGX_HTTP_POST) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);

    if (!lcf->any && ngx_http_ipc_publish_is_foreign(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "access forbidden: the request is from a page of another site");

        return NGX_HTTP_FORBIDDEN;
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_ipc_publish_body);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/*
 * A browser on this machine sends requests for pages of all sites.  It names the site in
 * the header "Origin".
 */

static ngx_uint_t
ngx_http_ipc_publish_is_foreign(ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t  *host, *origin;

    origin = ngx_ipc_header(r, "Origin");
    if (origin == NULL) {
        return 0;
    }

    if (r->headers_in.host == NULL) {
        return 1;
    }

    host = &r->headers_in.host->value;

    p = ngx_strlcasestrn(origin->data, origin->data + origin->len,
                         (u_char *) "://", 3 - 1);
    if (p == NULL) {
        return 1;
    }

    p += 3;

    return origin->data + origin->len - p != (ssize_t) host->len
           || ngx_strncasecmp(p, host->data, host->len) != 0;
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
    ngx_http_cleanup_t       *cln;
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

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    all = ngx_calloc(sizeof(ngx_http_ipc_receipts_t)
                     + n * sizeof(ngx_http_ipc_receipt_t), r->connection->log);
    if (all == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_ipc_publish_end;
    cln->data = all;

    all->request = r;

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

    if (all->waiting) {
        ngx_http_ipc_publish_hold(all, lcf->timeout);

        return NGX_DONE;
    }

    return ngx_http_ipc_publish_answer(all);
}


/*
 * A worker that shuts down exits when it has no timers.  The timer of the library does
 * not count, because a worker without requests must not wait for messages.  So the
 * request has a timer that expires after the last receipt.
 */

static void
ngx_http_ipc_publish_hold(ngx_http_ipc_receipts_t *all, ngx_msec_t timeout)
{
    ngx_connection_t  *c;

    c = all->request->connection;

    all->hold.handler = ngx_http_ipc_publish_held;
    all->hold.data = c;
    all->hold.log = c->log;

    ngx_add_timer(&all->hold, timeout + 1000);
}


/*
 * The last receipt is late: a handler takes long, or this worker takes no messages
 * because a queue for Lua is full.
 */

static void
ngx_http_ipc_publish_held(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_http_ipc_receipts_t  *all;

    all = (ngx_http_ipc_receipts_t *)
                  ((char *) ev - offsetof(ngx_http_ipc_receipts_t, hold));

    for (i = 0; i < all->n; i++) {
        if (all->receipts[i].waits) {
            all->receipts[i].missed = "too late";
        }
    }

    ngx_http_ipc_publish_finalize(all);
}


static void
ngx_http_ipc_publish_release(ngx_http_ipc_receipts_t *all)
{
    if (all->hold.timer_set) {
        ngx_del_timer(&all->hold);
    }
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

    body = r->request_body ? r->request_body->bufs : NULL;
    size = 0;

    for (cl = body; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size == 0) {
        return NGX_OK;
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
                                     ngx_http_ipc_publish_reply, receipt);

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


/* The request has ended. */

static void
ngx_http_ipc_publish_end(void *data)
{
    ngx_http_ipc_receipts_t  *all = data;

    all->request = NULL;

    ngx_http_ipc_publish_release(all);

    if (!all->waiting) {
        ngx_free(all);
    }
}


static void
ngx_http_ipc_publish_reply(void *ctx, ngx_uint_t outcome,
    ngx_ipc_message_t *reply)
{
    ngx_http_ipc_receipt_t  *receipt = ctx;

    ngx_http_ipc_reply_t      head;
    ngx_http_ipc_receipts_t  *all;

    all = receipt->receipts;

    switch (outcome) {

    case NGX_IPC_REPLIED:
        if (reply->len >= sizeof(ngx_http_ipc_reply_t)) {
            ngx_memcpy(&head, reply->data, sizeof(ngx_http_ipc_reply_t));
            receipt->clients = head.clients;

            if (head.status == NGX_HTTP_IPC_REPLY_ERROR) {
                receipt->missed = "error";

            } else if (head.status == NGX_HTTP_IPC_REPLY_EXITING) {
                receipt->missed = "exiting";
            }
        }

        receipt->worker = reply->sender->worker;
        break;

    case NGX_IPC_TOO_LATE:
        receipt->missed = "too late";
        break;

    default:
        receipt->missed = "died";
        break;
    }

    receipt->waits = 0;
    all->waiting--;

    if (all->waiting) {
        return;
    }

    if (all->request == NULL) {
        ngx_free(all);
        return;
    }

    if (!all->answered) {
        ngx_http_ipc_publish_finalize(all);
    }
}


/* Answers and ends the request.  The receipts can be freed then. */

static void
ngx_http_ipc_publish_finalize(ngx_http_ipc_receipts_t *all)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = all->request;
    c = r->connection;

    all->answered = 1;

    ngx_http_ipc_publish_release(all);
    ngx_http_finalize_request(r, ngx_http_ipc_publish_answer(all));
    ngx_http_run_posted_requests(c);
}


/* Answers with the receipts. */

static ngx_int_t
ngx_http_ipc_publish_answer(ngx_http_ipc_receipts_t *all)
{
    size_t                   len;
    u_char                  *p;
    ngx_int_t                rc;
    ngx_buf_t               *b;
    ngx_uint_t               i, taken, missed;
    ngx_chain_t              out;
    ngx_http_request_t      *r;
    ngx_http_ipc_receipt_t  *receipt;

    static const ngx_str_t  json = ngx_string("application/json");

    r = all->request;

    len = sizeof("{\"taken\":[],\"missed\":[]}\n") - 1
          + all->n * (sizeof("{\"worker\":,\"clients\":},") - 1
                      + sizeof("{\"worker\":,\"reason\":\"no process\"},") - 1
                      + 2 * NGX_INT_T_LEN);

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(b->last, "{\"taken\":[", sizeof("{\"taken\":[") - 1);
    taken = 0;

    for (i = 0; i < all->n; i++) {
        receipt = &all->receipts[i];

        if (receipt->missed == NULL) {
            p = ngx_sprintf(p, "%s{\"worker\":%i,\"clients\":%ui}",
                            taken ? "," : "", receipt->worker,
                            receipt->clients);
            taken++;
        }
    }

    p = ngx_cpymem(p, "],\"missed\":[", sizeof("],\"missed\":[") - 1);
    missed = 0;

    for (i = 0; i < all->n; i++) {
        receipt = &all->receipts[i];

        if (receipt->missed == NULL) {
            continue;
        }

        p = ngx_cpymem(p, missed ? ",{" : "{", missed ? 2 : 1);
        missed++;

        if (receipt->worker != -1) {
            p = ngx_sprintf(p, "\"worker\":%i,", receipt->worker);
        }

        p = ngx_sprintf(p, "\"reason\":\"%s\"}", receipt->missed);
    }

    b->last = ngx_cpymem(p, "]}\n", sizeof("]}\n") - 1);
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    r->headers_out.status = missed ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type = json;
    r->headers_out.content_type_len = json.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
