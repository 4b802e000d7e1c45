/*
 * Formatted output as in nginx.  A directive such as "%5ui" is parsed into a
 * ngx_spec_t; then its argument is converted, padded and written.
 *
 * All functions are async-signal-safe, because they use no locale, no
 * allocation and no errno.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * This is a macro, because a function cannot take the address of a va_list
 * parameter on systems where va_list is an array.
 */

#define ngx_int_arg(spec, args, signed_type, unsigned_type)                   \
    ((spec)->is_unsigned                                                      \
     ? ngx_unsigned((uint64_t) va_arg(args, unsigned_type))                   \
     : ngx_signed((int64_t) va_arg(args, signed_type)))


typedef struct {
    size_t       width;
    size_t       digits;       /* of the fraction, in %f */
    size_t       length;       /* in %*s; otherwise (size_t) -1 */
    u_char       pad;
    const char  *hex;          /* the digits for x or X; otherwise NULL */
    unsigned     is_unsigned:1;
    unsigned     widest:1;     /* m: padded to the width of any ngx_int_t */
} ngx_spec_t;


typedef struct {
    uint64_t     value;
    ngx_uint_t   negative;
} ngx_number_t;


static const char  ngx_lower[] = "0123456789abcdef";
static const char  ngx_upper[] = "0123456789ABCDEF";


static ngx_number_t
ngx_unsigned(uint64_t value)
{
    ngx_number_t  number;

    number.value = value;
    number.negative = 0;

    return number;
}


static ngx_number_t
ngx_signed(int64_t value)
{
    ngx_number_t  number;

    number.negative = value < 0;
    number.value = number.negative ? 0 - (uint64_t) value : (uint64_t) value;

    return number;
}


static u_char *
ngx_put_char(u_char *buf, u_char *last, u_char ch)
{
    if (buf < last) {
        *buf++ = ch;
    }

    return buf;
}


static u_char *
ngx_put_bytes(u_char *buf, u_char *last, const u_char *src, size_t len)
{
    size_t  room;

    room = (size_t) (last - buf);
    len = ngx_min(len, room);

    return ngx_cpymem(buf, src, len);
}


static u_char *
ngx_put_number(u_char *buf, u_char *last, ngx_number_t number,
    const ngx_spec_t *spec)
{
    size_t       n;
    uint64_t     base, value;
    u_char       digits[20], *p;
    const char  *set;

    if (number.negative) {
        buf = ngx_put_char(buf, last, '-');
    }

    base = spec->hex ? 16 : 10;
    set = spec->hex ? spec->hex : ngx_lower;
    value = number.value;
    p = digits + sizeof(digits);

    do {
        *--p = (u_char) set[value % base];
        value /= base;
    } while (value != 0);

    n = (size_t) (digits + sizeof(digits) - p);

    for ( /* void */ ; n < spec->width && buf < last; n++) {
        *buf++ = spec->pad;
    }

    return ngx_put_bytes(buf, last, p, (size_t) (digits + sizeof(digits) - p));
}


static u_char *
ngx_put_text(u_char *buf, u_char *last, const u_char *src, size_t len,
    const ngx_spec_t *spec)
{
    size_t  i;

    if (spec->hex == NULL) {
        return ngx_put_bytes(buf, last, src, len);
    }

    /*
     * The cast to size_t is needed, as in ngx_put_bytes(), because
     * ngx_sprintf() passes a "last" that is further from buf than ptrdiff_t can
     * count.
     */

    for (i = 0; i < len && (size_t) (last - buf) >= 2; i++) {
        *buf++ = (u_char) spec->hex[src[i] >> 4];
        *buf++ = (u_char) spec->hex[src[i] & 0xf];
    }

    return buf;
}


static u_char *
ngx_put_double(u_char *buf, u_char *last, double f, ngx_spec_t *spec)
{
    size_t    i;
    double    scale;
    uint64_t  whole, part;

    if (f < 0) {
        buf = ngx_put_char(buf, last, '-');
        f = -f;
    }

    for (scale = 1, i = 0; i < spec->digits; i++) {
        scale *= 10;
    }

    whole = (uint64_t) f;
    part = spec->digits ? (uint64_t) ((f - (double) whole) * scale + 0.5) : 0;

    if ((double) part >= scale) {
        /* the fraction is rounded up to 1, as with .9996 and three digits */
        whole++;
        part = 0;
    }

    spec->hex = NULL;
    buf = ngx_put_number(buf, last, ngx_unsigned(whole), spec);

    if (spec->digits) {
        spec->width = spec->digits;
        spec->pad = '0';

        buf = ngx_put_char(buf, last, '.');
        buf = ngx_put_number(buf, last, ngx_unsigned(part), spec);
    }

    return buf;
}


static size_t
ngx_parse_width(const char **fmt)
{
    size_t  width;

    for (width = 0; **fmt >= '0' && **fmt <= '9'; (*fmt)++) {
        width = width * 10 + (size_t) (**fmt - '0');
    }

    return width;
}


u_char *
ngx_vslprintf(u_char *buf, u_char *last, const char *fmt, va_list args)
{
    u_char                *text;
    ngx_str_t             *str;
    ngx_msec_t             ms;
    ngx_spec_t             spec;
    ngx_number_t           number;
    ngx_variable_value_t  *value;

    while (*fmt && buf < last) {

        if (*fmt != '%') {
            *buf++ = (u_char) *fmt++;
            continue;
        }

        fmt++;

        spec.pad = (*fmt == '0') ? '0' : ' ';
        spec.width = ngx_parse_width(&fmt);
        spec.digits = 0;
        spec.length = (size_t) -1;
        spec.hex = NULL;
        spec.is_unsigned = 0;
        spec.widest = 0;

        for ( ;; fmt++) {

            if (*fmt == 'u') {
                spec.is_unsigned = 1;

            } else if (*fmt == 'm') {
                spec.widest = 1;

            } else if (*fmt == 'x' || *fmt == 'X') {
                spec.hex = (*fmt == 'x') ? ngx_lower : ngx_upper;
                spec.is_unsigned = 1;

            } else if (*fmt == '*') {
                spec.length = va_arg(args, size_t);

            } else {
                break;
            }
        }

        if (*fmt == '.') {
            fmt++;
            spec.digits = ngx_parse_width(&fmt);
        }

        switch (*fmt) {

        case 'V':
            str = va_arg(args, ngx_str_t *);
            buf = ngx_put_text(buf, last, str->data, str->len, &spec);
            fmt++;
            continue;

        case 'v':
            value = va_arg(args, ngx_variable_value_t *);
            buf = ngx_put_text(buf, last, value->data, value->len, &spec);
            fmt++;
            continue;

        case 's':
            text = va_arg(args, u_char *);

            if (spec.length == (size_t) -1) {
                spec.length = ngx_strlen(text);
            }

            buf = ngx_put_text(buf, last, text, spec.length, &spec);
            fmt++;
            continue;

        case 'f':
            buf = ngx_put_double(buf, last, va_arg(args, double), &spec);
            fmt++;
            continue;

        case 'c':
            *buf++ = (u_char) va_arg(args, int);
            fmt++;
            continue;

        case 'Z':
            *buf++ = '\0';
            fmt++;
            continue;

        case 'N':
            *buf++ = '\n';
            fmt++;
            continue;

        case 'O':
            number = ngx_signed(va_arg(args, off_t));
            break;

        case 'P':
            number = ngx_signed(va_arg(args, ngx_pid_t));
            break;

        case 'T':
            number = ngx_signed(va_arg(args, time_t));
            break;

        case 'r':
            number = ngx_signed((int64_t) va_arg(args, rlim_t));
            break;

        case 'M':
            ms = va_arg(args, ngx_msec_t);
            number = (ms == (ngx_msec_t) -1) ? ngx_signed(-1)
                                             : ngx_unsigned(ms);
            break;

        case 'z':
            number = ngx_int_arg(&spec, args, ssize_t, size_t);
            break;

        case 'i':
        case 'A':
            number = ngx_int_arg(&spec, args, ngx_int_t, ngx_uint_t);

            if (spec.widest) {
                spec.width = NGX_INT_T_LEN;
            }

            break;

        case 'd':
            number = ngx_int_arg(&spec, args, int, unsigned int);
            break;

        case 'l':
            number = ngx_int_arg(&spec, args, long, unsigned long);
            break;

        case 'D':
            number = ngx_int_arg(&spec, args, int32_t, uint32_t);
            break;

        case 'L':
            number = ngx_int_arg(&spec, args, int64_t, uint64_t);
            break;

        case 'p':
            number = ngx_unsigned((uintptr_t) va_arg(args, void *));
            spec.hex = ngx_upper;
            spec.pad = '0';
            spec.width = 2 * sizeof(void *);
            break;

        case '\0':
            /* the format ends with a single % */
            continue;

        default:
            /*
             * "%%", or a letter that nginx does not know, is written as it is
             */
            *buf++ = (u_char) *fmt++;
            continue;
        }

        fmt++;

        buf = ngx_put_number(buf, last, number, &spec);
    }

    return buf;
}


u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return p;
}


u_char *
ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + max, fmt, args);
    va_end(args);

    return p;
}


u_char *
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, (u_char *) (uintptr_t) -1, fmt, args);
    va_end(args);

    return p;
}
