/* Characters in UTF-8. */

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_UTF8_LAST        0x10ffff
#define NGX_UTF8_INCOMPLETE  0xfffffffe
#define NGX_UTF8_ERROR       0xffffffff


uint32_t
ngx_utf8_decode(u_char **p, size_t n)
{
    size_t    len;
    u_char    first, next;
    uint32_t  code, min;

    first = **p;

    /* 0xc0 and 0xc1 would begin a longer form of a character of ASCII */

    if (first < 0xc2 || first >= 0xf8) {
        (*p)++;
        return NGX_UTF8_ERROR;
    }

    len = 1 + (first >= 0xe0) + (first >= 0xf0);

    if (n <= len) {
        return NGX_UTF8_INCOMPLETE;
    }

    /* the bits of the first byte, and the first character of this length */

    code = first & (0x3fu >> len);
    min = (len == 1) ? 0x80 : (len == 2) ? 0x800 : 0x10000;

    for ((*p)++; len; len--) {

        next = *(*p)++;

        if (next < 0x80) {
            return NGX_UTF8_ERROR;
        }

        code = code << 6 | (next & 0x3f);
    }

    return (code < min) ? NGX_UTF8_ERROR : code;
}


size_t
ngx_utf8_length(u_char *p, size_t n)
{
    size_t   len;
    u_char  *last;

    last = p + n;

    for (len = 0; p < last; len++) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        if (ngx_utf8_decode(&p, (size_t) (last - p)) > NGX_UTF8_LAST) {
            return n;
        }
    }

    return len;
}


u_char *
ngx_utf8_cpystrn(u_char *dst, u_char *src, size_t n, size_t len)
{
    u_char  *next;

    if (n == 0) {
        return dst;
    }

    for ( /* void */ ; n > 1 && len > 0 && *src != '\0'; n--) {

        next = src + 1;

        if (*src >= 0x80) {
            next = src;

            if (ngx_utf8_decode(&next, len) > NGX_UTF8_LAST) {
                break;
            }
        }

        len -= (size_t) (next - src);

        while (src < next) {
            *dst++ = *src++;
        }
    }

    *dst = '\0';

    return dst;
}
