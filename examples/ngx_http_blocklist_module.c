/* When a client gets the status 429, for example from limit_req with "limit_req_status 429;", all
 * workers refuse it with 403 for a minute. Workers that start later refuse it too. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

static struct client { u_char address[48]; time_t until; }  list[1024];    /* by hash */
static ngx_ipc_message_type_t  type = { .name = "blocklist", .flags = NGX_IPC_MESSAGE_RETAINED };
static ngx_uint_t              others = NGX_IPC_WORKERS|NGX_IPC_ALL_GENERATIONS;

static void
list_handler(ngx_ipc_message_t *m)    /* in each worker: another worker has sent its list */
{
    struct client  *other = m->data;
    ngx_uint_t      i, lacks = 0;

    for (i = 0; i < 1024 && m->len == sizeof(list); i++) {
        if (other[i].until > list[i].until) { list[i] = other[i]; }
        if (other[i].until < list[i].until) { lacks = 1; }    /* two workers sent at the same time */
    }
    if (lacks) { ngx_ipc_message_broadcast(&type, others, list, sizeof(list)); }
}

static ngx_int_t
init_module(ngx_cycle_t *cycle)    /* in the master, at the start and at each reload */
{
    type.handler = list_handler;
    return ngx_ipc_message_register(&type);
}

static ngx_int_t
handler(ngx_http_request_t *r)    /* before the answer, and at the end of the request */
{
    ngx_str_t      *text = &r->connection->addr_text;
    struct client   client = { .until = ngx_time() + 60 }, *c;

    ngx_memcpy(client.address, text->data, ngx_min(text->len, 48));
    c = &list[ngx_murmur_hash2(client.address, 48) % 1024];
    if (r->headers_out.status == NGX_HTTP_TOO_MANY_REQUESTS && c->until <= ngx_time()) {
        *c = client;    /* if the list is not sent now, the client is in the next one */
        ngx_ipc_message_broadcast(&type, others, list, sizeof(list));
    }
    return (c->until > ngx_time() && ngx_memcmp(c->address, client.address, 48) == 0)
           ? NGX_HTTP_FORBIDDEN : NGX_DECLINED;
}

static ngx_int_t
init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t  *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt        *a = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    ngx_http_handler_pt        *l = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);

    if (a != NULL && l != NULL) { *a = *l = handler; }
    return (a != NULL && l != NULL) ? NGX_OK : NGX_ERROR;
}
static ngx_http_module_t  context = { .postconfiguration = init };
ngx_module_t  ngx_http_blocklist_module = { NGX_MODULE_V1, &context, NULL, NGX_HTTP_MODULE,
    .init_module = init_module, NGX_MODULE_V1_PADDING };
