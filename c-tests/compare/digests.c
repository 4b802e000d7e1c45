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


/* A hash table of random names. */

#define T_NAMES  30

static void
t_hash_table(void)
{
    size_t            i, n, len;
    u_char           *p;
    ngx_hash_t        hash;
    ngx_hash_key_t    names[T_NAMES];
    ngx_hash_init_t   hinit;
    static u_char     texts[T_NAMES][40];

    n = t_random(T_NAMES + 1);

    for (i = 0; i < n; i++) {
        len = t_random(t_random(4) ? 8 : 40);
        p = t_text(len, "abcAB");
        t_drop();

        memcpy(texts[i], p, len);
        names[i].key.len = len;
        names[i].key.data = t_random(20) ? texts[i] : NULL;
        names[i].key_hash = ngx_hash_key_lc(p, len);
        names[i].value = &names[i];
    }

    memset(&hinit, 0, sizeof(hinit));
    hinit.hash = &hash;
    hinit.key = ngx_hash_key_lc;
    hinit.max_size = t_random(t_random(4) ? 600 : 4);
    hinit.bucket_size = 64 + 8 * t_random(6);
    hinit.name = (char *) "a_hash";
    hinit.pool = t_pool();

    t_number("max_size", (int64_t) hinit.max_size);
    t_number("bucket_size", (int64_t) hinit.bucket_size);

    if (ngx_hash_init(&hinit, names, n) != NGX_OK) {
        t_number("failed", 1);
        return;
    }

    t_number("size", (int64_t) hash.size);

    for (i = 0; i < n + 4; i++) {
        len = (i < n) ? names[i].key.len : t_random(6);
        p = (i < n) ? texts[i] : t_text(len, "abc");
        t_drop();
        ngx_strlow(p, p, len);
        p = ngx_hash_find(&hash, ngx_hash_key(p, len), p, len);
        t_number("found", p ? (ngx_hash_key_t *) (void *) p - names : -1);
    }
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
    { "ngx_hash_find", t_hash_table },
    { "ngx_md5", t_md5 },
    { "ngx_sha1", t_sha1 },
    { NULL, NULL }
};
