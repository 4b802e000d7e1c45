
#ifndef _NGX_HTTP_IPC_CLIENTS_H_INCLUDED_
#define _NGX_HTTP_IPC_CLIENTS_H_INCLUDED_


#include "ngx_http_ipc.h"
#include "ngx_http_ipc_text.h"


/* A client with ipc_receive. */

typedef struct {
    ngx_queue_t           queue;    /* in the list of the type */
    ngx_queue_t           all;      /* in the list of all clients */
    ngx_http_ipc_type_t  *type;
    ngx_http_request_t   *request;

    /* the request ends in the next event: after an error, or with a whole answer */
    ngx_uint_t            failed;
    ngx_uint_t            ended;

    ngx_http_ipc_text_t   sent;     /* what nginx is sending */
    ngx_http_ipc_text_t   next;     /* what follows it */
    ngx_buf_t             buf;      /* the part of sent that is not sent yet */
} ngx_http_ipc_client_t;


/* Adds a client whose request has begun, or removes one whose request ends. */

void ngx_http_ipc_clients_add(ngx_http_ipc_client_t *client);
void ngx_http_ipc_clients_remove(ngx_http_ipc_client_t *client);

/*
 * Gives nginx the text that follows, if it has sent the text before.  If the result
 * is not NGX_OK, the caller finalizes the request.
 */

ngx_int_t ngx_http_ipc_receive_send(ngx_http_ipc_client_t *client);


#endif /* _NGX_HTTP_IPC_CLIENTS_H_INCLUDED_ */
