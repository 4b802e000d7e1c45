/* A descriptor in the event loop. */
struct ngx_connection_s {
    void               *data;        /* for its owner */
    ngx_event_t        *read;
    ngx_event_t        *write;

    ngx_socket_t        fd;          /* -1 once the connection is closed */

    ngx_recv_pt         recv;
    ngx_send_pt         send;

    ngx_listening_t    *listening;   /* where it was accepted, or NULL */
    ngx_log_t          *log;
    ngx_pool_t         *pool;        /* for its owner */
    ngx_uint_t          number;      /* of the accepted ones */

    unsigned            timedout:1;
    unsigned            error:1;
    unsigned            idle:1;      /* a graceful shutdown may close it */
    unsigned            close:1;     /* and has its read handler do so */
};
