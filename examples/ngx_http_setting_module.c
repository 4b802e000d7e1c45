/* With "location = /set { setting; }", "curl -X POST http://127.0.0.1/set?blue" makes the variable
 * $setting "blue" in all workers, without a reload. Workers that start later have the value too. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

static u_char                     text[256];
static ngx_http_variable_value_t  value = { .valid = 1, .no_cacheable = 1, .data = text };

static void
setting_handler(ngx_ipc_message_t *m)    /* in each worker */
{
    value.len = ngx_min(m->len, sizeof(text));
    ngx_memcpy(text, m->data, value.len);
}
static ngx_ipc_message_type_t  setting = { .name = "setting", .handler = setting_handler,
                                           .flags = NGX_IPC_MESSAGE_RETAINED };
static ngx_int_t
init_module(ngx_cycle_t *cycle)    /* in the master, at the start and at each reload */
{
    return ngx_ipc_message_register(&setting);
}

static ngx_int_t
request_handler(ngx_http_request_t *r)
{
    ngx_uint_t  set = NGX_IPC_WORKERS|NGX_IPC_SELF|NGX_IPC_ALL_GENERATIONS;

    if (r->method != NGX_HTTP_POST || r->args.len > sizeof(text)) { return NGX_HTTP_BAD_REQUEST; }
    return (ngx_ipc_message_broadcast(&setting, set, r->args.data, r->args.len) > 0)
           ? NGX_HTTP_NO_CONTENT : NGX_HTTP_SERVICE_UNAVAILABLE;
}

static ngx_int_t
get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    *v = value;
    return NGX_OK;
}

static char *
set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                  name = ngx_string("setting");
    ngx_http_variable_t       *v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    ngx_http_core_loc_conf_t  *clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (v == NULL) { return NGX_CONF_ERROR; }
    v->get_handler = get_variable;
    clcf->handler = request_handler;
    return NGX_CONF_OK;
}
static ngx_command_t  commands[] = {
    { ngx_string("setting"), NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS, set_handler, 0, 0, NULL },
    ngx_null_command
};
static ngx_http_module_t  context;
ngx_module_t  ngx_http_setting_module = { NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
    .init_module = init_module, NGX_MODULE_V1_PADDING };
