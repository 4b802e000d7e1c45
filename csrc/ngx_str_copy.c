/* Functions that copy, count or clear bytes. */

#include <ngx_config.h>
#include <ngx_core.h>


void
ngx_strlow(u_char *dst, u_char *src, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        dst[i] = ngx_tolower(src[i]);
    }
}


size_t
ngx_strnlen(u_char *p, size_t n)
{
    return strnlen((const char *) p, n);
}


u_char *
ngx_cpystrn(u_char *dst, u_char *src, size_t n)
{
    size_t  len;

    if (n == 0) {
        return dst;
    }

    len = ngx_strnlen(src, n - 1);
    dst = ngx_cpymem(dst, src, len);
    *dst = '\0';

    return dst;
}


void
ngx_explicit_memzero(void *buf, size_t n)
{
    ngx_memzero(buf, n);

    /*
     * Without this barrier the compiler may leave the memset() out, because
     * nothing reads the buffer afterwards
     */

    __asm__ volatile ("" : : "r" (buf) : "memory");
}
