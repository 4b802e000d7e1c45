
/*
 * The directive ipc_status [text | json | prometheus | html]: its location shows the
 * processes of this nginx and the counters that they share.  Without an argument a
 * browser gets the page for people, and other clients get text.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_ipc_header.h"
#include "ngx_counters_module.h"
#include "ngx_ipc_status.h"


typedef struct {
    ngx_uint_t  used;                  /* a location has the directive */
} ngx_http_ipc_status_main_conf_t;


typedef struct {
    const ngx_ipc_status_format_t  *format;
} ngx_http_ipc_status_loc_conf_t;


static ngx_int_t ngx_http_ipc_status_handler(ngx_http_request_t *r);
static const ngx_ipc_status_format_t *ngx_http_ipc_status_accepted(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_ipc_status_header(ngx_http_request_t *r, char *name,
    const ngx_str_t *value);
static ngx_int_t ngx_http_ipc_status_begin(ngx_http_request_t *r);
static void ngx_http_ipc_status_end(void *data);
static void *ngx_http_ipc_status_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_ipc_status_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ipc_status_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_ipc_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ipc_status_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_ipc_status_commands[] = {

    { ngx_string("ipc_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_ipc_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    /* the name in earlier versions */

    { ngx_string("ngx_ipc_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_ipc_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ipc_status_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_ipc_status_init,              /* postconfiguration */

    ngx_http_ipc_status_create_main_conf,  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_ipc_status_create_loc_conf,   /* create location configuration */
    ngx_http_ipc_status_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_ipc_status_module = {
    NGX_MODULE_V1,
    &ngx_http_ipc_status_module_ctx,       /* module context */
    ngx_http_ipc_status_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_str_t  ngx_http_ipc_status_accept = ngx_string("Accept");
static ngx_str_t  ngx_http_ipc_status_nosniff = ngx_string("nosniff");


static ngx_int_t
ngx_http_ipc_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_chain_t                     *out, *cl;
    const ngx_ipc_status_format_t   *format;
    ngx_http_ipc_status_loc_conf_t  *conf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_status_module);

    format = conf->format;

    if (format == NULL || format->number == NGX_IPC_STATUS_HTML) {
        format = ngx_http_ipc_status_accepted(r);

        if (ngx_http_ipc_status_header(r, "Vary", &ngx_http_ipc_status_accept)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (format->number == NGX_IPC_STATUS_HTML
        && (ngx_http_ipc_status_header(r, "Content-Security-Policy",
                                       &ngx_ipc_status_policy)
            != NGX_OK
            || ngx_http_ipc_status_header(r, "X-Content-Type-Options",
                                          &ngx_http_ipc_status_nosniff)
            != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out = ngx_ipc_status(r->pool, format);
    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;

    for (cl = out; cl; cl = cl->next) {
        r->headers_out.content_length_n += cl->buf->last - cl->buf->pos;

        if (cl->next == NULL) {
            cl->buf->last_buf = (r == r->main) ? 1 : 0;
            cl->buf->last_in_chain = 1;
        }
    }

    /* The length is that of the type without its parameters. */

    r->headers_out.content_type = format->content_type;
    r->headers_out.content_type_len = strcspn((char *) format->content_type.data,
                                              ";");

#if (nginx_version >= 1007003)
    /* a condition, such as "If-Match", does not change the answer */
    r->disable_not_modified = 1;
#endif

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || r->filter_finalize) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


/*
 * The format that the client wants if it can choose: of the types of the pages, the
 * first in its header Accept.  curl and wget name none.
 */

static const ngx_ipc_status_format_t *
ngx_http_ipc_status_accepted(ngx_http_request_t *r)
{
    u_char                          *html, *json;
    ngx_str_t                       *accept;
    ngx_http_ipc_status_loc_conf_t  *conf;

    html = NULL;
    json = NULL;
    accept = ngx_ipc_header(r, "Accept");

    if (accept) {
        html = ngx_strcasestrn(accept->data, "text/html", 9 - 1);
        json = ngx_strcasestrn(accept->data, "application/json", 16 - 1);
    }

    if (json && (html == NULL || json < html)) {
        return &ngx_ipc_status_summary;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_status_module);

    return &ngx_ipc_status_formats[(html || conf->format)
                                   ? NGX_IPC_STATUS_FORMAT_HTML
                                   : NGX_IPC_STATUS_FORMAT_TEXT];
}


/* Adds a header to the answer. */

static ngx_int_t
ngx_http_ipc_status_header(ngx_http_request_t *r, char *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *header;

    header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(header, sizeof(ngx_table_elt_t));

    header->hash = 1;
    header->key.data = (u_char *) name;
    header->key.len = ngx_strlen(name);
    header->value = *value;

    return NGX_OK;
}


/* nginx calls this function when a request has ended, also if it has failed. */

static void
ngx_http_ipc_status_end(void *data)
{
    (void) data;

    ngx_counters_change(active, -1);
    ngx_counters_change(writing, -1);
}


/* nginx calls this function when it has read the header of a request. */

static ngx_int_t
ngx_http_ipc_status_begin(ngx_http_request_t *r)
{
    ngx_http_cleanup_t  *cleanup;

    if (r != r->main || r->internal) {
        return NGX_DECLINED;
    }

    cleanup = ngx_http_cleanup_add(r, 0);
    if (cleanup == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cleanup->handler = ngx_http_ipc_status_end;

    if (r->connection->requests <= 1) {
        ngx_counters_count(accepted);
        ngx_counters_count(handled);
    }

    ngx_counters_count(requests);
    ngx_counters_change(active, 1);
    ngx_counters_change(writing, 1);

    return NGX_DECLINED;
}


static void *
ngx_http_ipc_status_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_ipc_status_main_conf_t));
}


static void *
ngx_http_ipc_status_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_ipc_status_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_ipc_status_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->format = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_ipc_status_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ipc_status_loc_conf_t  *prev = parent;
    ngx_http_ipc_status_loc_conf_t  *conf = child;

    ngx_conf_merge_ptr_value(conf->format, prev->format, NULL);

    return NGX_CONF_OK;
}


static char *
ngx_http_ipc_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ipc_status_loc_conf_t  *lcf = conf;

    ngx_str_t                        *value;
    ngx_http_core_loc_conf_t         *clcf;
    const ngx_ipc_status_format_t    *format;
    ngx_http_ipc_status_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_ipc_status_handler) {
        return "is duplicate";
    }

    clcf->handler = ngx_http_ipc_status_handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ipc_status_module);
    mcf->used = 1;

    if (cf->args->nelts == 1) {
        lcf->format = NULL;
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    for (format = ngx_ipc_status_formats; format->name.len != 0; format++) {

        if (value[1].len == format->name.len
            && ngx_strcmp(value[1].data, format->name.data) == 0)
        {
            lcf->format = format;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid format \"%V\" in \"%V\", it must be "
                       "\"text\", \"json\", \"prometheus\" or \"html\"",
                       &value[1], &cmd->name);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_ipc_status_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt              *h;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_ipc_status_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ipc_status_module);

    if (!mcf->used) {

        /* no request is counted, because no page shows the numbers */

        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_ipc_status_begin;

    return NGX_OK;
}
