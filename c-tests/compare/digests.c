/* Hashes, checksums and digests. */

#include "compare.h"


static void
t_crc(void)
{
    size_t     n, at;
    u_char    *p;
    uint32_t   crc;

    n = t_length();
    p = t_text(n, NULL);
    at = t_random(n + 1);

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, p, at);
    ngx_crc32_update(&crc, p + at, n - at);
    ngx_crc32_final(crc);

    t_number("crc", ngx_crc(p, n));
    t_number("short", ngx_crc32_short(p, n));
    t_number("long", ngx_crc32_long(p, n));
    t_number("updated", crc);
    t_number("table", ngx_crc32_table256[t_random(256)]);
}


static void
t_hash(void)
{
    size_t   n;
    u_char  *p, *dst;

    n = t_length();
    p = t_text(n, t_set());
    dst = t_buffer(n);

    t_number("murmur", ngx_murmur_hash2(p, n));
    t_number("key", (int64_t) ngx_hash_key(p, n));
    t_number("key_lc", (int64_t) ngx_hash_key_lc(p, n));
    t_number("strlow", (int64_t) ngx_hash_strlow(dst, p, n));
    t_bytes("out", dst, n);
    t_number("macro", (int64_t) ngx_hash(n, 'c'));
}


static void
t_md5(void)
{
    size_t      n, at;
    u_char     *p, *out;
    ngx_md5_t   ctx;

    n = t_length();
    p = t_text(n, NULL);
    out = t_buffer(16);
    at = t_random(n + 1);

    ngx_md5_init(&ctx);
    ngx_md5_update(&ctx, p, at);
    ngx_md5_update(&ctx, p + at, n - at);
    ngx_md5_final(out, &ctx);

    t_bytes("md5", out, 16);
    t_bytes("context", (u_char *) &ctx, sizeof(ctx));
}


static void
t_sha1(void)
{
    size_t       n, at;
    u_char      *p, *out;
    ngx_sha1_t   ctx;

    n = t_length();
    p = t_text(n, NULL);
    out = t_buffer(20);
    at = t_random(n + 1);

    ngx_sha1_init(&ctx);
    ngx_sha1_update(&ctx, p, at);
    ngx_sha1_update(&ctx, p + at, n - at);
    ngx_sha1_final(out, &ctx);

    t_bytes("sha1", out, 20);
    t_bytes("context", (u_char *) &ctx, sizeof(ctx));
}


const t_subject_t  t_digest_subjects[] = {
    { "ngx_crc32", t_crc },
    { "ngx_hash_key", t_hash },
    { "ngx_md5", t_md5 },
    { "ngx_sha1", t_sha1 },
    { NULL, NULL }
};
