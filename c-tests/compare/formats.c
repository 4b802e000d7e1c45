/* Formatted output. */

#include "compare.h"

#include <stdio.h>


/* Calls one of the functions, with one argument behind the format. */

#define T_PRINT(dst, size, fmt, ...)                                          \
    (t_random(2) ? ngx_snprintf(dst, size, fmt, __VA_ARGS__)                  \
                 : ngx_slprintf(dst, dst + size, fmt, __VA_ARGS__))


static char *
t_directive(char *fmt, const char *letters)
{
    fmt += sprintf(fmt, "a%%");

    if (t_random(3) == 0) {
        if (t_random(2)) {
            *fmt++ = '0';
        }

        fmt += sprintf(fmt, "%d", (int) t_random(t_random(4) ? 12 : 40));
    }

    if (t_random(2)) {
        fmt += sprintf(fmt, "u");
    }

    if (t_random(3) == 0) {
        fmt += sprintf(fmt, "%c", "xXm"[t_random(3)]);
    }

    return fmt + sprintf(fmt, "%c|%%%%b", letters[t_random(strlen(letters))]);
}


static int64_t
t_value(void)
{
    static const int64_t  edges[] = {
        0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, 10
    };

    return t_random(3) ? (int64_t) t_random_bits(0)
                       : edges[t_random(sizeof(edges) / sizeof(edges[0]))];
}


static void
t_show(u_char *dst, size_t size, u_char *end)
{
    t_position("end", dst, end);
    t_bytes("out", dst, size);
}


static void
t_numbers(void)
{
    char     fmt[64];
    size_t   size;
    u_char  *dst;
    int64_t  value;

    value = t_value();
    size = t_random(3) ? 100 : t_random(30);
    dst = t_buffer(size);

    switch (t_random(3)) {

    case 0:
        t_directive(fmt, "dDc");
        t_bytes("fmt", (u_char *) fmt, strlen(fmt));
        t_show(dst, size, T_PRINT(dst, size, fmt, (int) value));
        break;

    case 1:
        t_directive(fmt, "ilzLOTAM");
        t_bytes("fmt", (u_char *) fmt, strlen(fmt));
        t_show(dst, size, T_PRINT(dst, size, fmt, value));
        break;

    default:
        sprintf(fmt, "ab%%%c.", "PpZNr%q"[t_random(7)]);
        t_bytes("fmt", (u_char *) fmt, strlen(fmt));
        t_show(dst, size, T_PRINT(dst, size, fmt, value & INT32_MAX));
    }
}


static void
t_strings(void)
{
    size_t                 size, len;
    u_char                *dst, *p;
    ngx_str_t              s;
    char                  *hex;
    ngx_variable_value_t   v;

    len = t_length();
    p = t_cstring(len, t_set());
    size = t_random(3) ? 700 : t_random(30);
    dst = t_buffer(size);
    hex = t_random(3) ? "" : (t_random(2) ? "x" : "X");
    s.len = t_random(len + 1);
    s.data = p;

    memset(&v, 0xff, sizeof(v));
    v.len = (unsigned) s.len;
    v.data = p;

    switch (t_random(4)) {

    case 0:
        t_show(dst, size, T_PRINT(dst, size,
               *hex ? (*hex == 'x' ? "a%xsb" : "a%Xsb") : "a%sb", p));
        break;

    case 1:
        t_show(dst, size, T_PRINT(dst, size,
               *hex ? (*hex == 'x' ? "a%xVb" : "a%XVb") : "a%Vb", &s));
        break;

    case 2:
        t_show(dst, size, T_PRINT(dst, size,
               *hex ? (*hex == 'x' ? "a%xvb" : "a%Xvb") : "a%vb", &v));
        break;

    default:
        t_show(dst, size, T_PRINT(dst, size,
               *hex ? (*hex == 'x' ? "a%*xsb" : "a%*Xsb") : "a%*sb",
               s.len, p));
    }
}


static void
t_doubles(void)
{
    char     fmt[32], *p;
    size_t   size;
    double   f;
    u_char  *dst;

    /* nginx converts the whole part to an int64_t */

    f = (double) t_random_bits(2);
    f /= (double) (1 + t_random(1000));
    f = t_random(2) ? f : -f;
    size = t_random(3) ? 100 : t_random(30);
    dst = t_buffer(size);

    p = fmt + sprintf(fmt, "a%%%s", t_random(2) ? "0" : "");

    if (t_random(2)) {
        p += sprintf(p, "%d", (int) t_random(20));
    }

    if (t_random(4)) {
        p += sprintf(p, ".%d", (int) t_random(7));
    }

    sprintf(p, "fb");

    t_bytes("fmt", (u_char *) fmt, strlen(fmt));
    t_show(dst, size, T_PRINT(dst, size, fmt, f));
}


static void
t_sprintf(void)
{
    size_t   n;
    u_char  *dst, *p;

    n = t_random(20);
    p = t_cstring(n, t_set());
    dst = t_buffer(64);

    t_show(dst, 64, ngx_sprintf(dst, "%s %d%Z", p, (int) t_value()));
}


static void
t_log_errno(void)
{
    size_t      size;
    u_char     *dst;
    ngx_err_t   err;
    static int  prepared;

    if (!prepared) {
        ngx_strerror_init();
        prepared = 1;
    }

    err = (ngx_err_t) t_random(150) - 5;
    size = 60 + t_random(60);
    dst = t_buffer(size);

    t_number("err", err);
    t_show(dst, size, ngx_log_errno(dst, dst + size, err));
}


const t_subject_t  t_format_subjects[] = {
    { "ngx_slprintf-numbers", t_numbers },
    { "ngx_slprintf-strings", t_strings },
    { "ngx_slprintf-doubles", t_doubles },
    { "ngx_sprintf", t_sprintf },
    { "ngx_log_errno", t_log_errno },
    { NULL, NULL }
};
