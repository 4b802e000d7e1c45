/* MD5, RFC 1321. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>


/* The sines of 1 to 64, times 2 to the power of 32. */

static const uint32_t  ngx_md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
    0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
    0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
    0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
    0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
    0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391
};

static const u_char  ngx_md5_shifts[4][4] = {
    { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};


void
ngx_md5_init(ngx_md5_t *ctx)
{
    ctx->a = 0x67452301;
    ctx->b = 0xefcdab89;
    ctx->c = 0x98badcfe;
    ctx->d = 0x10325476;

    ctx->bytes = 0;
}


/* The function of a round, and the word of the block that the step i adds. */

static uint32_t
ngx_md5_mix(ngx_uint_t i, uint32_t b, uint32_t c, uint32_t d,
    const uint32_t *words)
{
    switch (i / 16) {

    case 0:
        return ((b & c) | (~b & d)) + words[i];

    case 1:
        return ((b & d) | (c & ~d)) + words[(5 * i + 1) % 16];

    case 2:
        return (b ^ c ^ d) + words[(3 * i + 5) % 16];

    default:
        return (c ^ (b | ~d)) + words[7 * i % 16];
    }
}


static void
ngx_md5_block(ngx_md5_t *ctx, const u_char *p)
{
    uint32_t    a, b, c, d, sum, words[16];
    ngx_uint_t  i, shift;

    for (i = 0; i < 16; i++, p += 4) {
        words[i] = (uint32_t) p[0] | (uint32_t) p[1] << 8
                   | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
    }

    a = ctx->a;
    b = ctx->b;
    c = ctx->c;
    d = ctx->d;

    for (i = 0; i < 64; i++) {
        sum = a + ngx_md5_mix(i, b, c, d, words) + ngx_md5_sines[i];
        shift = ngx_md5_shifts[i / 16][i % 4];

        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }

    ctx->a += a;
    ctx->b += b;
    ctx->c += c;
    ctx->d += d;
}


void
ngx_md5_update(ngx_md5_t *ctx, const void *data, size_t size)
{
    size_t         used, n;
    const u_char  *p;

    for (p = (const u_char *) data; size; p += n, size -= n) {

        used = (size_t) (ctx->bytes % 64);
        n = ngx_min(64 - used, size);

        ngx_memcpy(ctx->buffer + used, p, n);
        ctx->bytes += n;

        if (used + n == 64) {
            ngx_md5_block(ctx, ctx->buffer);
        }
    }
}


void
ngx_md5_final(u_char result[16], ngx_md5_t *ctx)
{
    u_char          length[8];
    uint64_t        bits;
    uint32_t        words[4];
    ngx_uint_t      i;
    static u_char   padding[64] = { 0x80 };

    bits = ctx->bytes * 8;

    for (i = 0; i < 8; i++) {
        length[i] = (u_char) (bits >> (8 * i));
    }

    /* from 1 to 64 bytes, so that 8 bytes of the last block are left */

    ngx_md5_update(ctx, padding, 64 - (size_t) ((ctx->bytes + 8) % 64));
    ngx_md5_update(ctx, length, 8);

    words[0] = ctx->a;
    words[1] = ctx->b;
    words[2] = ctx->c;
    words[3] = ctx->d;

    for (i = 0; i < 16; i++) {
        result[i] = (u_char) (words[i / 4] >> (8 * (i % 4)));
    }

    ngx_explicit_memzero(ctx, sizeof(ngx_md5_t));
}
