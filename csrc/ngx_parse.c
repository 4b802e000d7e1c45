/* Sizes and times with units, as in a configuration. */

#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char      letter;
    ngx_int_t   seconds;
} ngx_parse_unit_t;


/* From the largest unit to the smallest.  A space ends a number of seconds. */

static const ngx_parse_unit_t  ngx_parse_units[] = {
    { 'y', 365 * 24 * 60 * 60 },
    { 'M', 30 * 24 * 60 * 60 },
    { 'w', 7 * 24 * 60 * 60 },
    { 'd', 24 * 60 * 60 },
    { 'h', 60 * 60 },
    { 'm', 60 },
    { 's', 1 },
};

/* Positions in the table, and behind the table. */

#define NGX_PARSE_WEEK   2
#define NGX_PARSE_SEC    6
#define NGX_PARSE_MSEC   7
#define NGX_PARSE_LAST   8


/* A number with a letter of which each stands for a factor of 1024. */

static ngx_int_t
ngx_parse_binary(ngx_str_t *line, const char *letters)
{
    size_t       len;
    ngx_int_t    value;
    ngx_uint_t   shift;
    const char  *letter;

    len = line->len;

    if (len == 0) {
        return NGX_ERROR;
    }

    shift = 0;
    letter = (line->data[len - 1] == '\0')
             ? NULL : ngx_strchr(letters, ngx_toupper(line->data[len - 1]));

    if (letter) {
        shift = 10 * (ngx_uint_t) (letter - letters + 1);
        len--;
    }

    value = ngx_atoi(line->data, len);

    if (value == NGX_ERROR || value > NGX_MAX_INT_T_VALUE >> shift) {
        return NGX_ERROR;
    }

    return value << shift;
}


ssize_t
ngx_parse_size(ngx_str_t *line)
{
    return ngx_parse_binary(line, "KM");
}


off_t
ngx_parse_offset(ngx_str_t *line)
{
    return ngx_parse_binary(line, "KMG");
}


/* Adds a * b to the total; returns NGX_ERROR if the result is too large. */

static ngx_int_t
ngx_parse_add(ngx_int_t *total, ngx_int_t a, ngx_int_t b)
{
    if (a > NGX_MAX_INT_T_VALUE / b
        || a * b > NGX_MAX_INT_T_VALUE - *total)
    {
        return NGX_ERROR;
    }

    *total += a * b;

    return NGX_OK;
}


/*
 * Takes a unit from the text.  Returns its position, or NGX_ERROR.
 */

static ngx_int_t
ngx_parse_unit(u_char **p, u_char *last)
{
    u_char     ch;
    ngx_int_t  i;

    ch = *(*p)++;

    if (ch == ' ') {
        return NGX_PARSE_LAST;
    }

    if (ch == 'm' && *p < last && **p == 's') {
        (*p)++;
        return NGX_PARSE_MSEC;
    }

    for (i = 0; i <= NGX_PARSE_SEC; i++) {

        if (ngx_parse_units[i].letter == ch) {
            return i;
        }
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_parse_time(ngx_str_t *line, ngx_uint_t is_sec)
{
    u_char      *p, *last;
    ngx_int_t    unit, least, scale, value, total;
    ngx_uint_t   valid;

    p = line->data;
    last = p + line->len;

    /* the units must become smaller; milliseconds do not go with years */

    least = is_sec ? 0 : NGX_PARSE_WEEK;
    valid = 0;
    value = 0;
    total = 0;

    while (p < last) {

        if (*p >= '0' && *p <= '9') {

            scale = *p++ - '0';

            if (value > (NGX_MAX_INT_T_VALUE - scale) / 10) {
                return NGX_ERROR;
            }

            value = value * 10 + scale;
            valid = 1;
            continue;
        }

        unit = ngx_parse_unit(&p, last);

        if (unit < least || (unit == NGX_PARSE_LAST && least > NGX_PARSE_SEC)
            || (unit == NGX_PARSE_MSEC && is_sec))
        {
            return NGX_ERROR;
        }

        scale = (unit <= NGX_PARSE_SEC) ? ngx_parse_units[unit].seconds : 1;

        if (unit != NGX_PARSE_MSEC && !is_sec) {
            scale *= 1000;
        }

        if (ngx_parse_add(&total, value, scale) != NGX_OK) {
            return NGX_ERROR;
        }

        least = unit + 1;
        value = 0;

        while (p < last && *p == ' ') {
            p++;
        }
    }

    if (!valid || ngx_parse_add(&total, value, is_sec ? 1 : 1000) != NGX_OK) {
        return NGX_ERROR;
    }

    return total;
}
