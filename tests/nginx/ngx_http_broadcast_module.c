
/*
 * A module for tests/nginx/messages_counts.rs: each request makes its worker
 * broadcast a number to the other workers, also to those of older generations
 * and of another binary.  An nginx on ngx-ipc does so with
 * ngx_ipc_message_broadcast(), a stock nginx with ngx_write_channel() on the
 * channels of its process table.  Directives:
 *
 *   broadcast              for a location; the answer is the pid of the worker
 *   broadcast_ledger PATH  for the http block: the file to which all workers add
 *                          lines
 *
 * The lines begin with the pid of the worker:
 *
 *   PID up                 the worker handles broadcasts from now on
 *   PID try NUMBER         the worker is about to broadcast
 *   PID sent NUMBER N      it has sent the number to N workers
 *   PID got SENDER NUMBER  it has received a number
 *   PID gap CAUSE COUNT    COUNT messages are lost; PID can be a master
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_channel.h>

#if (NGX_IPC)
#include <ngx_ipc_message.h>
#endif


typedef struct {
    ngx_pid_t   pid;
    ngx_uint_t  number;
} ngx_http_broadcast_t;


static ngx_int_t ngx_http_broadcast_open(void);
static char *ngx_http_broadcast(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_broadcast_ledger(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_broadcast_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_broadcast_init_process(ngx_cycle_t *cycle);


static ngx_str_t   ngx_http_broadcast_path;
static ngx_fd_t    ngx_http_broadcast_fd = NGX_INVALID_FILE;
static ngx_uint_t  ngx_http_broadcast_number;


static ngx_command_t  ngx_http_broadcast_commands[] = {

    { ngx_string("broadcast"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_broadcast,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("broadcast_ledger"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_broadcast_ledger,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_broadcast_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_broadcast_module = {
    NGX_MODULE_V1,
    &ngx_http_broadcast_module_ctx,        /* module context */
    ngx_http_broadcast_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_broadcast_init_module,        /* init module */
    ngx_http_broadcast_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx's configure writes these variables for a dynamic module. */

ngx_module_t  *ngx_modules[] = { &ngx_http_broadcast_module, NULL };
char          *ngx_module_names[] = { "ngx_http_broadcast_module", NULL };
char          *ngx_module_order[] = { NULL };


/* Adds a line to the ledger with one write(), so that lines are not mixed. */

static void
ngx_http_broadcast_note(const char *what, ngx_uint_t n, ngx_int_t first,
    ngx_int_t second)
{
    u_char  *p, line[128];

    p = ngx_sprintf(line, "%P %s", ngx_pid, what);

    if (n > 0) {
        p = ngx_sprintf(p, " %i", first);
    }

    if (n > 1) {
        p = ngx_sprintf(p, " %i", second);
    }

    *p++ = '\n';

    if (ngx_write_fd(ngx_http_broadcast_fd, line, p - line) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "no line in the ledger");
    }
}


#if (NGX_IPC)

static void
ngx_http_broadcast_got(ngx_ipc_message_t *m)
{
    ngx_http_broadcast_t  *b = m->data;

    ngx_http_broadcast_note("got", 2, b->pid, b->number);
}


static ngx_ipc_message_type_t  ngx_http_broadcast_type = {
    "broadcast_test", ngx_http_broadcast_got, NULL, 0, 0
};


static void
ngx_http_broadcast_gap(void *data, const ngx_ipc_gap_t *gap)
{
    if (ngx_process == NGX_PROCESS_WORKER) {
        ngx_http_broadcast_note("gap", 2, gap->cause, gap->count);

    } else if (ngx_process == NGX_PROCESS_MASTER
               && ngx_http_broadcast_open() == NGX_OK)
    {
        ngx_http_broadcast_note("gap", 2, gap->cause, gap->count);

        (void) close(ngx_http_broadcast_fd);
        ngx_http_broadcast_fd = NGX_INVALID_FILE;
    }
}


static ngx_ipc_message_watch_t  ngx_http_broadcast_watch = {
    NULL, NULL, NULL, ngx_http_broadcast_gap, NULL
};


static ngx_int_t
ngx_http_broadcast_init_module(ngx_cycle_t *cycle)
{
    if (ngx_ipc_message_watch(&ngx_http_broadcast_watch) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ipc_message_register(&ngx_http_broadcast_type);
}


static ngx_int_t
ngx_http_broadcast_start(ngx_cycle_t *cycle)
{
    ngx_http_broadcast_note("up", 0, 0, 0);

    return NGX_OK;
}


static ngx_int_t
ngx_http_broadcast_send(ngx_http_broadcast_t *b)
{
    return ngx_ipc_message_broadcast(&ngx_http_broadcast_type,
                                     NGX_IPC_WORKERS|NGX_IPC_ALL_GENERATIONS,
                                     b, sizeof(ngx_http_broadcast_t));
}

#else

#define NGX_HTTP_BROADCAST_CMD  100


static ngx_event_t       ngx_http_broadcast_timer;
static ngx_connection_t  ngx_http_broadcast_dumb;


/* Handles all commands of a channel, because it replaces nginx's handler. */

static void
ngx_http_broadcast_channel(ngx_event_t *ev)
{
    ngx_int_t          n;
    ngx_channel_t      ch;
    ngx_connection_t  *c = ev->data;

    while ((n = ngx_read_channel(c->fd, &ch, sizeof(ch), ev->log)) > 0) {

        if (ch.command == NGX_HTTP_BROADCAST_CMD) {
            ngx_http_broadcast_note("got", 2, ch.pid, ch.slot);

        } else if (ch.command == NGX_CMD_QUIT) {
            ngx_quit = 1;

        } else if (ch.command == NGX_CMD_TERMINATE) {
            ngx_terminate = 1;

        } else if (ch.command == NGX_CMD_REOPEN) {
            ngx_reopen = 1;

        } else if (ch.command == NGX_CMD_OPEN_CHANNEL) {
            ngx_processes[ch.slot].pid = ch.pid;
            ngx_processes[ch.slot].channel[0] = ch.fd;

        } else if (ch.command == NGX_CMD_CLOSE_CHANNEL) {
            (void) close(ngx_processes[ch.slot].channel[0]);
            ngx_processes[ch.slot].channel[0] = -1;
        }
    }

    if (n == NGX_ERROR) {
        ngx_close_connection(c);
    }
}


/* nginx has added the channel to its event loop after init_process. */

static void
ngx_http_broadcast_hook(ngx_event_t *ev)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = ngx_cycle->connections;

    for (i = 0; i < ngx_cycle->connection_n; i++) {
        if (c[i].fd == ngx_channel && c[i].read->channel) {
            c[i].read->handler = ngx_http_broadcast_channel;
            ngx_http_broadcast_note("up", 0, 0, 0);
        }
    }
}


static ngx_int_t
ngx_http_broadcast_init_module(ngx_cycle_t *cycle)
{
    return NGX_OK;
}


static ngx_int_t
ngx_http_broadcast_start(ngx_cycle_t *cycle)
{
    ngx_http_broadcast_dumb.fd = (ngx_socket_t) -1;

    ngx_http_broadcast_timer.handler = ngx_http_broadcast_hook;
    ngx_http_broadcast_timer.data = &ngx_http_broadcast_dumb;
    ngx_http_broadcast_timer.log = cycle->log;

    ngx_add_timer(&ngx_http_broadcast_timer, 0);

    return NGX_OK;
}


static ngx_int_t
ngx_http_broadcast_send(ngx_http_broadcast_t *b)
{
    ngx_int_t      i, sent;
    ngx_channel_t  ch;

    ngx_memzero(&ch, sizeof(ngx_channel_t));

    ch.command = NGX_HTTP_BROADCAST_CMD;
    ch.pid = b->pid;
    ch.slot = b->number;
    ch.fd = -1;
    sent = 0;

    /* a worker does not raise ngx_last_process when it learns of others */

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {

        if (i == ngx_process_slot
            || ngx_processes[i].pid <= 0
            || ngx_processes[i].channel[0] <= 0)
        {
            continue;
        }

        if (ngx_write_channel(ngx_processes[i].channel[0], &ch, sizeof(ch),
                              ngx_cycle->log)
            == NGX_OK)
        {
            sent++;
        }
    }

    return sent;
}

#endif


static ngx_int_t
ngx_http_broadcast_init_process(ngx_cycle_t *cycle)
{
    if (ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }

    if (ngx_http_broadcast_open() != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_broadcast_start(cycle);
}


static ngx_int_t
ngx_http_broadcast_open(void)
{
    ngx_http_broadcast_fd = ngx_open_file(ngx_http_broadcast_path.data,
                                          NGX_FILE_APPEND,
                                          NGX_FILE_CREATE_OR_OPEN, 0644);

    return (ngx_http_broadcast_fd == NGX_INVALID_FILE) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_broadcast_handler(ngx_http_request_t *r)
{
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_http_broadcast_t      b;
    ngx_http_complex_value_t  cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cv.value.len = ngx_sprintf(cv.value.data, "%P", ngx_pid) - cv.value.data;

    b.pid = ngx_pid;
    b.number = ++ngx_http_broadcast_number;

    ngx_http_broadcast_note("try", 1, b.number, 0);
    ngx_http_broadcast_note("sent", 2, b.number, ngx_http_broadcast_send(&b));

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static char *
ngx_http_broadcast(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_broadcast_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_broadcast_ledger(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value = cf->args->elts;

    ngx_http_broadcast_path = value[1];

    return NGX_CONF_OK;
}
