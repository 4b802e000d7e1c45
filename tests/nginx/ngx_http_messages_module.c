
/*
 * A module with which the tests of tests/nginx/messages*.rs send messages.  Its
 * directives:
 *
 *   messages          for a location: answers requests
 *   messages_early N  for the http block: worker 0 broadcasts N messages to the
 *                     workers and helpers in init_process
 *
 * The arguments of a request:
 *
 *   n=N        broadcasts N messages to the other workers
 *   all=1      and to those of all generations and binaries
 *   self=1     broadcasts a message to all workers, this one included
 *   helpers=1  broadcasts a message to the helpers
 *   master=N   sends N messages to the master
 *   ask=1      asks worker 0, and logs the outcome
 *   ask=2      makes the master ask worker 0, which does not reply
 *   linger=1   sends the master a message every 20 ms, also while this worker
 *              shuts down
 *   break=1    sends bytes and descriptors on the socket that wakes up the master,
 *              and shuts it down
 *   flood=1    sends messages to the master for ever, and does nothing else
 *
 * The answer has the number of messages that were sent, and the numbers of
 * messages and gaps that this worker has handled.  The master and the helpers log
 * what they handle.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

#include <stdio.h>


static char *ngx_http_messages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_messages_set_early(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_messages_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_messages_init_process(ngx_cycle_t *cycle);
static void ngx_http_messages_exit_master(ngx_cycle_t *cycle);
static void ngx_http_messages_linger(ngx_event_t *ev);
static void ngx_http_messages_handle(ngx_ipc_message_t *m);
static void ngx_http_messages_outcome(void *data, ngx_uint_t outcome,
    ngx_ipc_message_t *reply);
static void ngx_http_messages_gap(void *data, const ngx_ipc_gap_t *gap);


static ngx_uint_t  ngx_http_messages_handled;
static ngx_uint_t  ngx_http_messages_gaps;
static ngx_int_t   ngx_http_messages_early;

static ngx_event_t       ngx_http_messages_timer;
static ngx_connection_t  ngx_http_messages_dumb;


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

    { ngx_string("messages_early"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_messages_set_early,
      NGX_HTTP_MAIN_CONF_OFFSET,
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
    ngx_http_messages_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    ngx_http_messages_exit_master,         /* exit master */
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


static ngx_int_t
ngx_http_messages_init_process(ngx_cycle_t *cycle)
{
    ngx_int_t  n;

    if (ngx_process != NGX_PROCESS_WORKER || ngx_worker != 0) {
        return NGX_OK;
    }

    for (n = 0; n < ngx_http_messages_early; n++) {
        (void) ngx_ipc_message_broadcast(&ngx_http_messages_type,
                                         NGX_IPC_WORKERS|NGX_IPC_HELPERS,
                                         "early", 5);
    }

    return NGX_OK;
}


/* The library's module, which comes first, has given back the master's slot. */

static void
ngx_http_messages_exit_master(ngx_cycle_t *cycle)
{
    ngx_int_t  rc;

    rc = ngx_ipc_message_send(&ngx_http_messages_type, NGX_IPC_TO_MASTER,
                              "late", 4);

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, (rc == NGX_OK) ? 0 : ngx_errno,
                  "messages: master exits, sent:%i", rc);
}


static void
ngx_http_messages_handle(ngx_ipc_message_t *m)
{
    ngx_http_messages_handled++;

    if (ngx_process == NGX_PROCESS_MASTER) {

        if (m->len == 3) {
            (void) ngx_ipc_message_request(&ngx_http_messages_type,
                                           NGX_IPC_TO_WORKER(0), "keep", 4,
                                           600000, ngx_http_messages_outcome,
                                           NULL);
        }

        if (m->len) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "messages: master handled:%ui",
                          ngx_http_messages_handled);
        }

    } else if (ngx_process == NGX_PROCESS_HELPER) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "messages: helper handled:%ui",
                      ngx_http_messages_handled);
    }

    if (m->request && m->len != 4) {
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


static void
ngx_http_messages_start_linger(void)
{
    ngx_http_messages_dumb.fd = (ngx_socket_t) -1;

    ngx_http_messages_timer.handler = ngx_http_messages_linger;
    ngx_http_messages_timer.data = &ngx_http_messages_dumb;
    ngx_http_messages_timer.log = ngx_cycle->log;

    ngx_add_timer(&ngx_http_messages_timer, 20);
}


static void
ngx_http_messages_linger(ngx_event_t *ev)
{
    (void) ngx_ipc_message_send(&ngx_http_messages_type, NGX_IPC_TO_MASTER,
                                NULL, 0);
    ngx_add_timer(ev, 20);
}


/* The only stream socket of AF_UNIX that a worker has wakes up the master. */

static void
ngx_http_messages_break(void)
{
    int             fd, n, type, domain;
    socklen_t       len;
    struct iovec    iov;
    struct msghdr   msg;
    struct cmsghdr  *cmsg;

    union {
        struct cmsghdr  align;
        u_char          bytes[CMSG_SPACE(sizeof(int))];
    } control;

    for (fd = 3; fd < 1024; fd++) {
        len = sizeof(int);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1
            || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1
            || type != SOCK_STREAM || domain != AF_UNIX)
        {
            continue;
        }

        for (n = 0; n < 100; n++) {
            iov.iov_base = "garbage";
            iov.iov_len = 7;

            ngx_memzero(&msg, sizeof(struct msghdr));
            msg.msg_iov = &iov;
            msg.msg_iovlen = 1;
            msg.msg_control = &control;
            msg.msg_controllen = sizeof(control);

            cmsg = CMSG_FIRSTHDR(&msg);
            cmsg->cmsg_level = SOL_SOCKET;
            cmsg->cmsg_type = SCM_RIGHTS;
            cmsg->cmsg_len = CMSG_LEN(sizeof(int));
            ngx_memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));

            (void) sendmsg(fd, &msg, MSG_DONTWAIT|MSG_NOSIGNAL);
        }

        (void) send(fd, "!", 1, MSG_OOB|MSG_DONTWAIT|MSG_NOSIGNAL);
        (void) shutdown(fd, SHUT_RDWR);
    }
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
    ngx_uint_t                set;
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_http_complex_value_t  cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.data = ngx_pnalloc(r->pool, 128);
    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sent = 0;
    set = NGX_IPC_WORKERS;

    if (ngx_http_messages_arg(r, "all") == 1) {
        set |= NGX_IPC_ALL_GENERATIONS;
    }

    for (n = ngx_http_messages_arg(r, "n"); n > 0; n--) {
        rc = ngx_ipc_message_broadcast(&ngx_http_messages_type, set, "purge", 5);
        if (rc > 0) {
            sent += rc;
        }
    }

    if (ngx_http_messages_arg(r, "self") == 1) {
        sent += ngx_ipc_message_broadcast(&ngx_http_messages_type,
                                          NGX_IPC_WORKERS|NGX_IPC_SELF, "self",
                                          4);
    }

    if (ngx_http_messages_arg(r, "helpers") == 1) {
        sent += ngx_ipc_message_broadcast(&ngx_http_messages_type,
                                          NGX_IPC_HELPERS, "purge", 5);
    }

    if (ngx_http_messages_arg(r, "ask") == 2
        && ngx_ipc_message_send(&ngx_http_messages_type, NGX_IPC_TO_MASTER,
                                "ask", 3)
           == NGX_OK)
    {
        sent++;
    }

    for (n = ngx_http_messages_arg(r, "master"); n > 0; n--) {

        if (ngx_ipc_message_send(&ngx_http_messages_type, NGX_IPC_TO_MASTER,
                                 "purge", 5)
            == NGX_OK)
        {
            sent++;

        } else {
            ngx_log_error(NGX_LOG_NOTICE, r->connection->log, ngx_errno,
                          "messages: none to the master");
        }
    }

    if (ngx_http_messages_arg(r, "break") == 1) {
        ngx_http_messages_break();
    }

    if (ngx_http_messages_arg(r, "linger") == 1) {
        ngx_http_messages_start_linger();
    }

    while (ngx_http_messages_arg(r, "flood") == 1) {
        (void) ngx_ipc_message_send(&ngx_http_messages_type,
                                    NGX_IPC_TO_MASTER, NULL, 0);
    }

    if (ngx_http_messages_arg(r, "ask") == 1
        && ngx_ipc_message_request(&ngx_http_messages_type,
                                   NGX_IPC_TO_WORKER(0), "purge", 5, 100,
                                   ngx_http_messages_outcome, NULL)
           == NGX_OK)
    {
        sent++;
    }

    /* the handler does not reply to a request of 4 bytes */

    if (ngx_http_messages_arg(r, "ask") == 3
        && ngx_ipc_message_request(&ngx_http_messages_type,
                                   NGX_IPC_TO_WORKER(0), "keep", 4, 600000,
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


static char *
ngx_http_messages_set_early(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value = cf->args->elts;

    ngx_http_messages_early = ngx_atoi(value[1].data, value[1].len);

    return NGX_CONF_OK;
}
