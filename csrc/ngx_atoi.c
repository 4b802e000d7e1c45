/*
 * Numbers from text.  The text has n bytes and need not end with a NUL.  A
 * result is NGX_ERROR if the text is empty, has another character, or if the
 * number is too large for the type.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_IS_DIGIT(c)  ((c) >= '0' && (c) <= '9')


static ngx_int_t
ngx_decimal(const u_char *line, size_t n)
{
    size_t     i;
    ngx_int_t  value, digit;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0, i = 0; i < n; i++) {

        if (!NGX_IS_DIGIT(line[i])) {
            return NGX_ERROR;
        }

        digit = line[i] - '0';

        if (value > (NGX_MAX_INT_T_VALUE - digit) / 10) {
            return NGX_ERROR;
        }

        value = value * 10 + digit;
    }

    return value;
}


ngx_int_t
ngx_atoi(u_char *line, size_t n)
{
    return ngx_decimal(line, n);
}


/* These types have as many bits as ngx_int_t on all systems of the library. */

ssize_t
ngx_atosz(u_char *line, size_t n)
{
    return ngx_decimal(line, n);
}


off_t
ngx_atoof(u_char *line, size_t n)
{
    return ngx_decimal(line, n);
}


time_t
ngx_atotm(u_char *line, size_t n)
{
    return ngx_decimal(line, n);
}


ngx_int_t
ngx_atofp(u_char *line, size_t n, size_t point)
{
    size_t      i;
    ngx_int_t   value, digit;
    ngx_uint_t  fraction;

    if (n == 0) {
        return NGX_ERROR;
    }

    fraction = 0;

    for (value = 0, i = 0; i < n; i++) {

        if (point == 0) {
            return NGX_ERROR;
        }

        if (line[i] == '.' && !fraction) {
            fraction = 1;
            continue;
        }

        if (!NGX_IS_DIGIT(line[i])) {
            return NGX_ERROR;
        }

        digit = line[i] - '0';

        if (value > (NGX_MAX_INT_T_VALUE - digit) / 10) {
            return NGX_ERROR;
        }

        value = value * 10 + digit;
        point -= fraction;
    }

    for ( /* void */ ; point; point--) {

        if (value > NGX_MAX_INT_T_VALUE / 10) {
            return NGX_ERROR;
        }

        value *= 10;
    }

    return value;
}


ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    size_t     i;
    u_char     c;
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0, i = 0; i < n; i++) {

        if (value > NGX_MAX_INT_T_VALUE / 16) {
            return NGX_ERROR;
        }

        c = line[i];

        if (NGX_IS_DIGIT(c)) {
            value = value * 16 + (c - '0');
            continue;
        }

        c = ngx_tolower(c);

        if (c < 'a' || c > 'f') {
            return NGX_ERROR;
        }

        value = value * 16 + (c - 'a' + 10);
    }

    return value;
}
