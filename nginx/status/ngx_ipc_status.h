
/*
 * What ngx_ipc_status says, as text, JSON and for Prometheus.
 */

#ifndef _NGX_IPC_STATUS_H_INCLUDED_
#define _NGX_IPC_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_IPC_STATUS_TEXT = 0,
    NGX_IPC_STATUS_JSON,
    NGX_IPC_STATUS_PROMETHEUS
} ngx_ipc_status_format_e;


/* Returns a buffer from the pool with the whole text, or NULL. */
ngx_buf_t *ngx_ipc_status(ngx_pool_t *pool, ngx_uint_t format);


#endif /* _NGX_IPC_STATUS_H_INCLUDED_ */
