
/*
 * ipc_receive: streams the messages that this worker gets as server-sent events.
 *
 * The text for a client that reads slowly is kept, up to a limit; then the client is
 * disconnected, and the log says so.
 */


#include "ngx_http_ipc.h"
#include "ngx_http_ipc_text.h"


/* a client with more text than this is too slow */
#define NGX_HTTP_IPC_MOST       (4 * 1024 * 1024)

/* when nothing else was sent, a line that clients ignore, in milliseconds */
#define NGX_HTTP_IPC_INTERVAL   15000


typedef struct {
    ngx_queue_t           queue;    /* in the list of the type */
    ngx_queue_t           all;      /* in the list of all clients */
    ngx_http_ipc_type_t  *type;
    ngx_http_request_t   *request;
    ngx_uint_t            failed;   /* the request ends in the next event */

    ngx_http_ipc_text_t   sent;     /* what nginx is sending */
    ngx_http_ipc_text_t   next;     /* what follows it */
    ngx_buf_t             buf;      /* the part of sent that is not sent yet */
} ngx_http_ipc_client_t;


static ngx_int_t ngx_http_ipc_receive_header(ngx_http_request_t *r);
static void ngx_http_ipc_receive_end(void *data);
static void ngx_http_ipc_receive_free(void *data);
static void ngx_http_ipc_receive_write(ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_receive_send(ngx_http_ipc_client_t *client);
static ngx_int_t ngx_http_ipc_receive_wait(ngx_http_request_t *r);
static void ngx_http_ipc_receive_text(ngx_http_ipc_client_t *client,
    const void *data, size_t len);
static void ngx_http_ipc_receive_fail(ngx_http_ipc_client_t *client);
static void ngx_http_ipc_receive_timer(ngx_event_t *ev);


/* the clients of this process, of all types */
static ngx_queue_t  ngx_http_ipc_clients;

static ngx_event_t  ngx_http_ipc_timer;


ngx_int_t
ngx_http_ipc_receive_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_cleanup_t       *cln;
    ngx_pool_cleanup_t       *pool_cln;
    ngx_http_ipc_client_t    *client;
    ngx_http_ipc_loc_conf_t  *lcf;

    static const char  first[] = "retry: 1000\n\n";

    rc = ngx_http_ipc_access(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method != NGX_HTTP_GET || r != r->main) {
        return ngx_http_ipc_not_allowed(r, "GET");
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);

    pool_cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_ipc_client_t));
    if (pool_cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    client = pool_cln->data;
    ngx_memzero(client, sizeof(ngx_http_ipc_client_t));

    client->request = r;
    client->type = lcf->type;

    pool_cln->handler = ngx_http_ipc_receive_free;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_ipc_text_add(&client->next, first, sizeof(first) - 1,
                              r->connection->log)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_ipc_clients.next == NULL) {
        ngx_queue_init(&ngx_http_ipc_clients);
    }

    ngx_queue_insert_tail(&ngx_http_ipc_clients, &client->all);
    ngx_queue_insert_tail(&lcf->type->clients, &client->queue);
    lcf->type->n++;

    cln->handler = ngx_http_ipc_receive_end;
    cln->data = client;

    ngx_http_set_ctx(r, client, ngx_http_ipc_module);

    rc = ngx_http_ipc_receive_header(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_ipc_receive_write;

    /* a worker that exits closes the connection at once */

    r->connection->idle = 1;
    r->main->count++;

    if (!ngx_http_ipc_timer.timer_set) {
        ngx_http_ipc_init_timer(&ngx_http_ipc_timer, ngx_http_ipc_receive_timer);
        ngx_add_timer(&ngx_http_ipc_timer, NGX_HTTP_IPC_INTERVAL);
    }

    if (ngx_http_ipc_receive_send(client) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_ipc_receive_header(ngx_http_request_t *r)
{
    ngx_int_t         rc;
    ngx_table_elt_t  *h;

    static const ngx_str_t  type = ngx_string("text/event-stream");

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-cache");
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);

    rc = ngx_http_send_header(r);

    return (rc == NGX_ERROR || rc > NGX_OK) ? rc : NGX_OK;
}


/* The request has ended. */

static void
ngx_http_ipc_receive_end(void *data)
{
    ngx_http_ipc_client_t  *client = data;

    ngx_queue_remove(&client->all);
    ngx_queue_remove(&client->queue);
    client->type->n--;

    if (ngx_queue_empty(&ngx_http_ipc_clients) && ngx_http_ipc_timer.timer_set) {
        ngx_del_timer(&ngx_http_ipc_timer);
    }
}


/* HTTP/2 sends what it has got before also after the request has ended. */

static void
ngx_http_ipc_receive_free(void *data)
{
    ngx_http_ipc_client_t  *client = data;

    if (client->sent.data) {
        ngx_free(client->sent.data);
    }

    if (client->next.data) {
        ngx_free(client->next.data);
    }
}


/* A message has arrived. */

void
ngx_http_ipc_message_handler(ngx_ipc_message_t *m)
{
    uint32_t              n;
    ngx_queue_t          *q;
    ngx_http_ipc_text_t   event;
    ngx_http_ipc_type_t  *type;

    type = m->ctx;
    n = type->n;

    ngx_memzero(&event, sizeof(ngx_http_ipc_text_t));

    if (n
        && ngx_http_ipc_text_add_event(&event, m->data, m->len, ngx_cycle->log)
           == NGX_OK)
    {
        for (q = ngx_queue_head(&type->clients);
             q != ngx_queue_sentinel(&type->clients);
             q = ngx_queue_next(q))
        {
            ngx_http_ipc_receive_text(
                            ngx_queue_data(q, ngx_http_ipc_client_t, queue),
                            event.data, event.len);
        }
    }

    if (event.data) {
        ngx_free(event.data);
    }

    if (type->queue && ngx_http_ipc_queue_is_open(type->queue)) {
        ngx_http_ipc_queue_add(type->queue, m, n);

    } else if (m->request) {
        (void) ngx_http_ipc_reply(m->sender->to, m->request, n,
                                  NGX_HTTP_IPC_REPLY_TAKEN, NULL, 0);
    }
}


/* Sends a text to a client, now or when it has read what was sent before. */

static void
ngx_http_ipc_receive_text(ngx_http_ipc_client_t *client, const void *data,
    size_t len)
{
    ngx_log_t  *log;

    if (client->failed) {
        return;
    }

    log = client->request->connection->log;

    if (client->next.len + len > NGX_HTTP_IPC_MOST) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "a client of \"ipc_receive\" is too slow");
        ngx_http_ipc_receive_fail(client);
        return;
    }

    if (ngx_http_ipc_text_add(&client->next, data, len, log) != NGX_OK
        || ngx_http_ipc_receive_send(client) != NGX_OK)
    {
        ngx_http_ipc_receive_fail(client);
    }
}


/*
 * Ends the request of a client in its next event, because the caller walks over the
 * list of clients.
 */

static void
ngx_http_ipc_receive_fail(ngx_http_ipc_client_t *client)
{
    client->failed = 1;
    ngx_post_event(client->request->connection->write, &ngx_posted_events);
}


/*
 * Gives nginx the text that follows, if it has sent the text before.  If the result
 * is not NGX_OK, the caller finalizes the request.
 */

static ngx_int_t
ngx_http_ipc_receive_send(ngx_http_ipc_client_t *client)
{
    ngx_buf_t            *b;
    ngx_chain_t           out;
    ngx_http_request_t   *r;
    ngx_http_ipc_text_t   text;

    r = client->request;
    b = &client->buf;

    while (b->pos == b->last && !r->connection->buffered && client->next.len) {
        text = client->sent;
        client->sent = client->next;
        client->next = text;
        client->next.len = 0;

        ngx_memzero(b, sizeof(ngx_buf_t));

        b->start = client->sent.data;
        b->pos = b->start;
        b->last = b->start + client->sent.len;
        b->end = b->start + client->sent.room;
        b->memory = 1;
        b->flush = 1;

        out.buf = b;
        out.next = NULL;

        if (ngx_http_output_filter(r, &out) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return ngx_http_ipc_receive_wait(r);
}


/* Waits until the client has read something, if nginx could not send all. */

static ngx_int_t
ngx_http_ipc_receive_wait(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->connection->buffered) {
        if (!wev->timer_set) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

    } else if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return (ngx_handle_write_event(wev, clcf->send_lowat) == NGX_OK) ? NGX_OK
                                                                     : NGX_ERROR;
}


/* nginx can send more to a client. */

static void
ngx_http_ipc_receive_write(ngx_http_request_t *r)
{
    ngx_connection_t       *c;
    ngx_http_ipc_client_t  *client;

    c = r->connection;
    client = ngx_http_get_module_ctx(r, ngx_http_ipc_module);

    if (client->failed) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT, "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (c->buffered && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (ngx_http_ipc_receive_send(client) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* Sends a line that clients ignore, so that dead connections are noticed. */

static void
ngx_http_ipc_receive_timer(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_http_ipc_client_t  *client;

    if (ngx_queue_empty(&ngx_http_ipc_clients)) {
        return;
    }

    for (q = ngx_queue_head(&ngx_http_ipc_clients);
         q != ngx_queue_sentinel(&ngx_http_ipc_clients);
         q = ngx_queue_next(q))
    {
        client = ngx_queue_data(q, ngx_http_ipc_client_t, all);

        if (client->next.len == 0 && !client->request->connection->buffered) {
            ngx_http_ipc_receive_text(client, ":\n\n", 3);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_IPC_INTERVAL);
}
