/* timeout ADDRESS MSEC: closes connections on which nothing arrives for MSEC ms. */
#include <ngx_ipc.h>
static ngx_msec_t  limit;

static void
receive(ngx_event_t *ev)
{
    u_char             data[256];
    ssize_t            n = NGX_ERROR;
    ngx_connection_t  *c = ev->data;

    while (!ev->timedout && !c->close && (n = c->recv(c, data, sizeof(data))) > 0) {
        (void) c->send(c, data, (size_t) n);
        ngx_add_timer(ev, limit);       /* the time begins again */
    }
    c->idle = 1;                        /* a graceful shutdown need not wait */
    if (n != NGX_AGAIN || ngx_handle_read_event(ev, 0) != NGX_OK) {
        ngx_close_connection(c);        /* this deletes the timer, too */
    }
}
static void
accepted(ngx_connection_t *c)
{
    c->read->handler = receive;
    ngx_add_timer(c->read, limit);
    receive(c->read);
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = accepted };
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:7000";
    limit = (argc > 2) ? atoi(argv[2]) : 5000;
    ngx_ipc_conf_init(&conf);
    conf.listening = &listening;
    conf.listening_n = 1;
    return ngx_ipc_main(&conf, argc, argv);
}
