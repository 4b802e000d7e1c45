
#ifndef _NGX_HTTP_IPC_TEXT_H_INCLUDED_
#define _NGX_HTTP_IPC_TEXT_H_INCLUDED_


/* Text that grows. */

typedef struct {
    u_char               *data;
    size_t                len;
    size_t                room;
} ngx_http_ipc_text_t;


/* Adds len bytes. */

ngx_int_t ngx_http_ipc_text_add(ngx_http_ipc_text_t *text, const void *data,
    size_t len, ngx_log_t *log);

/* Adds a message as an event. */

ngx_int_t ngx_http_ipc_text_add_event(ngx_http_ipc_text_t *text, u_char *p,
    size_t len, ngx_log_t *log);


#endif /* _NGX_HTTP_IPC_TEXT_H_INCLUDED_ */
