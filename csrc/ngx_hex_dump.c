/* Bytes as hexadecimal digits. */

#include <ngx_config.h>
#include <ngx_core.h>


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    size_t             i;
    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < len; i++) {
        *dst++ = (u_char) digits[src[i] >> 4];
        *dst++ = (u_char) digits[src[i] & 0xf];
    }

    return dst;
}
