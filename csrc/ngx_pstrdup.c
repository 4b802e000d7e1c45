/* Copies of strings in the memory of a pool. */

#include <ngx_config.h>
#include <ngx_core.h>


u_char *
ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src)
{
    u_char  *dst;

    dst = (u_char *) ngx_pnalloc(pool, src->len);

    if (dst != NULL && src->len != 0) {
        ngx_memcpy(dst, src->data, src->len);
    }

    return dst;
}
