
/*
 * The text of server-sent events, for ipc_receive.  An event is the lines of a message,
 * each after "data: ", and an empty line.
 */


#include "ngx_http_ipc.h"
#include "ngx_http_ipc_text.h"


ngx_int_t
ngx_http_ipc_text_add(ngx_http_ipc_text_t *text, const void *data, size_t len,
    ngx_log_t *log)
{
    size_t   room;
    u_char  *p;

    if (text->room - text->len < len) {
        room = ngx_max(2 * text->room, text->len + len);
        room = ngx_max(room, 512);

        p = ngx_alloc(room, log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (text->data) {
            ngx_memcpy(p, text->data, text->len);
            ngx_free(text->data);
        }

        text->data = p;
        text->room = room;
    }

    ngx_memcpy(text->data + text->len, data, len);
    text->len += len;

    return NGX_OK;
}


/*
 * A line of a message ends with LF, CR or both.  Another process can change the
 * bytes at any time, so each is read once.
 */

ngx_int_t
ngx_http_ipc_text_add_event(ngx_http_ipc_text_t *text, u_char *p, size_t len,
    ngx_log_t *log)
{
    u_char  *copy, *line, *last;

    copy = ngx_alloc(len + 1, log);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, p, len);

    p = copy;
    last = copy + len;

    for ( ;; ) {
        line = p;

        while (p < last && *p != LF && *p != CR) {
            p++;
        }

        if (ngx_http_ipc_text_add(text, "data: ", 6, log) != NGX_OK
            || ngx_http_ipc_text_add(text, line, p - line, log) != NGX_OK
            || ngx_http_ipc_text_add(text, "\n", 1, log) != NGX_OK)
        {
            goto failed;
        }

        if (p == last) {
            break;
        }

        if (*p == CR && p + 1 < last && p[1] == LF) {
            p++;
        }

        p++;
    }

    if (ngx_http_ipc_text_add(text, "\n", 1, log) != NGX_OK) {
        goto failed;
    }

    ngx_free(copy);

    return NGX_OK;

failed:

    ngx_free(copy);

    return NGX_ERROR;
}
