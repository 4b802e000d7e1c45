/* logs ADDRESS LOG [json]: logs each connection; severe lines also go to severe.log. */
#include <ngx_ipc.h>
#include <fcntl.h>

/* Gets each line. It must be async-signal-safe, because signal handlers log. */
static void
severe(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    int  *fd = log->wdata;

    if (level <= NGX_LOG_ERR && write(*fd, buf, len) == -1) {
        *fd = -1;
    }
}

static void
greet(ngx_connection_t *c)
{
    ngx_log_error(NGX_LOG_ERR, c->log, 0, "a \"client\" has connected");
    ngx_close_connection(c);
}

int
main(int argc, char **argv)
{
    int              fd = open("severe.log", O_WRONLY|O_CREAT|O_APPEND, 0644);
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = greet };

    listening.address = argv[1];

    ngx_ipc_conf_init(&conf);
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.error_log = argv[2];
    conf.log_writer = severe;
    conf.log_writer_data = &fd;
    conf.log_json = (argc > 3);
    return ngx_ipc_main(&conf, argc, argv);
}
