/* MurmurHash2 by A. Appleby. */

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MURMUR_MULTIPLIER  0x5bd1e995u


/* A number of n bytes, of which the lowest comes first. */

static uint32_t
ngx_murmur_read(const u_char *p, size_t n)
{
    uint32_t  value;

    for (value = 0; n; n--) {
        value = value << 8 | p[n - 1];
    }

    return value;
}


uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  hash, k;

    hash = (uint32_t) len;

    for ( /* void */ ; len >= 4; len -= 4, data += 4) {

        k = ngx_murmur_read(data, 4) * NGX_MURMUR_MULTIPLIER;
        k = (k ^ k >> 24) * NGX_MURMUR_MULTIPLIER;

        hash = hash * NGX_MURMUR_MULTIPLIER ^ k;
    }

    if (len) {
        hash = (hash ^ ngx_murmur_read(data, len)) * NGX_MURMUR_MULTIPLIER;
    }

    hash = (hash ^ hash >> 13) * NGX_MURMUR_MULTIPLIER;

    return hash ^ hash >> 15;
}
