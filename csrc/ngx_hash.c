/* Hashes of strings. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_uint_t
ngx_hash_key(u_char *data, size_t len)
{
    size_t      i;
    ngx_uint_t  key;

    for (key = 0, i = 0; i < len; i++) {
        key = ngx_hash(key, data[i]);
    }

    return key;
}


ngx_uint_t
ngx_hash_key_lc(u_char *data, size_t len)
{
    size_t      i;
    ngx_uint_t  key;

    for (key = 0, i = 0; i < len; i++) {
        key = ngx_hash(key, ngx_tolower(data[i]));
    }

    return key;
}


ngx_uint_t
ngx_hash_strlow(u_char *dst, u_char *src, size_t n)
{
    ngx_strlow(dst, src, n);

    return ngx_hash_key(dst, n);
}
