/* Functions that convert text to numbers, and times to dates. */

#include "compare.h"

#include <stdio.h>


/* Text near the largest numbers, or of random characters of the set. */

static u_char *
t_figures(size_t *len, const char *set, int hex)
{
    int       n;
    char      near[40];
    size_t    i;
    u_char   *p;
    uint64_t  value;

    switch (t_random(5)) {

    case 0:
        value = (uint64_t) NGX_MAX_INT_T_VALUE - 20 + t_random(40);
        break;

    case 1:
        value = (uint64_t) NGX_MAX_INT_T_VALUE >> t_random(40);
        value += t_random(3);
        break;

    case 2:
        value = t_random_bits(0);
        break;

    default:
        *len = t_random(t_random(2) ? 5 : 24);
        return t_text(*len, t_random(16) ? set : NULL);
    }

    n = snprintf(near, sizeof(near), hex ? "%llx" : "%llu",
                 (unsigned long long) value);

    if (t_random(4) == 0) {
        near[n++] = set[t_random(strlen(set))];
    }

    if (t_random(8) == 0) {
        i = t_random((size_t) n);
        near[i] = set[t_random(strlen(set))];
    }

    *len = (size_t) n;
    p = t_buffer(*len);
    memcpy(p, near, *len);
    t_bytes("in", p, *len);

    return p;
}


static void
t_atoi(void)
{
    size_t   n;
    u_char  *p;

    p = t_figures(&n, "0123456789", 0);

    t_number("atoi", ngx_atoi(p, n));
    t_number("atosz", ngx_atosz(p, n));
    t_number("atoof", ngx_atoof(p, n));
    t_number("atotm", ngx_atotm(p, n));
}


static void
t_atofp(void)
{
    size_t   n, point;
    u_char  *p;

    p = t_figures(&n, "0123456789.", 0);

    if (n && t_random(2)) {
        p[t_random(n)] = '.';
        t_bytes("in", p, n);
    }

    point = t_random(t_random(4) ? 5 : 25);
    t_number("point", (int64_t) point);
    t_number("atofp", ngx_atofp(p, n, point));
}


static void
t_hextoi(void)
{
    size_t   n;
    u_char  *p;

    p = t_figures(&n, "0123456789abcdefABCDEF", 1);
    t_number("hextoi", ngx_hextoi(p, n));
}


static void
t_parse_size(void)
{
    ngx_str_t  s;

    s.data = t_figures(&s.len, "0123456789kKmMgGb", 0);

    if (s.len && t_random(2)) {
        s.data[s.len - 1] = (u_char) "kKmMgG"[t_random(7)];
        t_bytes("in", s.data, s.len);
    }

    t_number("size", ngx_parse_size(&s));
    t_number("offset", ngx_parse_offset(&s));
}


/* Appends a number with a unit. */

static char *
t_time_unit(char *p, size_t unit)
{
    uint64_t     value;
    static char  units[] = "yMwdhms ";

    value = t_random_bits(t_random(6) ? 54 : 0);

    if (t_random(10) == 0) {
        unit = t_random(sizeof(units) - 1);
    }

    p += sprintf(p, "%llu%c", (unsigned long long) value, units[unit]);

    if (t_random(9) == 0) {
        *p++ = 's';
    }

    if (t_random(4) == 0) {
        p += sprintf(p, "  ");
    }

    return p;
}


static void
t_parse_time(void)
{
    size_t      i;
    char        text[400], *p;
    ngx_str_t   s;

    if (t_random(4) == 0) {
        s.data = t_figures(&s.len, "0123456789 yMwdhms", 0);

    } else {
        p = text;

        for (i = 0; i < 7; i++) {

            if (t_random(2)) {
                p = t_time_unit(p, i);
            }
        }

        if (t_random(6) == 0) {
            p += sprintf(p, "%dms", (int) t_random(2000));
        }

        if (t_random(6) == 0) {
            p += sprintf(p, "%d", (int) t_random(2000));
        }

        s.len = (size_t) (p - text);
        s.data = t_buffer(s.len);
        memcpy(s.data, text, s.len);
        t_bytes("in", s.data, s.len);
    }

    t_number("seconds", ngx_parse_time(&s, 1));
    t_number("milliseconds", ngx_parse_time(&s, 0));
}


static void
t_gmtime(void)
{
    time_t    t;
    ngx_tm_t  tm;

    t = (time_t) t_random_bits(0);
    t = t_random(2) ? t : -t;

    memset(&tm, 0, sizeof(tm));
    ngx_gmtime(t, &tm);

    t_number("time", t);
    t_number("year", tm.ngx_tm_year);
    t_number("month", tm.ngx_tm_mon);
    t_number("day", tm.ngx_tm_mday);
    t_number("weekday", tm.ngx_tm_wday);
    t_number("second", tm.ngx_tm_hour * 3600 + tm.ngx_tm_min * 60
             + tm.ngx_tm_sec);
}


const t_subject_t  t_number_subjects[] = {
    { "ngx_atoi", t_atoi },
    { "ngx_atofp", t_atofp },
    { "ngx_hextoi", t_hextoi },
    { "ngx_parse_size", t_parse_size },
    { "ngx_parse_time", t_parse_time },
    { "ngx_gmtime", t_gmtime },
    { NULL, NULL }
};
