
/*
 * Makes the page of the directive ngx_ipc_status.  The page shows the processes
 * of this nginx and the shared counters, in one of several formats.
 */

#ifndef _NGX_IPC_STATUS_H_INCLUDED_
#define _NGX_IPC_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ipc.h>


typedef struct {
    ngx_str_t   name;                  /* the argument of the directive */
    ngx_str_t   content_type;
    ngx_uint_t  number;                /* for ngx_ipc_print_status() */
} ngx_ipc_status_format_t;


/*
 * Makes the page in buffers of the pool.  Returns the buffers, or NULL if there
 * is no memory for them.
 */
ngx_chain_t *ngx_ipc_status(ngx_pool_t *pool,
    const ngx_ipc_status_format_t *format);


/*
 * The formats, an array.  The first format is the default.  The array ends with
 * a format whose name is empty.
 */
extern const ngx_ipc_status_format_t  ngx_ipc_status_formats[];


#endif /* _NGX_IPC_STATUS_H_INCLUDED_ */
