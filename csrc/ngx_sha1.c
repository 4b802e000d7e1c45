/* SHA-1, RFC 3174. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_sha1.h>


#define ngx_sha1_rotate(x, n)  ((x) << (n) | (x) >> (32 - (n)))


void
ngx_sha1_init(ngx_sha1_t *ctx)
{
    ctx->a = 0x67452301;
    ctx->b = 0xefcdab89;
    ctx->c = 0x98badcfe;
    ctx->d = 0x10325476;
    ctx->e = 0xc3d2e1f0;

    ctx->bytes = 0;
}


/* The function of a round, and its constant. */

static uint32_t
ngx_sha1_mix(ngx_uint_t i, uint32_t b, uint32_t c, uint32_t d)
{
    switch (i / 20) {

    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999;

    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;

    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;

    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}


static void
ngx_sha1_block(ngx_sha1_t *ctx, const u_char *p)
{
    uint32_t    a, b, c, d, e, sum, words[80];
    ngx_uint_t  i;

    for (i = 0; i < 16; i++, p += 4) {
        words[i] = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
                   | (uint32_t) p[2] << 8 | (uint32_t) p[3];
    }

    for ( /* void */ ; i < 80; i++) {
        sum = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
        words[i] = ngx_sha1_rotate(sum, 1);
    }

    a = ctx->a;
    b = ctx->b;
    c = ctx->c;
    d = ctx->d;
    e = ctx->e;

    for (i = 0; i < 80; i++) {
        sum = ngx_sha1_rotate(a, 5) + ngx_sha1_mix(i, b, c, d) + e + words[i];

        e = d;
        d = c;
        c = ngx_sha1_rotate(b, 30);
        b = a;
        a = sum;
    }

    ctx->a += a;
    ctx->b += b;
    ctx->c += c;
    ctx->d += d;
    ctx->e += e;
}


void
ngx_sha1_update(ngx_sha1_t *ctx, const void *data, size_t size)
{
    size_t         used, n;
    const u_char  *p;

    for (p = (const u_char *) data; size; p += n, size -= n) {

        used = (size_t) (ctx->bytes % 64);
        n = ngx_min(64 - used, size);

        ngx_memcpy(ctx->buffer + used, p, n);
        ctx->bytes += n;

        if (used + n == 64) {
            ngx_sha1_block(ctx, ctx->buffer);
        }
    }
}


void
ngx_sha1_final(u_char result[20], ngx_sha1_t *ctx)
{
    u_char          length[8];
    uint64_t        bits;
    uint32_t        words[5];
    ngx_uint_t      i;
    static u_char   padding[64] = { 0x80 };

    bits = ctx->bytes * 8;

    for (i = 0; i < 8; i++) {
        length[i] = (u_char) (bits >> (56 - 8 * i));
    }

    /* from 1 to 64 bytes, so that 8 bytes of the last block are left */

    ngx_sha1_update(ctx, padding, 64 - (size_t) ((ctx->bytes + 8) % 64));
    ngx_sha1_update(ctx, length, 8);

    words[0] = ctx->a;
    words[1] = ctx->b;
    words[2] = ctx->c;
    words[3] = ctx->d;
    words[4] = ctx->e;

    for (i = 0; i < 20; i++) {
        result[i] = (u_char) (words[i / 4] >> (24 - 8 * (i % 4)));
    }

    ngx_explicit_memzero(ctx, sizeof(ngx_sha1_t));
}
