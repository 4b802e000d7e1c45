/* Percent-encoding of URIs, RFC 3986, and its relatives. */

#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_is_alnum(c)                                                       \
    (((c) >= '0' && (c) <= '9') || ((c) >= 'A' && (c) <= 'Z')                 \
     || ((c) >= 'a' && (c) <= 'z'))

/* characters that no URI may contain */

#define NGX_NO_URI  "\"<>\\^`{|}"


typedef struct {
    const char  *chars;          /* printable characters that are escaped */
    u_char       last;           /* higher bytes are escaped, too */
} ngx_escape_t;


/*
 * For each type of ngx_escape_uri() but NGX_ESCAPE_URI_COMPONENT.  As in nginx,
 * NGX_ESCAPE_REFRESH escapes "~" in place of "}".
 */

static const ngx_escape_t  ngx_escapes[] = {
    { " #%?" NGX_NO_URI, 0x7e },       /* NGX_ESCAPE_URI */
    { " #%?&+;" NGX_NO_URI, 0x7e },    /* NGX_ESCAPE_ARGS */
    { NULL, 0 },
    { " #%'" NGX_NO_URI, 0x7e },       /* NGX_ESCAPE_HTML */
    { " '\"<>\\^`{|~", 0x7e },          /* NGX_ESCAPE_REFRESH */
    { " %", 0xff },                    /* NGX_ESCAPE_MEMCACHED */
    { " %", 0xff },                    /* NGX_ESCAPE_MAIL_AUTH */
    { " +=", 0x7e },                   /* NGX_ESCAPE_MAIL_XTEXT */
};


static ngx_uint_t
ngx_is_escaped(u_char ch, ngx_uint_t type)
{
    if (ngx_is_alnum(ch)) {
        return 0;
    }

    if (type == NGX_ESCAPE_URI_COMPONENT) {
        return ch != '-' && ch != '.' && ch != '_' && ch != '~';
    }

    return ch < ' ' || ch > ngx_escapes[type].last
           || ngx_strchr(ngx_escapes[type].chars, ch) != NULL;
}


uintptr_t
ngx_escape_uri(u_char *dst, u_char *src, size_t size, ngx_uint_t type)
{
    size_t             i;
    u_char             mark;
    uintptr_t          n;
    static const char  digits[] = "0123456789ABCDEF";

    if (dst == NULL) {

        for (n = 0, i = 0; i < size; i++) {
            n += ngx_is_escaped(src[i], type);
        }

        return n;
    }

    mark = (type == NGX_ESCAPE_MAIL_XTEXT) ? '+' : '%';

    for (i = 0; i < size; i++) {

        if (ngx_is_escaped(src[i], type)) {
            *dst++ = mark;
            *dst++ = (u_char) digits[src[i] >> 4];
            *dst++ = (u_char) digits[src[i] & 0xf];

        } else {
            *dst++ = src[i];
        }
    }

    return (uintptr_t) dst;
}


/* Returns a number from 0 to 15, or NGX_ERROR. */

static ngx_int_t
ngx_hex_digit(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch = ngx_tolower(ch);

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : NGX_ERROR;
}


void
ngx_unescape_uri(u_char **dst, u_char **src, size_t size, ngx_uint_t type)
{
    u_char     *d, *s, *last, ch;
    ngx_int_t   high, low;

    d = *dst;
    s = *src;
    last = s + size;

    while (s < last) {

        ch = *s++;

        if (ch == '%') {

            if (s == last) {
                break;
            }

            ch = *s++;
            high = ngx_hex_digit(ch);

            if (high == NGX_ERROR) {
                *d++ = ch;
                continue;
            }

            if (s == last) {
                break;
            }

            low = ngx_hex_digit(*s++);

            if (low == NGX_ERROR) {
                continue;
            }

            ch = (u_char) (high << 4 | low);

            if ((type & NGX_UNESCAPE_REDIRECT) && (ch <= '%' || ch >= 0x7f)) {
                d = ngx_movemem(d, s - 3, 3);
                continue;
            }
        }

        *d++ = ch;

        if (ch == '?' && (type & (NGX_UNESCAPE_URI|NGX_UNESCAPE_REDIRECT))) {
            break;
        }
    }

    *dst = d;
    *src = s;
}
