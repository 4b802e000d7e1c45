
/* ipc_receive: the request of a client that receives messages as server-sent events. */


#include "ngx_http_ipc_clients.h"


/* a client that waits for nothing keeps at most so much memory for each of two texts */
#define NGX_HTTP_IPC_KEPT  65536


static ngx_int_t ngx_http_ipc_receive_header(ngx_http_request_t *r);
static void ngx_http_ipc_receive_end(void *data);
static void ngx_http_ipc_receive_free(void *data);
static void ngx_http_ipc_receive_write(ngx_http_request_t *r);
static void ngx_http_ipc_receive_shrink(ngx_http_ipc_text_t *text);
static ngx_int_t ngx_http_ipc_receive_wait(ngx_http_request_t *r);


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

    if (ngx_http_ipc_exit_watch() != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
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

    ngx_http_ipc_clients_add(client);

    cln->handler = ngx_http_ipc_receive_end;
    cln->data = client;

    ngx_http_set_ctx(r, client, ngx_http_ipc_module);

    rc = ngx_http_ipc_receive_header(r);

    /* a filter that sends an error instead has cleared the contexts of modules */

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || r->filter_finalize) {
        client->ended = 1;
        return rc;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_ipc_receive_write;

    r->main->count++;

    if (ngx_http_ipc_receive_send(client) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_ipc_receive_header(ngx_http_request_t *r)
{
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

    return ngx_http_ipc_send_header(r);
}


/* The request has ended. */

static void
ngx_http_ipc_receive_end(void *data)
{
    ngx_http_ipc_clients_remove(data);
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


ngx_int_t
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

    if (b->pos == b->last && !r->connection->buffered) {
        ngx_memzero(b, sizeof(ngx_buf_t));
        ngx_http_ipc_receive_shrink(&client->sent);
        ngx_http_ipc_receive_shrink(&client->next);
    }

    return ngx_http_ipc_receive_wait(r);
}


/* Frees the memory of a text that was sent, if it is large. */

static void
ngx_http_ipc_receive_shrink(ngx_http_ipc_text_t *text)
{
    if (text->room > NGX_HTTP_IPC_KEPT) {
        ngx_free(text->data);
        ngx_memzero(text, sizeof(ngx_http_ipc_text_t));
    }
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

    } else if (wev->timer_set && !wev->delayed) {
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

    /* a filter that sends an error instead of a text has cleared the contexts too */

    if (client == NULL || client->failed) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (client->ended) {
        r->keepalive = 0;
        ngx_http_finalize_request(r, c->buffered ? NGX_ERROR
                                     : ngx_http_send_special(r, NGX_HTTP_LAST));
        return;
    }

    /* the pause of "limit_rate" has ended; later versions of nginx do the same */

    if (c->write->timedout && c->write->delayed) {
        c->write->timedout = 0;
        c->write->delayed = 0;
    }

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT, "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    /* the client has read something: the time of "send_timeout" begins again */

    if (c->write->timer_set && !c->write->delayed) {
        ngx_del_timer(c->write);
    }

    /* a filter keeps a text until its subrequest ends */

    if ((c->buffered || r->buffered || r->postponed)
        && ngx_http_output_filter(r, NULL) == NGX_ERROR)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (ngx_http_ipc_receive_send(client) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}
