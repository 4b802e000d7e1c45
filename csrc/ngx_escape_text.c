/* Escapes for HTML and JSON. */

#include <ngx_config.h>
#include <ngx_core.h>


/* Returns the text for a character of HTML, or NULL. */

static const char *
ngx_html_entity(u_char ch)
{
    switch (ch) {

    case '<':
        return "&lt;";

    case '>':
        return "&gt;";

    case '&':
        return "&amp;";

    case '"':
        return "&quot;";

    default:
        return NULL;
    }
}


uintptr_t
ngx_escape_html(u_char *dst, u_char *src, size_t size)
{
    size_t       i;
    uintptr_t    more;
    const char  *entity;

    for (more = 0, i = 0; i < size; i++) {

        entity = ngx_html_entity(src[i]);

        if (dst == NULL) {
            more += entity ? ngx_strlen(entity) - 1 : 0;

        } else if (entity) {
            dst = ngx_cpymem(dst, entity, ngx_strlen(entity));

        } else {
            *dst++ = src[i];
        }
    }

    return dst ? (uintptr_t) dst : more;
}


/*
 * Returns the character behind the backslash, with which JSON escapes a
 * character; 0 if the character is not escaped.
 */

static u_char
ngx_json_escape(u_char ch)
{
    switch (ch) {

    case '"':
    case '\\':
        return ch;

    case '\n':
        return 'n';

    case '\r':
        return 'r';

    case '\t':
        return 't';

    case '\b':
        return 'b';

    case '\f':
        return 'f';

    default:
        return (ch < ' ') ? 'u' : 0;
    }
}


uintptr_t
ngx_escape_json(u_char *dst, u_char *src, size_t size)
{
    size_t             i;
    u_char             escape;
    uintptr_t          more;
    static const char  digits[] = "0123456789ABCDEF";

    for (more = 0, i = 0; i < size; i++) {

        escape = ngx_json_escape(src[i]);

        if (dst == NULL) {
            more += (escape == 'u') ? 5 : (escape != 0);
            continue;
        }

        if (escape == 0) {
            *dst++ = src[i];
            continue;
        }

        *dst++ = '\\';
        *dst++ = escape;

        if (escape == 'u') {
            *dst++ = '0';
            *dst++ = '0';
            *dst++ = (u_char) digits[src[i] >> 4];
            *dst++ = (u_char) digits[src[i] & 0xf];
        }
    }

    return dst ? (uintptr_t) dst : more;
}
