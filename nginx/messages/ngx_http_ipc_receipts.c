
/*
 * The receipts of the workers for a message of ipc_publish, and the answer that lists
 * them.
 */


#include "ngx_http_ipc.h"
#include "ngx_http_ipc_receipts.h"


static void ngx_http_ipc_receipts_end(void *data);
static void ngx_http_ipc_receipts_hold(ngx_http_ipc_receipts_t *all,
    ngx_msec_t timeout);
static void ngx_http_ipc_receipts_held(ngx_event_t *ev);
static void ngx_http_ipc_receipts_release(ngx_http_ipc_receipts_t *all);
static void ngx_http_ipc_receipts_finalize(ngx_http_ipc_receipts_t *all);
static ngx_int_t ngx_http_ipc_receipts_answer(ngx_http_ipc_receipts_t *all);


ngx_http_ipc_receipts_t *
ngx_http_ipc_receipts_create(ngx_http_request_t *r, ngx_uint_t n)
{
    ngx_http_cleanup_t       *cln;
    ngx_http_ipc_receipts_t  *all;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    all = ngx_calloc(sizeof(ngx_http_ipc_receipts_t)
                     + n * sizeof(ngx_http_ipc_receipt_t), r->connection->log);
    if (all == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_ipc_receipts_end;
    cln->data = all;

    all->request = r;

    return all;
}


/* The request has ended. */

static void
ngx_http_ipc_receipts_end(void *data)
{
    ngx_http_ipc_receipts_t  *all = data;

    all->request = NULL;

    ngx_http_ipc_receipts_release(all);

    if (!all->waiting) {
        ngx_free(all);
    }
}


ngx_int_t
ngx_http_ipc_receipts_wait(ngx_http_ipc_receipts_t *all, ngx_msec_t timeout)
{
    if (all->waiting) {
        ngx_http_ipc_receipts_hold(all, timeout);

        return NGX_DONE;
    }

    return ngx_http_ipc_receipts_answer(all);
}


/*
 * A worker that shuts down exits when it has no timers.  The timer of the library does
 * not count, because a worker without requests must not wait for messages.  So the
 * request has a timer that expires after the last receipt.
 */

static void
ngx_http_ipc_receipts_hold(ngx_http_ipc_receipts_t *all, ngx_msec_t timeout)
{
    ngx_connection_t  *c;

    c = all->request->connection;

    all->hold.handler = ngx_http_ipc_receipts_held;
    all->hold.data = c;
    all->hold.log = c->log;

    ngx_add_timer(&all->hold, timeout + 1000);
}


/*
 * The last receipt is late: a handler takes long, or this worker takes no messages
 * because a queue for Lua is full.
 */

static void
ngx_http_ipc_receipts_held(ngx_event_t *ev)
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

    ngx_http_ipc_receipts_finalize(all);
}


static void
ngx_http_ipc_receipts_release(ngx_http_ipc_receipts_t *all)
{
    if (all->hold.timer_set) {
        ngx_del_timer(&all->hold);
    }
}


void
ngx_http_ipc_receipts_reply(void *ctx, ngx_uint_t outcome,
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
        ngx_http_ipc_receipts_finalize(all);
    }
}


/* Answers and ends the request.  The receipts can be freed then. */

static void
ngx_http_ipc_receipts_finalize(ngx_http_ipc_receipts_t *all)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = all->request;
    c = r->connection;

    all->answered = 1;

    ngx_http_ipc_receipts_release(all);
    ngx_http_finalize_request(r, ngx_http_ipc_receipts_answer(all));
    ngx_http_run_posted_requests(c);
}


/* Answers with the receipts. */

static ngx_int_t
ngx_http_ipc_receipts_answer(ngx_http_ipc_receipts_t *all)
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

    rc = ngx_http_ipc_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || r->filter_finalize) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
