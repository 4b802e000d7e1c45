
/*
 * Makes the page of ipc_status.  The library writes the page; the counters
 * that all processes share are rows of a table in this file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include "ngx_counters_module.h"
#include "ngx_ipc_status.h"


/* The size of a buffer.  It has room for several lines of the page. */

#define NGX_IPC_STATUS_BUFFER  16384


typedef struct {
    ngx_pool_t   *pool;
    ngx_chain_t  *first;
    ngx_chain_t  *last;
    ngx_uint_t    failed;
} ngx_ipc_status_page_t;


const ngx_ipc_status_format_t  ngx_ipc_status_formats[] = {

    { ngx_string("text"), ngx_string("text/plain"), NGX_IPC_TEXT },

    { ngx_string("json"), ngx_string("application/json"), NGX_IPC_JSON },

    { ngx_string("prometheus"), ngx_string("text/plain; version=0.0.4"),
      NGX_IPC_PROMETHEUS },

    { ngx_string("html"), ngx_string("text/html; charset=utf-8"),
      NGX_IPC_STATUS_HTML },

    { ngx_null_string, ngx_null_string, 0 }
};


const ngx_ipc_status_format_t  ngx_ipc_status_summary = {
    ngx_string("summary"), ngx_string("application/json"), NGX_IPC_JSON_SUMMARY
};


/* Appends a line to the page.  The library calls this function. */

static void
ngx_ipc_status_print(void *data, const char *text, size_t len)
{
    ngx_ipc_status_page_t  *page = data;

    ngx_chain_t  *cl;

    cl = page->last;

    if (cl == NULL || (size_t) (cl->buf->end - cl->buf->last) < len) {

        cl = ngx_alloc_chain_link(page->pool);
        if (cl == NULL) {
            page->failed = 1;
            return;
        }

        cl->next = NULL;
        cl->buf = ngx_create_temp_buf(page->pool,
                                      ngx_max(len, NGX_IPC_STATUS_BUFFER));
        if (cl->buf == NULL) {
            page->failed = 1;
            return;
        }

        if (page->last) {
            page->last->next = cl;

        } else {
            page->first = cl;
        }

        page->last = cl;
    }

    cl->buf->last = ngx_cpymem(cl->buf->last, text, len);
}


/* Makes a buffer of the page for people, which is in read-only memory. */

static ngx_chain_t *
ngx_ipc_status_html(ngx_pool_t *pool)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(pool);
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->memory = 1;
    b->pos = ngx_ipc_status_page.data;
    b->last = b->pos + ngx_ipc_status_page.len;
    b->start = b->pos;
    b->end = b->last;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


ngx_chain_t *
ngx_ipc_status(ngx_pool_t *pool, const ngx_ipc_status_format_t *format)
{
    ngx_counters_slot_t    sum;
    ngx_ipc_status_page_t  page;

    if (format->number == NGX_IPC_STATUS_HTML) {
        return ngx_ipc_status_html(pool);
    }

    ngx_counters_sum(&sum);

    ngx_ipc_number_t  numbers[] = {

        { "accepted", "ngx_ipc_connections_accepted_total",
          "Connections with at least one request.",
          (ngx_int_t) sum.accepted },

        { "handled", "ngx_ipc_connections_handled_total",
          "The same number: nginx shows modules no other connections.",
          (ngx_int_t) sum.handled },

        { "requests", "ngx_ipc_requests_total",
          "Requests.",
          (ngx_int_t) sum.requests },

        { "active", "ngx_ipc_requests_active",
          "Requests that have not ended.",
          sum.active },

        { "writing", "ngx_ipc_requests_writing",
          "Requests that are being answered.",
          sum.writing }
    };

    ngx_memzero(&page, sizeof(ngx_ipc_status_page_t));
    page.pool = pool;

    if (ngx_ipc_print_status(format->number, numbers,
                             sizeof(numbers) / sizeof(numbers[0]),
                             ngx_ipc_status_print, &page)
        != NGX_OK
        || page.failed)
    {
        return NULL;
    }

    return page.first;
}
