
/*
 * A module with which the tests of tests/nginx/messages.rs send messages.  Its
 * directive "messages" is for a location.  The arguments of a request:
 *
 *   n=N        broadcasts N messages to the other workers
 *   master=1   sends a message to the master
 *   ask=1      asks worker 0, and logs the outcome
 *
 * The answer has the number of messages that were sent, and the numbers of
 * messages and gaps that this worker has handled.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

#include <stdio.h>


static char *ngx_http_messages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_messages_init_module(ngx_cycle_t *cycle);
static void ngx_http_messages_handle(ngx_ipc_message_t *m);
static void ngx_http_messages_gap(void *data, const ngx_ipc_gap_t *gap);


static ngx_uint_t  ngx_http_messages_handled;
static ngx_uint_t  ngx_http_messages_gaps;


static ngx_ipc_message_type_t  ngx_http_messages_type = {
    "messages_test", ngx_http_messages_handle, NULL, 0, 0
};


static ngx_ipc_message_watch_t  ngx_http_messages_watch = {
    NULL, NULL, NULL, ngx_http_messages_gap, NULL
};


static ngx_command_t  ngx_http_messages_commands[] = {

    { ngx_string("messages"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_messages,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_messages_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_messages_module = {
    NGX_MODULE_V1,
    &ngx_http_messages_module_ctx,         /* module context */
    ngx_http_messages_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_messages_init_module,         /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx's configure writes these variables for a dynamic module. */

ngx_module_t  *ngx_modules[] = { &ngx_http_messages_module, NULL };
char          *ngx_module_names[] = { "ngx_http_messages_module", NULL };
char          *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_http_messages_init_module(ngx_cycle_t *cycle)
{
    if (ngx_ipc_message_watch(&ngx_http_messages_watch) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ipc_message_register(&ngx_http_messages_type);
}


static void
ngx_http_messages_handle(ngx_ipc_message_t *m)
{
    ngx_http_messages_handled++;

    if (ngx_process == NGX_PROCESS_MASTER) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "messages: master handled:%ui",
                      ngx_http_messages_handled);
    }

    if (m->request) {
        (void) ngx_ipc_message_reply(m->sender->to, m->request, m->data,
                                     m->len);
    }
}


static void
ngx_http_messages_gap(void *data, const ngx_ipc_gap_t *gap)
{
    ngx_http_messages_gaps += gap->count;
}


static void
ngx_http_messages_outcome(void *data, ngx_uint_t outcome,
    ngx_ipc_message_t *reply)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "messages: outcome:%ui",
                  outcome);
}


static ngx_int_t
ngx_http_messages_arg(ngx_http_request_t *r, char *name)
{
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return 0;
    }

    return ngx_atoi(value.data, value.len);
}


static ngx_int_t
ngx_http_messages_handler(ngx_http_request_t *r)
{
    ngx_int_t                 n, sent, rc;
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_http_complex_value_t  cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.data = ngx_pnalloc(r->pool, 128);
    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sent = 0;

    for (n = ngx_http_messages_arg(r, "n"); n > 0; n--) {
        rc = ngx_ipc_message_broadcast(&ngx_http_messages_type,
                                       NGX_IPC_WORKERS, "purge", 5);
        if (rc > 0) {
            sent += rc;
        }
    }

    if (ngx_http_messages_arg(r, "master") == 1
        && ngx_ipc_message_send(&ngx_http_messages_type, NGX_IPC_TO_MASTER,
                                "purge", 5)
           == NGX_OK)
    {
        sent++;
    }

    if (ngx_http_messages_arg(r, "ask") == 1
        && ngx_ipc_message_request(&ngx_http_messages_type,
                                   NGX_IPC_TO_WORKER(0), "purge", 5, 100,
                                   ngx_http_messages_outcome, NULL)
           == NGX_OK)
    {
        sent++;
    }

    cv.value.len = sprintf((char *) cv.value.data,
                           "sent:%d handled:%d gaps:%d", (int) sent,
                           (int) ngx_http_messages_handled,
                           (int) ngx_http_messages_gaps);

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static char *
ngx_http_messages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_messages_handler;

    return NGX_CONF_OK;
}
