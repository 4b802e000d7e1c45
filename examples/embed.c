/* A larger program runs a server, and shows how its start goes. */
#include <ngx_ipc.h>

static void
greet(ngx_connection_t *c)
{
    (void) c->send(c, (u_char *) "hello\n", 6);
    ngx_close_connection(c);
}

static void
report(ngx_uint_t level, const char *text, void *data)
{
    printf("%s: %s\n", (char *) data,
           level == NGX_LOG_NOTICE ? "the server runs" : text);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = greet };

    ngx_ipc_conf_init(&conf);
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:7000";
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.worker_processes = 1;
    conf.report = report;
    conf.report_data = "embed";

    if (ngx_ipc_main(&conf, 0, NULL) != 0) {
        printf("the program goes on without a server\n");
    }
    return 0;
}
