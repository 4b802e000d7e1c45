
#ifndef _NGX_IPC_ZONE_CONTENT_H_INCLUDED_
#define _NGX_IPC_ZONE_CONTENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what is in a zone */

typedef enum {
    NGX_IPC_NOT_KEPT = 0,
    NGX_IPC_LIMIT_REQ,
    NGX_IPC_SSL_SESSIONS,
    NGX_IPC_CACHE
} ngx_ipc_kind_e;


/*
 * Whether the structure of a zone that its module has just initialized is as
 * ngx_ipc_zone_content() expects it.  Remembers the zone for this function.
 */

ngx_uint_t ngx_ipc_zone_is_known(ngx_shm_t *shm, ngx_ipc_kind_e kind);


#endif /* _NGX_IPC_ZONE_CONTENT_H_INCLUDED_ */
