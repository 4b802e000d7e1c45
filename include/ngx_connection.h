/*
 * ngx_connection.h: a descriptor and its events.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Made by build.rs of src/abi/connection.rs: edit that, then "make headers".
 */

#ifndef _NGX_CONNECTION_H_INCLUDED_
#define _NGX_CONNECTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* A descriptor in the event loop. */
struct ngx_connection_s {
    /* For its owner. */
    void *data;
    /* Its read event. */
    ngx_event_t *read;
    /* Its write event. */
    ngx_event_t *write;
    /* The descriptor; -1 once the connection is closed. */
    ngx_socket_t fd;
    /* Where its events are logged. */
    ngx_log_t *log;
    /* For its owner. */
    ngx_pool_t *pool;
};

/*
 * Makes a connection of s, which the loop does not watch yet.
 *
 * Returns NULL, with an alert in the log, if there is no event loop.
 *
 * Safety: log is NULL or a log that is valid as long as the connection.
 *
 * References: nginx's src/core/ngx_connection.c.
 */
ngx_connection_t *ngx_get_connection(ngx_socket_t s, ngx_log_t *log);

/*
 * Has the loop forget a connection; its descriptor stays open.
 *
 * Safety: c is NULL or comes from this library.
 */
void ngx_free_connection(ngx_connection_t *c);

/*
 * Has the loop forget a connection and closes its descriptor.
 *
 * Safety: c is NULL or comes from this library.
 */
void ngx_close_connection(ngx_connection_t *c);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CONNECTION_H_INCLUDED_ */
