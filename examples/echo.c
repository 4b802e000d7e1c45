
/*
 * A prefork TCP echo server: a master, workers that share a listening socket,
 * reload, graceful quit, binary upgrade, counters in shared memory.
 *
 *   echo [-d] [-p PIDFILE] [-l LOGFILE] [-w WORKERS] ADDRESS
 *   echo -p PIDFILE -s reload|reopen|quit|stop
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include "ngx_counters_module.h"


typedef struct {
    size_t  start;      /* data[start] is the next byte to send */
    size_t  end;        /* data[end - 1] is the last byte to send */
    u_char  data[4096];
} echo_t;


static void
echo_close(ngx_connection_t *c)
{
    ngx_counters_change(active, -1);
    free(c->data);
    ngx_close_connection(c);
}


/* Returns NGX_OK: all is sent; NGX_AGAIN: the socket is full; or NGX_ERROR. */

static ngx_int_t
echo_send(ngx_connection_t *c, echo_t *e)
{
    ssize_t  n;

    while (e->start < e->end) {
        n = c->send(c, e->data + e->start, e->end - e->start);

        if (n < 0) {
            return n;
        }

        e->start += (size_t) n;
    }

    return NGX_OK;
}


static ngx_int_t
echo_recv(ngx_connection_t *c, echo_t *e)
{
    ssize_t  n;

    n = c->recv(c, e->data, sizeof(e->data));

    if (n > 0) {
        e->start = 0;
        e->end = (size_t) n;
        ngx_counters_count(requests);
        return NGX_OK;
    }

    return (n == NGX_AGAIN) ? NGX_AGAIN : NGX_ERROR;
}


static void
echo_handler(ngx_event_t *ev)
{
    ngx_int_t          rc;
    ngx_connection_t  *c = ev->data;

    do {
        c->idle = 0;
        rc = echo_send(c, c->data);

        if (rc == NGX_OK) {
            /* at a graceful shutdown, c->close is set: answer what has arrived */
            rc = (c->read->ready || c->close) ? echo_recv(c, c->data) : NGX_AGAIN;

            /* a graceful shutdown may close c: there is nothing to do */
            c->idle = (rc == NGX_AGAIN);
        }
    } while (rc == NGX_OK);

    if (rc == NGX_ERROR
        || (c->close && c->idle)
        || c->error
        || ngx_handle_read_event(c->read, 0) != NGX_OK
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        echo_close(c);
    }
}


static void
echo_accept(ngx_connection_t *c)
{
    ngx_counters_count(accepted);

    c->data = calloc(1, sizeof(echo_t));
    if (c->data == NULL) {
        ngx_close_connection(c);
        return;
    }

    ngx_counters_count(handled);
    ngx_counters_change(active, 1);

    c->read->handler = echo_handler;
    c->write->handler = echo_handler;
    echo_handler(c->read);
}


int
main(int argc, char **argv)
{
    int              option;
    char            *command = NULL;
    ngx_module_t    *modules[] = { &ngx_counters_module, NULL };
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = echo_accept };

    ngx_ipc_conf_init(&conf);
    conf.name = "echo";
    conf.modules = modules;
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.status_signal = SIGTTIN;

    while ((option = getopt(argc, argv, "dp:l:w:s:")) != -1) {
        switch (option) {
        case 'd': conf.daemon = 1; break;
        case 'p': conf.pid = optarg; break;
        case 'l': conf.error_log = optarg; break;
        case 'w': conf.worker_processes = atoi(optarg); break;
        case 's': command = optarg; break;
        default: return 2;
        }
    }

    listening.address = argv[optind];

    return command ? ngx_ipc_signal(&conf, command)
                   : ngx_ipc_main(&conf, argc, argv);
}
