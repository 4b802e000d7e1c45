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
