
/*
 * The clients of this process that receive messages, with ipc_receive.
 *
 * The text for a client that reads slowly is kept, up to a limit; then the client is
 * disconnected, and the log says so.
 */


#include "ngx_http_ipc_clients.h"


/* a client with more text than this is too slow */
#define NGX_HTTP_IPC_MOST       (4 * 1024 * 1024)

/* when nothing else was sent, a line that clients ignore, in milliseconds */
#define NGX_HTTP_IPC_INTERVAL   15000


static ngx_uint_t ngx_http_ipc_clients_text(ngx_http_ipc_client_t *client,
    const void *data, size_t len);
static void ngx_http_ipc_clients_fail(ngx_http_ipc_client_t *client);
static void ngx_http_ipc_clients_timer(ngx_event_t *ev);


/* the clients of all types */
static ngx_queue_t  ngx_http_ipc_clients;

static ngx_event_t  ngx_http_ipc_clients_event;


void
ngx_http_ipc_clients_add(ngx_http_ipc_client_t *client)
{
    if (ngx_http_ipc_clients.next == NULL) {
        ngx_queue_init(&ngx_http_ipc_clients);
    }

    ngx_queue_insert_tail(&ngx_http_ipc_clients, &client->all);
    ngx_queue_insert_tail(&client->type->clients, &client->queue);
    client->type->n++;

    if (!ngx_http_ipc_clients_event.timer_set) {
        ngx_http_ipc_init_timer(&ngx_http_ipc_clients_event,
                                ngx_http_ipc_clients_timer);
        ngx_add_timer(&ngx_http_ipc_clients_event, NGX_HTTP_IPC_INTERVAL);
    }

    if (ngx_exiting) {
        ngx_http_ipc_clients_quit();
    }
}


void
ngx_http_ipc_clients_remove(ngx_http_ipc_client_t *client)
{
    ngx_queue_remove(&client->all);
    ngx_queue_remove(&client->queue);
    client->type->n--;

    if (ngx_queue_empty(&ngx_http_ipc_clients)
        && ngx_http_ipc_clients_event.timer_set)
    {
        ngx_del_timer(&ngx_http_ipc_clients_event);
    }
}


/* A message has arrived. */

void
ngx_http_ipc_message_handler(ngx_ipc_message_t *m)
{
    ngx_uint_t            n;
    ngx_queue_t          *q, *next;
    ngx_http_ipc_text_t   event;
    ngx_http_ipc_type_t  *type;

    type = m->ctx;
    n = 0;

    ngx_memzero(&event, sizeof(ngx_http_ipc_text_t));

    if (type->n
        && ngx_http_ipc_text_add_event(&event, m->data, m->len, ngx_cycle->log)
           == NGX_OK)
    {
        for (q = ngx_queue_head(&type->clients);
             q != ngx_queue_sentinel(&type->clients);
             q = next)
        {
            /* a filter can end the request */

            next = ngx_queue_next(q);
            n += ngx_http_ipc_clients_text(
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
        (void) ngx_http_ipc_queue_reply(m->sender->to, m->request, n,
                                        NGX_HTTP_IPC_REPLY_TAKEN, NULL, 0);
    }
}


/*
 * Sends a text to a client, now or when it has read what was sent before.  Returns 0 if the
 * request of the client ends.
 */

static ngx_uint_t
ngx_http_ipc_clients_text(ngx_http_ipc_client_t *client, const void *data,
    size_t len)
{
    size_t      kept;
    ngx_log_t  *log;

    if (client->failed || client->ended || client->request->filter_finalize) {
        return 0;
    }

    log = client->request->connection->log;

    kept = client->next.len + (client->buf.last - client->buf.pos);

    if (kept + len > NGX_HTTP_IPC_MOST) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "a client of \"ipc_receive\" is too slow");
        ngx_http_ipc_clients_fail(client);
        return 0;
    }

    if (ngx_http_ipc_text_add(&client->next, data, len, log) != NGX_OK
        || ngx_http_ipc_receive_send(client) != NGX_OK)
    {
        ngx_http_ipc_clients_fail(client);
        return 0;
    }

    return 1;
}


/*
 * Ends the request of a client in its next event, because the caller walks over the
 * list of clients.
 */

static void
ngx_http_ipc_clients_fail(ngx_http_ipc_client_t *client)
{
    client->failed = 1;
    ngx_post_event(client->request->connection->write, &ngx_posted_events);
}


/*
 * The worker begins to exit.  Clients then connect to another one.  A timer that nginx
 * waits for ends the requests, because the worker can exit before it looks at other
 * events.
 */

void
ngx_http_ipc_clients_quit(void)
{
    if (!ngx_http_ipc_clients_event.timer_set) {
        return;
    }

    ngx_del_timer(&ngx_http_ipc_clients_event);

#if (nginx_version >= 1011011)
    ngx_http_ipc_clients_event.cancelable = 0;
#endif

    ngx_add_timer(&ngx_http_ipc_clients_event, 0);
}


/*
 * Sends a line that clients ignore, so that dead connections are noticed.  When the worker
 * exits, ends all requests.
 */

static void
ngx_http_ipc_clients_timer(ngx_event_t *ev)
{
    ngx_queue_t            *q, *next;
    ngx_http_ipc_client_t  *client;

    if (ngx_queue_empty(&ngx_http_ipc_clients)) {
        return;
    }

    for (q = ngx_queue_head(&ngx_http_ipc_clients);
         q != ngx_queue_sentinel(&ngx_http_ipc_clients);
         q = next)
    {
        next = ngx_queue_next(q);
        client = ngx_queue_data(q, ngx_http_ipc_client_t, all);

        if (ngx_exiting) {
            client->ended = 1;
            ngx_post_event(client->request->connection->write,
                           &ngx_posted_events);
            continue;
        }

        if (client->next.len == 0 && !client->request->connection->buffered) {
            (void) ngx_http_ipc_clients_text(client, ":\n\n", 3);
        }
    }

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_IPC_INTERVAL);
    }
}
