/*
 * ngx_connection.h: connections and listening sockets.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/connection.rs
 *   src/host/standalone/listening.rs
 *   src/host/standalone/types.rs
 *   include/generator/connection.h
 */

#ifndef _NGX_CONNECTION_H_INCLUDED_
#define _NGX_CONNECTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * The length of the queue of connections that are not accepted yet, see
 * listen(2).
 */
#define NGX_LISTEN_BACKLOG 511

/*
 * Receives at most size bytes.
 *
 * Returns how many were received, 0 if the other side sends no more, NGX_AGAIN
 * if there are none now, or NGX_ERROR.
 */
typedef ptrdiff_t (*ngx_recv_pt)(ngx_connection_t *c, u_char *buf, size_t size);

/*
 * Sends at most size bytes.
 *
 * Returns how many were sent, NGX_AGAIN if none can be sent now, or NGX_ERROR.
 */
typedef ptrdiff_t (*ngx_send_pt)(ngx_connection_t *c, u_char *buf, size_t size);

/* What a program does with a connection that has been accepted. */
typedef void (*ngx_connection_handler_pt)(ngx_connection_t *c);

/* An address that the program listens on. */
struct ngx_listening_s {
    /*
     * "HOST:PORT", where the host is a number, in brackets if it is IPv6, or
     * "unix:PATH".
     */
    const char *address;
    /* A worker calls it for each new connection. */
    ngx_connection_handler_pt handler;
    /* How many connections may wait to be accepted; 0: NGX_LISTEN_BACKLOG. */
    int backlog;
    /* The socket, or -1: the library's. */
    ngx_socket_t fd;
    /* In a worker the connection that accepts, or NULL: the library's. */
    ngx_connection_t *connection;
};

/*
 * Adds a connection with the descriptor s to the event loop, which does not
 * watch it yet.
 *
 * log is for the lines about the connection. Returns NULL, with an emergency
 * in the log, if there is no event loop and none can be made.
 *
 * Safety: log is NULL or a log that is valid as long as the connection.
 *
 * References: nginx's src/core/ngx_connection.c.
 */
ngx_connection_t *ngx_get_connection(ngx_socket_t s, ngx_log_t *log);

/*
 * Removes a connection from the event loop; its descriptor stays open. Does
 * nothing if c is NULL or closed.
 *
 * Safety: c is NULL or comes from this library.
 */
void ngx_free_connection(ngx_connection_t *c);

/*
 * Removes a connection from the event loop and closes its descriptor.
 *
 * If the connection is closed already, the log gets an alert. Does nothing if
 * c is NULL.
 *
 * Safety: c is NULL or comes from this library.
 */
void ngx_close_connection(ngx_connection_t *c);


/* A descriptor that the event loop watches. */
struct ngx_connection_s {
    void               *data;        /* for the program */
    ngx_event_t        *read;
    ngx_event_t        *write;

    ngx_socket_t        fd;          /* -1 after the connection was closed */

    ngx_recv_pt         recv;
    ngx_send_pt         send;

    ngx_listening_t    *listening;   /* that accepted it, or NULL */
    ngx_log_t          *log;
    ngx_pool_t         *pool;        /* for the program */
    ngx_uint_t          number;      /* a serial number, 0 if not accepted */

    unsigned            timedout:1;
    unsigned            error:1;
    unsigned            idle:1;      /* may be closed at a graceful shutdown */
    unsigned            close:1;     /* set then: its read handler closes it */
};


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CONNECTION_H_INCLUDED_ */
