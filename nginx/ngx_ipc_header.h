
/* A header of a request, for the modules in messages/ and status/. */

#ifndef _NGX_IPC_HEADER_H_INCLUDED_
#define _NGX_IPC_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Returns the value of the first header with this name, or NULL. */

static ngx_inline ngx_str_t *
ngx_ipc_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len == len
                && ngx_strncasecmp(header[i].key.data, (u_char *) name, len)
                   == 0)
            {
                return &header[i].value;
            }
        }
    }

    return NULL;
}


#endif /* _NGX_IPC_HEADER_H_INCLUDED_ */
