/* Functions that copy, clear or compare bytes. */

#include "compare.h"


static void
t_strlow(void)
{
    size_t   n;
    u_char  *src, *dst;

    n = t_length();
    src = t_text(n, t_set());
    dst = t_random(2) ? src : t_buffer(n);

    ngx_strlow(dst, src, n);
    t_bytes("out", dst, n);
}


static void
t_case(void)
{
    int  c;

    c = (int) t_random(256);
    t_number("in", c);
    t_number("lower", ngx_tolower(c));
    t_number("upper", ngx_toupper(c));
}


static void
t_strnlen(void)
{
    size_t   len;
    u_char  *p;

    len = t_length();
    p = t_random(2) ? t_cstring(len, t_set()) : t_text(len, "abcdef\xff");

    t_number("len", (int64_t) ngx_strnlen(p, t_random(len + 1)));
}


static void
t_strlchr(void)
{
    size_t   len;
    u_char  *p;

    len = t_length();
    p = t_text(len, t_set());

    t_position("at", p, ngx_strlchr(p, p + len, (u_char) "aB/\xff"[t_random(5)]));
}


static void
t_memory(void)
{
    size_t   n;
    u_char  *src, *dst;

    n = t_length();
    src = t_text(n, NULL);
    dst = t_buffer(n + 3);

    t_position("end", dst, ngx_cpymem(dst, src, n));
    t_position("end", dst, ngx_movemem(dst + 3, dst, n));
    t_bytes("moved", dst, n + 3);
    ngx_explicit_memzero(dst, n);
    t_bytes("cleared", dst, n + 3);
}


static void
t_cpystrn(void)
{
    size_t   n, len;
    u_char  *dst, *src;

    len = t_length();
    n = t_random(len + 3);
    src = t_cstring(len, t_set());
    dst = t_buffer(n);

    t_number("n", (int64_t) n);
    t_position("end", dst, ngx_cpystrn(dst, src, n));
    t_bytes("out", dst, n);
}


static void
t_pstrdup(void)
{
    ngx_str_t   s;
    u_char     *p;

    s.len = t_length();
    s.data = t_text(s.len, t_set());

    p = ngx_pstrdup(t_pool(), &s);
    t_bytes("out", p, s.len);
    t_number("copied", p != s.data);
}


/* Two strings that are often equal up to their last bytes. */

static void
t_pair(u_char **s1, u_char **s2, size_t *n1, size_t *n2)
{
    size_t       i;
    const char  *set;

    set = t_set();
    *n1 = t_length();
    *n2 = t_random(3) ? *n1 : t_length();

    *s1 = t_cstring(*n1, set);
    *s2 = t_cstring(*n2, set);

    if (t_random(4)) {

        for (i = 0; i < *n1 && i < *n2; i++) {

            if (t_random(20)) {
                (*s2)[i] = t_random(2) ? (*s1)[i] : ngx_toupper((*s1)[i]);
            }
        }

        t_bytes("in", *s2, *n2);
    }
}


static void
t_strcasecmp(void)
{
    u_char  *s1, *s2;
    size_t   n1, n2;

    t_pair(&s1, &s2, &n1, &n2);

    t_number("casecmp", ngx_strcasecmp(s1, s2));
    t_number("dns", ngx_dns_strcmp(s1, s2));
    t_number("ncasecmp", ngx_strncasecmp(s1, s2, t_random(n1 + 3)));
    t_number("filename", ngx_filename_cmp(s1, s2, t_random(n1 + 3)));
}


static void
t_rstrncmp(void)
{
    u_char  *s1, *s2;
    size_t   n1, n2, n;

    t_pair(&s1, &s2, &n1, &n2);
    n = t_random(ngx_min(n1, n2) + 1);

    t_number("n", (int64_t) n);
    t_number("rstrncmp", ngx_rstrncmp(s1, s2, n));
    t_number("rstrncasecmp", ngx_rstrncasecmp(s1, s2, n));
}


static void
t_memn2cmp(void)
{
    u_char  *s1, *s2;
    size_t   n1, n2;

    t_pair(&s1, &s2, &n1, &n2);

    t_sign("memn2cmp", ngx_memn2cmp(s1, s2, n1, n2));
}


const t_subject_t  t_bytes_subjects[] = {
    { "ngx_strlow", t_strlow },
    { "ngx_tolower", t_case },
    { "ngx_strnlen", t_strnlen },
    { "ngx_strlchr", t_strlchr },
    { "ngx_explicit_memzero", t_memory },
    { "ngx_cpystrn", t_cpystrn },
    { "ngx_pstrdup", t_pstrdup },
    { "ngx_strcasecmp", t_strcasecmp },
    { "ngx_rstrncmp", t_rstrncmp },
    { "ngx_memn2cmp", t_memn2cmp },
    { NULL, NULL }
};
