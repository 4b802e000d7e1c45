/* With "location = /check { proxy_pass http://127.0.0.1:8080; }", the worker that serves /check tells
 * all workers when the server goes down or up: their variable $health is "down" or "up". */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

static ngx_uint_t                 is_up = 1;
static ngx_http_variable_value_t  states[] = { ngx_http_variable("down"), ngx_http_variable("up") };

static void
health_handler(ngx_ipc_message_t *m)    /* in each worker, also in one that starts later */
{
    is_up = (m->len == 2);    /* the length of "up" */
}
static ngx_ipc_message_type_t  health = { .name = "health", .handler = health_handler,
                                          .flags = NGX_IPC_MESSAGE_RETAINED };
static ngx_int_t
init_module(ngx_cycle_t *cycle)    /* in the master, at the start and at each reload */
{
    return ngx_ipc_message_register(&health);
}

static ngx_int_t
log_handler(ngx_http_request_t *r)    /* at the end of each request */
{
    ngx_uint_t  set = NGX_IPC_WORKERS|NGX_IPC_SELF|NGX_IPC_ALL_GENERATIONS;
    ngx_uint_t  up = (r->headers_out.status < NGX_HTTP_INTERNAL_SERVER_ERROR);

    if (r->upstream && up != is_up && r->uri.len == 6 && ngx_strncmp(r->uri.data, "/check", 6) == 0
        && ngx_ipc_message_broadcast(&health, set, states[up].data, states[up].len) <= 0)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno, "the health was not sent");
    }
    return NGX_OK;
}

static ngx_int_t
get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    *v = states[is_up];
    return NGX_OK;
}

static ngx_int_t
init(ngx_conf_t *cf)
{
    ngx_str_t                   name = ngx_string("health");
    ngx_http_variable_t        *v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    ngx_http_core_main_conf_t  *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt        *h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);

    if (v == NULL || h == NULL) { return NGX_ERROR; }
    v->get_handler = get_variable;
    *h = log_handler;
    return NGX_OK;
}
static ngx_http_module_t  context = { .postconfiguration = init };
ngx_module_t  ngx_http_health_module = { NGX_MODULE_V1, &context, NULL, NGX_HTTP_MODULE,
    .init_module = init_module, NGX_MODULE_V1_PADDING };
