
/*
 * Messages between workers for clients of HTTP.  Directives of a location:
 *
 *   ipc_publish TYPE [to=all|others|exactly_one|worker] [timeout=TIME] [from=any];
 *   ipc_receive TYPE [from=any];
 *
 * POST to a location with ipc_publish sends the body to workers, and answers with
 * a list of those that have taken it.  GET from a location with ipc_receive streams
 * the messages that the worker of this client gets, as server-sent events.
 *
 *   to       the receivers: all workers, by default; the others; exactly one; or
 *            the worker whose number is in the argument "worker" of the request
 *   timeout  how long the answer waits for a worker, 1s
 *   from     any: clients on other machines are served too, if the directives
 *            allow and deny permit it
 */


#include "ngx_http_ipc.h"


static void *ngx_http_ipc_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ipc_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_ipc_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ipc_receive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ipc_init_module(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_ipc_commands[] = {

    { ngx_string("ipc_publish"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ipc_publish,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ipc_receive"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_ipc_receive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ipc_module_ctx = {
    ngx_http_ipc_types_preconfiguration,   /* preconfiguration */
    ngx_http_ipc_types_postconfiguration,  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_ipc_create_loc_conf,          /* create location configuration */
    ngx_http_ipc_merge_loc_conf            /* merge location configuration */
};


ngx_module_t  ngx_http_ipc_module = {
    NGX_MODULE_V1,
    &ngx_http_ipc_module_ctx,              /* module context */
    ngx_http_ipc_commands,                 /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_ipc_init_module,              /* init module */
    ngx_http_ipc_unhandled_init_process,   /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_ipc_queue_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_ipc_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_ipc_loc_conf_t));
}


/*
 * Blocks "if" and "limit_except" have the directive of their location.  A directive that
 * comes later in a location and answers its requests too is an error.
 */

static char *
ngx_http_ipc_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ipc_loc_conf_t  *prev = parent;
    ngx_http_ipc_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname) {
        *conf = *prev;

        if (clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = conf->handler;
        }

        return NGX_CONF_OK;
    }

    if (conf->handler != NULL && conf->handler != clcf->handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the location \"%V\" has \"%V\" and another directive that "
                      "answers requests in %V:%ui",
                      &clcf->name, &conf->directive, &conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    return ngx_http_ipc_access_init(cf, conf);
}


/* Reads the arguments that both directives have. */

static char *
ngx_http_ipc_location(ngx_conf_t *cf, ngx_http_ipc_loc_conf_t *lcf,
    ngx_http_handler_pt handler)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (lcf->handler == handler) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the location \"%V\" has \"%V\" and another directive "
                           "that answers requests", &clcf->name, &value[0]);
        return NGX_CONF_ERROR;
    }

    lcf->type = ngx_http_ipc_use_type(cf, &value[1]);
    if (lcf->type == NULL) {
        return NGX_CONF_ERROR;
    }

    lcf->timeout = 1000;
    lcf->handler = handler;
    lcf->directive = value[0];
    lcf->file = cf->conf_file->file.name;
    lcf->line = cf->conf_file->line;

    clcf->handler = handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_ipc_invalid(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"", value);

    return NGX_CONF_ERROR;
}


/* Whether an argument before this one has the same name, which ends with "=". */

static ngx_uint_t
ngx_http_ipc_is_duplicate(ngx_str_t *value, ngx_uint_t n)
{
    u_char      *p;
    ngx_uint_t   i;

    p = ngx_strlchr(value[n].data, value[n].data + value[n].len, '=');
    if (p == NULL) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (ngx_strncmp(value[i].data, value[n].data, p + 1 - value[n].data) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_http_ipc_publish(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ipc_loc_conf_t  *lcf = conf;

    char        *rv;
    ngx_int_t    timeout;
    ngx_str_t   *value, time;
    ngx_uint_t   i, to;

    static const ngx_str_t  receivers[] = {
        ngx_string("to=all"),
        ngx_string("to=others"),
        ngx_string("to=exactly_one"),
        ngx_string("to=worker")
    };

    rv = ngx_http_ipc_location(cf, lcf, ngx_http_ipc_publish_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_ipc_is_duplicate(value, i)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(value[i].data, "from=any") == 0) {
            lcf->any = 1;
            continue;
        }

        if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            time.data = value[i].data + 8;
            time.len = value[i].len - 8;

            timeout = ngx_parse_time(&time, 0);
            if (timeout == NGX_ERROR || timeout == 0) {
                return ngx_http_ipc_invalid(cf, &value[i]);
            }

            lcf->timeout = timeout;
            continue;
        }

        for (to = 0; to < sizeof(receivers) / sizeof(receivers[0]); to++) {
            if (ngx_strcmp(value[i].data, receivers[to].data) == 0) {
                lcf->to = to;
                break;
            }
        }

        if (to == sizeof(receivers) / sizeof(receivers[0])) {
            return ngx_http_ipc_invalid(cf, &value[i]);
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ipc_receive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ipc_loc_conf_t  *lcf = conf;

    char       *rv;
    ngx_str_t  *value;

    rv = ngx_http_ipc_location(cf, lcf, ngx_http_ipc_receive_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "from=any") != 0) {
            return ngx_http_ipc_invalid(cf, &value[2]);
        }

        lcf->any = 1;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ipc_send_header(ngx_http_request_t *r)
{
#if (nginx_version >= 1007003)
    r->disable_not_modified = 1;
#endif

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_http_ipc_not_allowed(ngx_http_request_t *r, const char *method)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Allow");
    h->value.data = (u_char *) method;
    h->value.len = ngx_strlen(method);

    return NGX_HTTP_NOT_ALLOWED;
}


static ngx_int_t
ngx_http_ipc_init_module(ngx_cycle_t *cycle)
{
    if (ngx_http_ipc_unhandled_init_module(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ipc_types_init_module(cycle);
}


void
ngx_http_ipc_init_timer(ngx_event_t *ev, ngx_event_handler_pt handler)
{
    /* the debug log prints the descriptor of a timer's connection */

    static ngx_connection_t  none = { .fd = (ngx_socket_t) -1 };

    ev->handler = handler;
    ev->log = ngx_cycle->log;
    ev->data = &none;

#if (nginx_version >= 1011011)
    ev->cancelable = 1;
#endif
}
