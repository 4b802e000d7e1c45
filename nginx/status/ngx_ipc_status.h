
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


typedef struct ngx_ipc_status_page_s  ngx_ipc_status_page_t;

/*
 * A number that the page shows: a field of a structure, an ngx_int_t or an
 * ngx_uint_t.
 */

typedef struct {
    const char  *name;        /* in text and JSON */
    const char  *metric;      /* for Prometheus, after "ngx_ipc_"; or NULL */
    const char  *type;
    const char  *help;
    size_t       offset;
} ngx_ipc_status_number_t;

#define ngx_ipc_status_n(table)  (sizeof(table) / sizeof((table)[0]))


typedef struct {
    ngx_str_t   name;                  /* the argument of the directive */
    ngx_str_t   content_type;
    void      (*write)(ngx_buf_t *b, ngx_ipc_status_page_t *page);
} ngx_ipc_status_format_t;


/*
 * Makes the page in a buffer of the pool.  Returns the buffer, or NULL if there
 * is no memory for it.
 */
ngx_buf_t *ngx_ipc_status(ngx_pool_t *pool,
    const ngx_ipc_status_format_t *format);


/* Functions for the parts of the page. */

void ngx_ipc_status_print(ngx_buf_t *b, const char *fmt, ...);
ngx_int_t ngx_ipc_status_value(void *data,
    const ngx_ipc_status_number_t *number);

const char *ngx_ipc_status_role(ngx_ipc_process_t *process);

/*
 * Writes the two lines that come before a metric in the format of Prometheus.
 */
void ngx_ipc_status_metric(ngx_buf_t *b,
    const ngx_ipc_status_number_t *number);


/*
 * The formats, an array.  The first format is the default.  The array ends with
 * a format whose name is empty.
 */
extern const ngx_ipc_status_format_t  ngx_ipc_status_formats[];


#endif /* _NGX_IPC_STATUS_H_INCLUDED_ */
