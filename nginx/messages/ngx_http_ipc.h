
#ifndef _NGX_HTTP_IPC_H_INCLUDED_
#define _NGX_HTTP_IPC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>


/* A type of messages that locations publish or receive. */

typedef struct ngx_http_ipc_type_s  ngx_http_ipc_type_t;

struct ngx_http_ipc_type_s {
    ngx_ipc_message_type_t   message;

    /* the clients of this process that receive the type */
    ngx_queue_t              clients;
    ngx_uint_t               n;

    ngx_http_ipc_type_t     *next;
};


typedef enum {
    NGX_HTTP_IPC_TO_ALL,
    NGX_HTTP_IPC_TO_OTHERS,
    NGX_HTTP_IPC_TO_EXACTLY_ONE,
    NGX_HTTP_IPC_TO_WORKER
} ngx_http_ipc_to_e;


typedef struct {
    ngx_http_ipc_type_t     *type;      /* NULL: the location has no directive */
    ngx_http_ipc_to_e        to;
    ngx_msec_t               timeout;
    ngx_uint_t               any;       /* a client need not be on this machine */
} ngx_http_ipc_loc_conf_t;


/* The handlers of locations. */

ngx_int_t ngx_http_ipc_publish_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ipc_receive_handler(ngx_http_request_t *r);

/* Handles a message of a location's type. */

void ngx_http_ipc_message_handler(ngx_ipc_message_t *m);

/* Refuses a client of another machine, unless the directive has from=any. */

ngx_int_t ngx_http_ipc_access(ngx_http_request_t *r);


extern ngx_module_t  ngx_http_ipc_module;


#endif /* _NGX_HTTP_IPC_H_INCLUDED_ */
