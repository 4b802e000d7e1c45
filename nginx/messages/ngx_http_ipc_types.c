
/*
 * The types of messages that the directives of a configuration and programs in Lua name.
 * Each configuration registers its own.
 */


#include "ngx_http_ipc.h"
#include "ngx_ipc_messages.h"


/*
 * All types that configurations have named.  The library keeps pointers to them, so
 * they are never freed.
 */

static ngx_http_ipc_type_t  *ngx_http_ipc_types;

/* the types of the configuration that is being read */

static ngx_array_t  *ngx_http_ipc_used;


ngx_http_ipc_type_t *
ngx_http_ipc_get_type(ngx_str_t *name, ngx_log_t *log)
{
    u_char               *p;
    ngx_http_ipc_type_t  *type;

    for (type = ngx_http_ipc_types; type; type = type->next) {

        if (ngx_strlen(type->message.name) == name->len
            && ngx_strncmp(type->message.name, name->data, name->len) == 0)
        {
            return type;
        }
    }

    type = ngx_calloc(sizeof(ngx_http_ipc_type_t) + name->len + 1, log);
    if (type == NULL) {
        return NULL;
    }

    p = (u_char *) (type + 1);
    ngx_memcpy(p, name->data, name->len);

    type->message.name = (char *) p;
    type->message.ctx = type;
    ngx_queue_init(&type->clients);

    type->next = ngx_http_ipc_types;
    ngx_http_ipc_types = type;

    return type;
}


ngx_int_t
ngx_http_ipc_register(ngx_http_ipc_type_t *type)
{
    type->message.handler = ngx_http_ipc_message_handler;

    if (ngx_ipc_message_register(&type->message) != NGX_OK) {
        return NGX_ERROR;
    }

    type->registered = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_http_ipc_is_name(ngx_str_t *name)
{
    return name->len > 0
           && name->len <= 48
           && name->data[0] != '('
           && ngx_strnlen(name->data, name->len) == name->len;
}


/* Returns a type that the configuration names. */

ngx_http_ipc_type_t *
ngx_http_ipc_use_type(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_http_ipc_type_t   *type, **used;

    if (!ngx_http_ipc_is_name(name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\", a name has 1 to 48 bytes and "
                           "does not begin with \"(\"", name);
        return NULL;
    }

    if (name->data[0] == '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\", a name cannot be a variable",
                           name);
        return NULL;
    }

    if (ngx_strncmp(name->data, "to=", 3) == 0
        || ngx_strncmp(name->data, "from=", 5) == 0
        || ngx_strncmp(name->data, "timeout=", 8) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\", a name comes before the "
                           "parameters", name);
        return NULL;
    }

    type = ngx_http_ipc_get_type(name, cf->log);
    if (type == NULL) {
        return NULL;
    }

    used = ngx_http_ipc_used->elts;

    for (i = 0; i < ngx_http_ipc_used->nelts; i++) {
        if (used[i] == type) {
            return type;
        }
    }

    used = ngx_array_push(ngx_http_ipc_used);
    if (used == NULL) {
        return NULL;
    }

    *used = type;

    return type;
}


/* The memory of the types of a configuration is freed. */

static void
ngx_http_ipc_forget(void *data)
{
    if (ngx_http_ipc_used == data) {
        ngx_http_ipc_used = NULL;
    }
}


ngx_int_t
ngx_http_ipc_types_preconfiguration(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    ngx_http_ipc_used = ngx_array_create(cf->pool, 4,
                                         sizeof(ngx_http_ipc_type_t *));

    cln->handler = ngx_http_ipc_forget;
    cln->data = ngx_http_ipc_used;

    return ngx_http_ipc_used ? NGX_OK : NGX_ERROR;
}


/*
 * Refuses a configuration with too many types here, where nginx can still go on with the
 * previous configuration.
 */

ngx_int_t
ngx_http_ipc_types_postconfiguration(ngx_conf_t *cf)
{
    ngx_int_t              n;
    ngx_uint_t             i;
    ngx_http_ipc_type_t  **used;

    n = 0;
    used = ngx_http_ipc_used->elts;

    for (i = 0; i < ngx_http_ipc_used->nelts; i++) {
        n = ngx_ipc_messages_count_type(used[i]->message.name, n);

        if (n == NGX_ERROR) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "too many types of messages: nginx has no room for the type "
                          "\"%s\", a restart frees the types that are not used any more",
                          used[i]->message.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A dynamic module can be loaded at another address after a reload. */

ngx_int_t
ngx_http_ipc_types_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t             i;
    ngx_http_ipc_type_t   *type, **used;

    for (type = ngx_http_ipc_types; type; type = type->next) {
        type->registered = 0;
    }

    if (ngx_http_ipc_used == NULL) {

        /* the configuration has no block "http" */

        return NGX_OK;
    }

    used = ngx_http_ipc_used->elts;

    for (i = 0; i < ngx_http_ipc_used->nelts; i++) {

        if (ngx_http_ipc_register(used[i]) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "the type \"%s\" of messages cannot be registered",
                          used[i]->message.name);

            /* at a reload nginx would exit; without the type, requests fail */

            if (ngx_is_init_cycle(cycle->old_cycle)) {
                return NGX_ERROR;
            }
        }
    }

    ngx_http_ipc_used = NULL;

    return NGX_OK;
}
