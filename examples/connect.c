/* connect PORT: a worker asks the server at 127.0.0.1:PORT, and logs its answer. */
#include <ngx_ipc.h>
#include <netinet/in.h>

static struct sockaddr_in  server = { .sin_family = AF_INET };

static void
ask(ngx_event_t *ev)                    /* the connection is open, or has failed */
{
    ngx_connection_t  *c = ev->data;
    if (c->send(c, (u_char *) "question\n", 9) == 9) { ngx_handle_write_event(ev, 0); }
}
static void
answer(ngx_event_t *ev)                 /* the server has answered, or has gone */
{
    u_char             data[256];
    ngx_connection_t  *c = ev->data;
    ssize_t            n = c->recv(c, data, sizeof(data));

    if (n == NGX_AGAIN && ngx_handle_read_event(ev, 0) == NGX_OK) { return; }

    if (n > 0) { ngx_log_error(NGX_LOG_NOTICE, c->log, 0, "answer: %*s", n, data); }
    ngx_close_connection(c);
}
static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    int                fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    ngx_connection_t  *c = (fd == -1) ? NULL : ngx_get_connection(fd, cycle->log);

    if (c == NULL) { return NGX_ERROR; }
    c->read->handler = answer;
    c->write->handler = ask;
    /* the call returns at once; if it fails, so does c->recv() */
    (void) connect(fd, (struct sockaddr *) &server, sizeof(server));
    return ngx_handle_read_event(c->read, 0) == NGX_OK
           ? ngx_handle_write_event(c->write, 0) : NGX_ERROR;
}
int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_module_t     module = { NGX_MODULE_V1, .init_process = init_process };
    ngx_module_t    *modules[] = { &module, NULL };

    ngx_ipc_conf_init(&conf);
    conf.modules = modules;
    conf.worker_processes = 1;
    server.sin_port = htons((argc > 1) ? atoi(argv[1]) : 7000);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ngx_ipc_main(&conf, argc, argv);
}
