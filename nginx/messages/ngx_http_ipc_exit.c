
/*
 * Tells the parts of this module that the worker begins to exit.  nginx has no hook for
 * this, but it calls the handlers of idle connections.
 */


#include "ngx_http_ipc.h"


static void ngx_http_ipc_exit_handler(ngx_event_t *ev);


/* an idle connection without a descriptor */

static ngx_connection_t  *ngx_http_ipc_exit_idle;


ngx_int_t
ngx_http_ipc_exit_watch(void)
{
    ngx_connection_t  *c;

    if (ngx_http_ipc_exit_idle || ngx_exiting) {
        return NGX_OK;
    }

    c = ngx_get_connection(0, ngx_cycle->log);
    if (c == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    /* no descriptor, and not the value of a free connection */

    c->fd = (ngx_socket_t) -2;
    c->idle = 1;
    c->data = NULL;
    c->read->log = ngx_cycle->log;
    c->read->handler = ngx_http_ipc_exit_handler;
    c->write->log = ngx_cycle->log;

    ngx_http_ipc_exit_idle = c;

    return NGX_OK;
}


static void
ngx_http_ipc_exit_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c = ev->data;

    if (!c->close || c != ngx_http_ipc_exit_idle) {
        return;
    }

    ngx_http_ipc_exit_idle = NULL;

    /* with poll, nginx looks for the descriptor in an array */

    c->fd = 0;
    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
    c->idle = 0;

    ngx_http_ipc_clients_quit();
    ngx_http_ipc_queue_quit();
}
