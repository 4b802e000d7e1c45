
/*
 * Makes the page of the directive ipc_status.  The page shows the processes of
 * this nginx and the shared counters, in one of several formats.
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


/* In place of a number: the page for people, which does not depend on nginx. */

#define NGX_IPC_STATUS_HTML  NGX_MAX_UINT32_VALUE


/*
 * Makes the page in buffers of the pool.  Returns the buffers, or NULL if there
 * is no memory for them.
 */
ngx_chain_t *ngx_ipc_status(ngx_pool_t *pool,
    const ngx_ipc_status_format_t *format);


/*
 * The formats, an array that ends with a format whose name is empty, and the
 * indices of two of them.
 */
extern const ngx_ipc_status_format_t  ngx_ipc_status_formats[];

#define NGX_IPC_STATUS_FORMAT_TEXT  0
#define NGX_IPC_STATUS_FORMAT_HTML  3

/* What the page for people asks for; no argument of the directive. */

extern const ngx_ipc_status_format_t  ngx_ipc_status_summary;


/*
 * The page for people, and its Content-Security-Policy.  c-tests/checks/page.py makes
 * ngx_ipc_status_page.c from page.html.
 */
extern const ngx_str_t  ngx_ipc_status_page;
extern const ngx_str_t  ngx_ipc_status_policy;


#endif /* _NGX_IPC_STATUS_H_INCLUDED_ */
