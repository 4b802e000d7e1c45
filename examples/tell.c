/* tell ADDRESS: a worker tells all workers and the master what a client sends. */
#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

static void
told(ngx_ipc_message_t *m)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "told: %*s", m->len, m->data);
}
static ngx_ipc_message_type_t  line = { .name = "tell_line", .handler = told };

static void
tell(ngx_event_t *ev)
{
    u_char             data[256];
    ngx_connection_t  *c = ev->data;
    ssize_t            n = c->recv(c, data, sizeof(data));

    if (n == NGX_AGAIN && ngx_handle_read_event(ev, 0) == NGX_OK) { return; }

    if (n > 0) {
        ngx_ipc_message_broadcast(&line, NGX_IPC_WORKERS|NGX_IPC_MASTER|NGX_IPC_SELF,
                                  data, (size_t) n);
    }
    ngx_close_connection(c);
}
static void accepted(ngx_connection_t *c) { c->read->handler = tell; tell(c->read); }

int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = accepted };

    ngx_ipc_conf_init(&conf);
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:7000";
    conf.listening = &listening;
    conf.listening_n = 1;
    return ngx_ipc_message_register(&line) == NGX_OK ? ngx_ipc_main(&conf, argc, argv) : 1;
}
