
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

#define ECHO_BUFFER  4096


typedef struct {
    size_t  start;    /* what is between start and end is still to be sent */
    size_t  end;
    u_char  data[ECHO_BUFFER];
} echo_t;


static void
echo_close(ngx_connection_t *c)
{
    ngx_counters_add(active, -1);
    free(c->data);
    ngx_close_connection(c);
}


static void
echo_handler(ngx_event_t *ev)
{
    ssize_t            n;
    echo_t            *e;
    ngx_connection_t  *c;

    c = ev->data;
    e = c->data;

    for ( ;; ) {
        while (e->start < e->end) {
            n = c->send(c, e->data + e->start, e->end - e->start);

            if (n == NGX_ERROR || c->error) {
                echo_close(c);
                return;
            }

            if (n == NGX_AGAIN) {
                /* read on when the other side has taken what it got */
                if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
                    echo_close(c);
                }
                return;
            }

            e->start += (size_t) n;
        }

        /* nothing is owed to the client: a worker that quits may close now */

        if (c->close) {
            echo_close(c);
            return;
        }

        n = c->recv(c, e->data, ECHO_BUFFER);

        if (n == NGX_AGAIN) {
            c->idle = 1;
            if (ngx_handle_write_event(c->write, 0) != NGX_OK
                || ngx_handle_read_event(c->read, 0) != NGX_OK)
            {
                echo_close(c);
            }
            return;
        }

        if (n <= 0) {
            echo_close(c);
            return;
        }

        c->idle = 0;
        e->start = 0;
        e->end = (size_t) n;
        ngx_counters_add(requests, 1);
    }
}


static void
echo_accept(ngx_connection_t *c)
{
    c->data = calloc(1, sizeof(echo_t));

    ngx_counters_add(accepted, 1);

    if (c->data == NULL) {
        ngx_close_connection(c);
        return;
    }

    ngx_counters_add(handled, 1);
    ngx_counters_add(active, 1);

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
    ngx_listening_t  listening;

    ngx_ipc_conf_init(&conf);
    ngx_memzero(&listening, sizeof(ngx_listening_t));

    conf.name = "echo";
    conf.modules = modules;
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.status_signal = SIGTTIN;
    listening.handler = echo_accept;

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

    if (command != NULL) {
        return ngx_ipc_signal(&conf, command);
    }

    listening.address = argv[optind];

    return ngx_ipc_main(&conf, argc, argv);
}
