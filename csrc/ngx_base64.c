/* Base64, RFC 4648: the standard alphabet, and the one for URLs. */

#include <ngx_config.h>
#include <ngx_core.h>


/* 62 characters of the alphabets are equal; these are the others. */

static const u_char  ngx_base64_std[] = "+/";
static const u_char  ngx_base64_url[] = "-_";


static u_char
ngx_base64_char(ngx_uint_t value, const u_char *others)
{
    if (value < 26) {
        return (u_char) ('A' + value);
    }

    if (value < 52) {
        return (u_char) ('a' + value - 26);
    }

    if (value < 62) {
        return (u_char) ('0' + value - 52);
    }

    return others[value - 62];
}


/* Returns a number from 0 to 63, or NGX_ERROR. */

static ngx_int_t
ngx_base64_value(u_char ch, const u_char *others)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    if (ch == others[0] || ch == others[1]) {
        return (ch == others[0]) ? 62 : 63;
    }

    return NGX_ERROR;
}


static void
ngx_base64_encode(ngx_str_t *dst, ngx_str_t *src, const u_char *others,
    ngx_uint_t padding)
{
    size_t       i, n, len;
    u_char      *d, *s;
    ngx_uint_t   bits;

    d = dst->data;

    for (i = 0; i < src->len; i += 3) {

        s = src->data + i;
        len = ngx_min(src->len - i, 3);

        bits = (ngx_uint_t) s[0] << 16;

        if (len > 1) {
            bits |= (ngx_uint_t) s[1] << 8;
        }

        if (len > 2) {
            bits |= s[2];
        }

        for (n = 0; n < 4; n++) {

            if (n <= len) {
                *d++ = ngx_base64_char(bits >> (18 - 6 * n) & 0x3f, others);

            } else if (padding) {
                *d++ = '=';
            }
        }
    }

    dst->len = (size_t) (d - dst->data);
}


static ngx_int_t
ngx_base64_decode(ngx_str_t *dst, ngx_str_t *src, const u_char *others)
{
    u_char      *d;
    size_t       i, len;
    ngx_uint_t   bits;

    for (len = 0; len < src->len && src->data[len] != '='; len++) {

        if (ngx_base64_value(src->data[len], others) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (len % 4 == 1) {
        return NGX_ERROR;
    }

    /*
     * The source may be in the same buffer: a byte is written only after the
     * characters before it have been read
     */

    d = dst->data;
    bits = 0;

    for (i = 0; i < len; i++) {

        bits = bits << 6
               | (ngx_uint_t) ngx_base64_value(src->data[i], others);

        if (i % 4 != 0) {
            *d++ = (u_char) (bits >> (6 - 2 * (i % 4)));
        }
    }

    dst->len = (size_t) (d - dst->data);

    return NGX_OK;
}


void
ngx_encode_base64(ngx_str_t *dst, ngx_str_t *src)
{
    ngx_base64_encode(dst, src, ngx_base64_std, 1);
}


void
ngx_encode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    ngx_base64_encode(dst, src, ngx_base64_url, 0);
}


ngx_int_t
ngx_decode_base64(ngx_str_t *dst, ngx_str_t *src)
{
    return ngx_base64_decode(dst, src, ngx_base64_std);
}


ngx_int_t
ngx_decode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    return ngx_base64_decode(dst, src, ngx_base64_url);
}
