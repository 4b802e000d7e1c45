
#ifndef _NGX_HTTP_IPC_RECEIPTS_H_INCLUDED_
#define _NGX_HTTP_IPC_RECEIPTS_H_INCLUDED_


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
    ngx_event_t               hold;         /* see ngx_http_ipc_receipts_hold() */
    ngx_uint_t                n;
    ngx_http_ipc_receipt_t    receipts[1];
};


/* Returns a structure for the receipts of a request: it has room for n, and is empty. */

ngx_http_ipc_receipts_t *ngx_http_ipc_receipts_create(ngx_http_request_t *r,
    ngx_uint_t n);

/* The handler of ngx_ipc_message_request(): writes the outcome to the receipt ctx. */

void ngx_http_ipc_receipts_reply(void *ctx, ngx_uint_t outcome,
    ngx_ipc_message_t *reply);

/*
 * Answers if all receipts have arrived.  Otherwise returns NGX_DONE, and the request is
 * finalized when the last receipt arrives, at the latest a second after the timeout,
 * which is in milliseconds.
 */

ngx_int_t ngx_http_ipc_receipts_wait(ngx_http_ipc_receipts_t *all,
    ngx_msec_t timeout);


#endif /* _NGX_HTTP_IPC_RECEIPTS_H_INCLUDED_ */
