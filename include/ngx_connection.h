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
 * The default length of the queue of connections that are not accepted yet,
 * see listen(2).
 */
#define NGX_LISTEN_BACKLOG 511

/*
 * Receives at most size bytes from a connection.
 *
 * Returns the number of bytes received, 0 if the other side sends no more,
 * NGX_AGAIN if no byte has arrived yet, or NGX_ERROR.
 */
typedef ptrdiff_t (*ngx_recv_pt)(ngx_connection_t *c, u_char *buf, size_t size);

/*
 * Sends at most size bytes on a connection.
 *
 * Returns the number of bytes sent, NGX_AGAIN if the socket buffer is full, or
 * NGX_ERROR.
 */
typedef ptrdiff_t (*ngx_send_pt)(ngx_connection_t *c, u_char *buf, size_t size);

/* A function of the program that a worker calls for each new connection. */
typedef void (*ngx_connection_handler_pt)(ngx_connection_t *c);

/* An address on which the program listens. */
struct ngx_listening_s {
    /*
     * The address: "IPV4:PORT", "[IPv6 address]:PORT", "*:PORT", ":PORT", "PORT",
     * "unix:PATH", "unix:@NAME" for a Unix socket that has no file, "fd:NUMBER"
     * for a descriptor that is open already, or "fdname:NAME" for the sockets that
     * the service manager has opened with this name, sd_listen_fds(3).
     */
    const char *address;
    /* The function that a worker calls for each new connection. */
    ngx_connection_handler_pt handler;
    /*
     * The largest number of connections that wait to be accepted; 0:
     * NGX_LISTEN_BACKLOG.
     */
    int backlog;
    /* The socket, or -1. Only the library sets the field. */
    ngx_socket_t fd;
    /*
     * In a worker, the connection that accepts from the socket, or NULL. Only
     * the library sets the field.
     */
    ngx_connection_t *connection;
    /*
     * Whether an IPv6 socket accepts IPv6 only, IPV6_V6ONLY of ipv6(7). 0 or 1:
     * IPv6 only; -1: IPv4 too.
     */
    ngx_flag_t ipv6only;
    /*
     * The port of the socket, which the kernel has chosen if the port in the
     * address is 0. 0: the socket is a Unix socket, or is not open. Only the
     * library sets the field.
     */
    ngx_uint_t port;
    /*
     * 1: each worker has a socket of its own with this address, SO_REUSEPORT of
     * socket(7), and the kernel distributes the connections; 0: all workers
     * share one socket. Unix sockets ignore the field.
     */
    ngx_flag_t reuseport;
    /*
     * The number of the socket among those of the address, from 0. With
     * reuseport, the worker with this number accepts from it; if there are fewer
     * workers, the worker with the remainder of the division by their number.
     * Only the library sets the field.
     */
    ngx_uint_t worker;
    /*
     * The type of the socket, see socket(2). 0 or SOCK_STREAM: the handler gets a
     * connection for each client; SOCK_DGRAM: it gets one for each datagram.
     */
    ngx_int_t type;
    /*
     * The permissions of a Unix socket's file, such as 0660; 0: 0666. The file has
     * them whatever the umask is.
     */
    ngx_uint_t mode;
    /* The owner of a Unix socket's file; NULL: the user of the master. */
    const char *username;
    /* The group of a Unix socket's file; NULL: the group of the master. */
    const char *groupname;
    /*
     * The address of the socket, getsockname(2); NULL if the socket is not open.
     * Only the library sets the field.
     */
    struct sockaddr *sockaddr;
    /* The address as text, such as "127.0.0.1:80". Only the library sets the field. */
    ngx_str_t addr_text;
    /* The log of the cycle. Only the library sets the field. */
    ngx_log_t *logp;
    /* The length of sockaddr in bytes. Only the library sets the field. */
    socklen_t socklen;
    /* Whether the socket is open. Only the library sets the field. */
    unsigned int open;
    /*
     * Whether listen(2) was called. Only the library sets the field, and a module that
     * adds a socket of its own to a cycle.
     */
    unsigned int listen;
    /* Unused: the library makes no texts of the addresses of clients. */
    unsigned int addr_ntop;
    /*
     * NULL. In nginx it is the same socket in the cycle before, which is freed when the
     * reload is complete.
     */
    ngx_listening_t *previous;
};

/*
 * Makes a connection with the descriptor s and adds it to the event loop.
 * The event loop does not watch the descriptor until ngx_handle_read_event()
 * or ngx_handle_write_event() is called.
 *
 * Lines about the connection are written to log. Returns the connection, or
 * NULL, with an emergency in the log, if there is no memory, or if the process
 * has no event loop and none can be made.
 *
 * Safety: log is NULL or a log that is valid as long as the connection.
 *
 * References: nginx's src/core/ngx_connection.c.
 */
ngx_connection_t *ngx_get_connection(ngx_socket_t s, ngx_log_t *log);

/*
 * Removes a connection from the event loop. The descriptor stays open. Does
 * nothing if c is NULL or closed.
 *
 * Safety: c is NULL or a connection.
 */
void ngx_free_connection(ngx_connection_t *c);

/*
 * Closes the listening sockets of a cycle in this process, and forgets them:
 * cycle->listening has no elements afterwards. A master or a single process
 * removes the files of its Unix sockets.
 *
 * Safety: cycle is NULL or a valid cycle.
 *
 * References: nginx's src/core/ngx_connection.c.
 */
void ngx_close_listening_sockets(ngx_cycle_t *cycle);

/*
 * Removes a connection from the event loop and closes its descriptor.
 *
 * If the connection is closed already, an alert is logged. Does nothing if c
 * is NULL.
 *
 * Safety: c is NULL or a connection.
 */
void ngx_close_connection(ngx_connection_t *c);


/* The size of the library's own part of a connection. */
#define NGX_IPC_CONNECTION_WORDS  40

/* A descriptor that the event loop watches. */
struct ngx_connection_s {
    void               *data;        /* for the program to use */
    ngx_event_t        *read;
    ngx_event_t        *write;

    ngx_socket_t        fd;          /* -1 after the connection was closed */

    ngx_recv_pt         recv;
    ngx_send_pt         send;

    ngx_listening_t    *listening;   /* NULL if it was not accepted */
    ngx_log_t          *log;
    ngx_pool_t         *pool;        /* for the program to use */
    ngx_uint_t          number;      /* a serial number, 0 if not accepted */

    unsigned            timedout:1;
    unsigned            error:1;
    unsigned            idle:1;      /* a graceful shutdown can close it */
    unsigned            close:1;     /* makes the read handler close it */
    unsigned            shared:1;    /* fd is that of the listening socket */

    struct sockaddr    *sockaddr;    /* the sender of a datagram, else NULL */
    socklen_t           socklen;     /* the length of sockaddr in bytes */

    /* only the library uses this member */
    uintptr_t           ipc[NGX_IPC_CONNECTION_WORDS];
};


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CONNECTION_H_INCLUDED_ */
