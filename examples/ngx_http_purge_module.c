/* A request to a location with "purge" makes all workers purge a page. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

static void
purge_handler(ngx_ipc_message_t *m)    /* in each worker */
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "purge %*s", m->len, m->data);
}
static ngx_ipc_message_type_t  purge = { .name = "cache_purge", .handler = purge_handler };

static ngx_int_t
init_module(ngx_cycle_t *cycle)    /* in the master, at the start and at each reload */
{
    return ngx_ipc_message_register(&purge);
}

static ngx_int_t
request_handler(ngx_http_request_t *r)
{
    ngx_int_t                 n;
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_http_complex_value_t  answer = { .value = ngx_string("purged\n") };

    n = ngx_ipc_message_broadcast(&purge, NGX_IPC_WORKERS|NGX_IPC_SELF, r->args.data, r->args.len);

    return (n > 0) ? ngx_http_send_response(r, NGX_HTTP_OK, &type, &answer)
                   : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

static char *
set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *location;

    location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    location->handler = request_handler;

    return NGX_CONF_OK;
}

static ngx_command_t  commands[] = {
    { ngx_string("purge"), NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS, set_handler, 0, 0, NULL },
    ngx_null_command
};
static ngx_http_module_t  context;

ngx_module_t  ngx_http_purge_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
    .init_module = init_module, NGX_MODULE_V1_PADDING
};
