/* "visits_zone NAME SIZE;" declares a zone. A location with "visits;" tells a client how often its
 * address has visited the workers. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_zone.h>

typedef struct {                /* the root of the zone */
    void  *addresses;           /* a table with the number of visits of each address */
} visits_t;

extern ngx_module_t  ngx_http_visits_module;

static ngx_uint_t
add_visit(ngx_shm_zone_t *zone, visits_t *visits, ngx_str_t *address)
{
    ngx_uint_t  *found, n;

    if (visits->addresses == NULL) {
        if (ngx_ipc_zone_save(zone, visits, sizeof(visits_t)) != NGX_OK) { return 0; }
        visits->addresses = ngx_ipc_zone_hash_create(zone, 1024, sizeof(n));
        if (visits->addresses == NULL) { return 0; }
    }

    found = ngx_ipc_zone_hash_get(zone, visits->addresses, address->data, address->len, sizeof(n));
    n = (found != NULL) ? *found + 1 : 1;

    return (ngx_ipc_zone_hash_set(zone, visits->addresses, address->data, address->len, &n,
                                  sizeof(n)) == NGX_OK) ? n : 0;
}

static ngx_int_t
handler(ngx_http_request_t *r)
{
    u_char                   *text = ngx_pnalloc(r->pool, NGX_INT_T_LEN + 1);
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_uint_t                n;
    ngx_shm_zone_t          **zone = ngx_http_get_module_main_conf(r, ngx_http_visits_module);
    ngx_http_complex_value_t  answer;

    if (text == NULL || *zone == NULL || ngx_ipc_zone_begin(*zone) != NGX_OK) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    n = add_visit(*zone, (*zone)->data, &r->connection->addr_text);

    if (n == 0) {
        ngx_ipc_zone_abort(*zone);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    if (ngx_ipc_zone_commit(*zone) != NGX_OK) { return NGX_HTTP_SERVICE_UNAVAILABLE; }

    ngx_memzero(&answer, sizeof(answer));
    answer.value.data = text;
    answer.value.len = ngx_sprintf(text, "%ui\n", n) - text;
    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &answer);
}

static char *
set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *location;

    location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    location->handler = handler;
    return NGX_CONF_OK;
}

static char *
add_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    static ngx_ipc_zone_type_t  type = {
        .name = ngx_string("visits"), .version = 1, .root_size = sizeof(visits_t)
    };
    ssize_t           size;
    ngx_str_t        *args = cf->args->elts;
    ngx_shm_zone_t  **zone = conf;

    if (*zone != NULL) { return "is duplicate"; }
    size = ngx_parse_size(&args[2]);
    if (size <= 0) { return "has an invalid size"; }
    *zone = ngx_ipc_zone_add(cf->cycle, &type, &args[1], size);
    return (*zone != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static void *
create_main_conf(ngx_conf_t *cf)        /* the configuration of the module is its zone */
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_shm_zone_t *));
}

static ngx_command_t  commands[] = {
    { ngx_string("visits_zone"), NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2, add_zone,
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL },
    { ngx_string("visits"), NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS, set_handler, 0, 0, NULL },
    ngx_null_command
};
static ngx_http_module_t  context = { .create_main_conf = create_main_conf };
ngx_module_t  ngx_http_visits_module = {
    NGX_MODULE_V1, .ctx = &context, .commands = commands, .type = NGX_HTTP_MODULE
};
