/* Functions that encode and decode text. */

#include "compare.h"


static void
t_hex_dump(void)
{
    size_t   n;
    u_char  *p, *out;

    n = t_length();
    p = t_text(n, NULL);
    out = t_buffer(2 * n);

    t_position("end", out, ngx_hex_dump(out, p, n));
    t_bytes("out", out, 2 * n);
}


static void
t_encode_base64(void)
{
    size_t     room;
    ngx_str_t  src, dst;

    src.len = t_length();
    src.data = t_text(src.len, NULL);
    room = ngx_base64_encoded_length(src.len);
    dst.data = t_buffer(room);

    ngx_encode_base64(&dst, &src);
    t_number("len", (int64_t) dst.len);
    t_bytes("standard", dst.data, room);

    memset(dst.data, 0xee, room);
    ngx_encode_base64url(&dst, &src);
    t_number("len", (int64_t) dst.len);
    t_bytes("url", dst.data, room);
}


static void
t_decode_base64(void)
{
    size_t       room;
    ngx_str_t    src, dst;
    static char  set[] = "ABCXYZabcxyz0189+/-_";

    src.len = t_length();
    src.data = t_text(src.len, t_random(8) ? set : NULL);

    if (src.len && t_random(2)) {
        src.data[src.len - 1 - t_random(ngx_min(src.len, 3))] = '=';
    }

    t_bytes("in", src.data, src.len);

    room = ngx_base64_decoded_length(src.len);
    dst.data = t_buffer(room);
    dst.len = 7777;

    t_number("standard", ngx_decode_base64(&dst, &src));
    t_number("len", (int64_t) dst.len);
    t_number("url", ngx_decode_base64url(&dst, &src));
    t_number("len", (int64_t) dst.len);
    t_bytes("out", dst.data, room);

    dst.data = src.data;
    t_number("in place", ngx_decode_base64url(&dst, &src));
    t_bytes("out", src.data, src.len);
}


/* Bytes of which many are right UTF-8. */

static u_char *
t_utf8(size_t len, int end)
{
    size_t     i, n;
    u_char    *p, *q;
    uint32_t   c;

    p = end ? t_cstring(len, "abc") : t_text(len, "abc");

    for (i = 0; i + 4 < len; /* void */ ) {

        n = t_random(4);
        c = (uint32_t) t_random(1 << (8 + 5 * n));
        q = p + i;

        switch (n) {

        case 0:
            q[0] = (u_char) (c & 0x7f);
            break;

        case 1:
            q[0] = (u_char) (0xc0 | (c >> 6 & 0x1f));
            break;

        case 2:
            q[0] = (u_char) (0xe0 | (c >> 12 & 0x0f));
            break;

        default:
            q[0] = (u_char) (0xf0 | (c >> 18 & 0x07));
        }

        for (i++; n; n--, i++) {
            p[i] = (u_char) (0x80 | (c >> (6 * (n - 1)) & 0x3f));
        }
    }

    if (len && t_random(3) == 0) {
        i = t_random(len);
        p[i] = (u_char) t_random(256);
    }

    t_bytes("in", p, len);

    return p;
}


static void
t_utf8_decode(void)
{
    size_t   n;
    u_char  *p, *start;

    n = 1 + t_random(8);
    start = t_random(2) ? t_utf8(n, 0) : t_text(n, NULL);

    for (p = start; p < start + n; /* void */ ) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        t_number("char", ngx_utf8_decode(&p, (size_t) (start + n - p)));
        t_position("at", start, p);

        if (t_random(8) == 0) {
            break;
        }

        /* an incomplete character moves nothing */

        if (p < start + n) {
            p++;
        }
    }
}


static void
t_utf8_length(void)
{
    size_t   n;
    u_char  *p;

    n = t_length();
    p = t_random(4) ? t_utf8(n, 0) : t_text(n, NULL);

    t_number("length", (int64_t) ngx_utf8_length(p, n));
}


static void
t_utf8_cpystrn(void)
{
    size_t   len, n;
    u_char  *src, *dst;

    len = t_length();
    src = t_utf8(len, 1);
    n = t_random(t_random(2) ? 10 : 310);
    dst = t_buffer(4 * n);

    t_number("n", (int64_t) n);
    t_position("end", dst, ngx_utf8_cpystrn(dst, src, n, len + 1));
    t_bytes("out", dst, 4 * n);
}


static void
t_escape_uri(void)
{
    size_t      n;
    u_char     *src, *dst;
    uintptr_t   more;
    ngx_uint_t  type;

    n = t_length();
    src = t_text(n, t_random(2) ? t_set() : " %?#&+;=\"'<>\\^`{|}~!$()*,:@[]-._");
    type = t_random(8);
    more = ngx_escape_uri(NULL, src, n, type);

    t_number("type", (int64_t) type);
    t_number("more", (int64_t) more);

    dst = t_buffer(n + 2 * more);
    t_position("end", dst, (u_char *) ngx_escape_uri(dst, src, n, type));
    t_bytes("out", dst, n + 2 * more);
}


static void
t_unescape_uri(void)
{
    size_t      n;
    u_char     *src, *dst, *s, *d;
    ngx_uint_t  type;

    n = t_length();
    src = t_text(n, t_random(8) ? "%%%0123f?FzA7" : NULL);
    dst = t_random(2) ? t_buffer(n) : src;
    type = t_random(3);

    s = src;
    d = dst;
    ngx_unescape_uri(&d, &s, n, type);

    t_number("type", (int64_t) type);
    t_position("read", src, s);
    t_position("written", dst, d);
    t_bytes("out", dst, n);
}


static void
t_escape_html(void)
{
    size_t     n;
    u_char    *src, *dst;
    uintptr_t  more;

    n = t_length();
    src = t_text(n, t_random(2) ? "<>&\"'a" : NULL);
    more = ngx_escape_html(NULL, src, n);
    dst = t_buffer(n + more);

    t_number("more", (int64_t) more);
    t_position("end", dst, (u_char *) ngx_escape_html(dst, src, n));
    t_bytes("out", dst, n + more);
}


static void
t_escape_json(void)
{
    size_t     n;
    u_char    *src, *dst;
    uintptr_t  more;

    n = t_length();
    src = t_text(n, t_random(2) ? "\"\\/\n\r\t\b\f\v\x01\x1f\x7f z" : NULL);
    more = ngx_escape_json(NULL, src, n);
    dst = t_buffer(n + more);

    t_number("more", (int64_t) more);
    t_position("end", dst, (u_char *) ngx_escape_json(dst, src, n));
    t_bytes("out", dst, n + more);
}


const t_subject_t  t_encode_subjects[] = {
    { "ngx_hex_dump", t_hex_dump },
    { "ngx_encode_base64", t_encode_base64 },
    { "ngx_decode_base64", t_decode_base64 },
    { "ngx_utf8_decode", t_utf8_decode },
    { "ngx_utf8_length", t_utf8_length },
    { "ngx_utf8_cpystrn", t_utf8_cpystrn },
    { "ngx_escape_uri", t_escape_uri },
    { "ngx_unescape_uri", t_unescape_uri },
    { "ngx_escape_html", t_escape_html },
    { "ngx_escape_json", t_escape_json },
    { NULL, NULL }
};
