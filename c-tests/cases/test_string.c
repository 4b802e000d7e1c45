
/* Tests of ngx_sprintf() and its variants, with nginx's format letters. */


#include "test.h"

#include <stdio.h>


#define SIZE   128
#define GUARD  0xee


static u_char       line[SIZE];
static const char  *wanted;
static size_t       wanted_len;


static u_char *
fresh(const char *text, size_t len)
{
    wanted = text;
    wanted_len = len;

    memset(line, GUARD, sizeof(line));

    return line;
}


/*
 * Checks that the function has written the first "len" bytes of the text and
 * nothing behind them.
 */

static void
is(const char *fmt, int at, const char *call, size_t len, u_char *end)
{
    size_t  i;

    if (end != line + len || memcmp(line, wanted, len) != 0) {
        t_ok(__FILE__, at, call, 0);
        t_diag("%s gave \"%.*s\", not \"%.*s\"", fmt, (int) (end - line),
               (char *) line, (int) len, wanted);
        return;
    }

    for (i = len; i < SIZE; i++) {

        if (line[i] != GUARD) {
            t_ok(__FILE__, at, call, 0);
            t_diag("%s wrote behind its end at %d", fmt, (int) i);
            return;
        }
    }
}


/*
 * Checks that each of ngx_sprintf(), ngx_snprintf() and ngx_slprintf() writes
 * the whole text.
 */

#define WHOLE(text, fmt, ...)                                                \
    do {                                                                     \
        is(fmt, __LINE__, "ngx_sprintf()", sizeof(text) - 1,                 \
           ngx_sprintf(fresh(text, sizeof(text) - 1), fmt, ##__VA_ARGS__));  \
        is(fmt, __LINE__, "ngx_snprintf()", sizeof(text) - 1,                \
           ngx_snprintf(fresh(text, sizeof(text) - 1), SIZE, fmt,            \
                        ##__VA_ARGS__));                                     \
        is(fmt, __LINE__, "ngx_slprintf()", sizeof(text) - 1,                \
           ngx_slprintf(fresh(text, sizeof(text) - 1), line + SIZE, fmt,     \
                        ##__VA_ARGS__));                                     \
    } while (0)

/*
 * Checks what WHOLE() checks, and that ngx_snprintf() and ngx_slprintf() write
 * as much of the text as fits in a buffer of each smaller size.
 */

#define FORMAT(text, fmt, ...)                                               \
    do {                                                                     \
        size_t  room;                                                        \
                                                                             \
        WHOLE(text, fmt, ##__VA_ARGS__);                                     \
                                                                             \
        for (room = 0; room < sizeof(text); room++) {                        \
            is(fmt, __LINE__, "ngx_snprintf(), cut", room,                   \
               ngx_snprintf(fresh(text, sizeof(text) - 1), room, fmt,        \
                            ##__VA_ARGS__));                                 \
            is(fmt, __LINE__, "ngx_slprintf(), cut", room,                   \
               ngx_slprintf(fresh(text, sizeof(text) - 1), line + room, fmt, \
                            ##__VA_ARGS__));                                 \
        }                                                                    \
    } while (0)


static void
test_plain(void)
{
    FORMAT("", "");
    FORMAT("text", "text");
    FORMAT("100%", "100%%");
    FORMAT("%d", "%%d");
    FORMAT("a\nb", "a\nb");
}


static void
test_str(void)
{
    ngx_str_t  some = ngx_string("some text"), none = ngx_null_string;

    FORMAT("some text", "%V", &some);
    FORMAT("[some text]", "[%V]", &some);
    FORMAT("[]", "[%V]", &none);

    /* An ngx_str_t has a length, so its text can contain NUL. */

    some.len = 4;
    FORMAT("some", "%V", &some);

    some.data = (u_char *) "a\0bc";
    FORMAT("a\0bc.", "%V.", &some);
}


static void
test_variable(void)
{
    ngx_str_t             str = ngx_string("next");
    ngx_variable_value_t  value;

    memset(&value, 0xff, sizeof(value));
    value.len = 4;
    value.data = (u_char *) "some text";

    FORMAT("some next", "%v %V", &value, &str);
    WHOLE("736f6d65", "%xv", &value);

    value.len = 0;
    FORMAT("[]", "[%v]", &value);
}


static void
test_text(void)
{
    FORMAT("text", "%s", "text");
    FORMAT("[]", "[%s]", "");
    FORMAT("a-b", "%s-%s", "a", "b");

    FORMAT("tex", "%*s", (size_t) 3, "text");
    FORMAT("[]", "[%*s]", (size_t) 0, "text");
    FORMAT("a\0b.", "%*s.", (size_t) 3, "a\0bc");
}


static void
test_int(void)
{
    FORMAT("0", "%d", 0);
    FORMAT("7", "%d", 7);
    FORMAT("-7", "%d", -7);
    FORMAT("2147483647", "%d", INT_MAX);
    FORMAT("-2147483648", "%d", INT_MIN);
    FORMAT("4294967295", "%ud", UINT_MAX);
    FORMAT("2147483648", "%ud", (unsigned) INT_MAX + 1);
}


static void
test_ngx_int(void)
{
    FORMAT("0", "%i", (ngx_int_t) 0);
    FORMAT("-1", "%i", (ngx_int_t) -1);
    FORMAT("9223372036854775807", "%i", (ngx_int_t) INT64_MAX);
    FORMAT("-9223372036854775808", "%i", (ngx_int_t) INT64_MIN);
    FORMAT("18446744073709551615", "%ui", (ngx_uint_t) -1);
    FORMAT("0", "%ui", (ngx_uint_t) 0);
}


static void
test_long(void)
{
    FORMAT("-5", "%l", -5L);
    FORMAT("-9223372036854775808", "%l", LONG_MIN);
    FORMAT("18446744073709551615", "%ul", ULONG_MAX);
}


static void
test_fixed_width(void)
{
    FORMAT("-2147483648", "%D", (int32_t) INT32_MIN);
    FORMAT("4294967295", "%uD", (uint32_t) UINT32_MAX);
    FORMAT("-9223372036854775808", "%L", (int64_t) INT64_MIN);
    FORMAT("18446744073709551615", "%uL", (uint64_t) UINT64_MAX);
}


static void
test_size(void)
{
    FORMAT("-1", "%z", (ssize_t) -1);
    FORMAT("4096", "%z", (ssize_t) 4096);
    FORMAT("18446744073709551615", "%uz", SIZE_MAX);
}


static void
test_atomic(void)
{
    FORMAT("-3", "%A", (ngx_int_t) -3);
    FORMAT("18446744073709551615", "%uA", (ngx_uint_t) -1);
}


static void
test_pid(void)
{
    FORMAT("12345", "%P", (ngx_pid_t) 12345);
    FORMAT("-1", "%P", (ngx_pid_t) -1);
}


static void
test_times(void)
{
    FORMAT("1700000000", "%T", (time_t) 1700000000);
    FORMAT("-1", "%T", (time_t) -1);
    FORMAT("86400000", "%M", (ngx_msec_t) 86400000);
    FORMAT("-1", "%M", (ngx_msec_t) -1);
    FORMAT("18446744073709551614", "%M", (ngx_msec_t) -2);
    FORMAT("0", "%M", (ngx_msec_t) 0);
}


static void
test_offset(void)
{
    FORMAT("-1", "%O", (off_t) -1);
    FORMAT("1099511627776", "%O", (off_t) 1 << 40);
}


static void
test_rlimit(void)
{
    FORMAT("1024", "%r", (rlim_t) 1024);
    FORMAT("-1", "%r", RLIM_INFINITY);
}


static void
test_pointer(void)
{
    FORMAT("0000000000000000", "%p", NULL);
    FORMAT("00007FFFDEADBEEF", "%p", (void *) 0x7fffdeadbeef);
    FORMAT("FFFFFFFFFFFFFFFF.", "%p.", (void *) -1);
}


static void
test_char(void)
{
    FORMAT("x", "%c", 'x');
    FORMAT("[\0]", "[%c]", 0);
    FORMAT("\xff", "%c", 0xff);
    FORMAT("A", "%c", 0x141);
}


static void
test_single(void)
{
    FORMAT("a\0b", "a%Zb");
    FORMAT("a\nb", "a%Nb");
    FORMAT("%", "%%");
    FORMAT("%%", "%%%%");
}


static void
test_hex(void)
{
    FORMAT("0", "%xd", 0);
    FORMAT("beef", "%xd", 0xbeef);
    FORMAT("BEEF", "%Xd", 0xbeef);
    FORMAT("ffffffff", "%xd", -1);
    FORMAT("ffffffffffffffff", "%xi", (ngx_int_t) -1);
    FORMAT("8000000000000000", "%xi", (ngx_int_t) INT64_MIN);
    FORMAT("FFFF", "%Xz", (size_t) 0xffff);
    FORMAT("deadbeef", "%xD", 0xdeadbeef);
    FORMAT("DEADBEEF", "%XD", 0xdeadbeef);
    FORMAT("123456789abcdef", "%xL", (int64_t) 0x123456789abcdef);
    FORMAT("12ab", "%xl", 0x12abL);
    FORMAT("1F", "%uXd", 31);
}


static void
test_width(void)
{
    FORMAT("    7", "%5d", 7);
    FORMAT("00007", "%05d", 7);
    FORMAT("12345", "%2d", 12345);
    FORMAT("07", "%02i", (ngx_int_t) 7);
    FORMAT("  0", "%3ui", (ngx_uint_t) 0);
    FORMAT("0000beef", "%08xd", 0xbeef);
    FORMAT("    BEEF", "%8Xd", 0xbeef);
    FORMAT("7", "%0d", 7);
    FORMAT("00000000000000000000000000000007", "%032d", 7);
    FORMAT("                               7", "%32i", (ngx_int_t) 7);
    FORMAT("0000000000000000000000000abc", "%028xL", (int64_t) 0xabc);
    FORMAT("00012", "%05P", (ngx_pid_t) 12);
    FORMAT("   12", "%5T", (time_t) 12);
    FORMAT("002", "%03M", (ngx_msec_t) 2);
    FORMAT("  42", "%4O", (off_t) 42);
}


/*
 * The minus sign is written before the padding, and is not counted in the
 * width.
 */

static void
test_width_negative(void)
{
    FORMAT("-    7", "%5d", -7);
    FORMAT("-00007", "%05d", -7);
    FORMAT("-12345", "%2d", -12345);
    FORMAT("-09223372036854775808", "%020i", (ngx_int_t) INT64_MIN);
}


static void
test_widest(void)
{
    FORMAT("                   7", "%mi", (ngx_int_t) 7);
    FORMAT("00000000000000000007", "%0mui", (ngx_uint_t) 7);
}


static void
test_double(void)
{
    FORMAT("1", "%f", 1.0);
    FORMAT("1", "%f", 1.9);
    FORMAT("0.500", "%.3f", 0.5);
    FORMAT("0.063", "%.3f", 0.0625);
    FORMAT("3.14", "%.2f", 3.14159);
    FORMAT("2.000", "%.3f", 1.9996);
    FORMAT("1.999", "%.3f", 1.9994);
    FORMAT("-1.50", "%.2f", -1.5);
    FORMAT("0.00", "%.2f", 0.0);
    FORMAT("1.05", "%.2f", 1.05001);
    FORMAT("  1.50", "%3.2f", 1.5);
    FORMAT("001.50", "%03.2f", 1.5);
    FORMAT("1", "%.0f", 1.5);
    FORMAT("1000000000000.25", "%.2f", 1e12 + 0.25);
}


static void
test_dump(void)
{
    ngx_str_t  str = ngx_string("\x01\xab\xff"), none = ngx_null_string;

    WHOLE("01abff", "%xV", &str);
    WHOLE("01ABFF", "%XV", &str);
    WHOLE("[]", "[%xV]", &none);
    WHOLE("6162", "%xs", "ab");
    WHOLE("4A", "%Xs", "J");
    WHOLE("0001", "%*xs", (size_t) 2, "\0\x01\x02");
    WHOLE("00ABFF", "%*Xs", (size_t) 3, "\0\xab\xff");
    WHOLE("[]", "[%*xs]", (size_t) 0, "ab");
}


/*
 * If the buffer has room for one more digit only, no digit of the byte is
 * written.
 */

static void
test_dump_cut(void)
{
    fresh("616263", 6);

    is("%xs", __LINE__, "6 bytes", 6, ngx_snprintf(line, 6, "%xs", "abc"));

    fresh("616263", 6);
    is("%xs", __LINE__, "5 bytes", 4, ngx_snprintf(line, 5, "%xs", "abc"));

    fresh("616263", 6);
    is("%xs", __LINE__, "4 bytes", 4, ngx_snprintf(line, 4, "%xs", "abc"));

    fresh("616263", 6);
    is("%xs", __LINE__, "1 byte", 0, ngx_snprintf(line, 1, "%xs", "abc"));

    fresh("616263", 6);
    is("%xs", __LINE__, "0 bytes", 0, ngx_snprintf(line, 0, "%xs", "abc"));
}


static void
test_many(void)
{
    ngx_str_t  name = ngx_string("worker process");

    FORMAT("worker process 42 exited with code 2 after 0.25 s",
           "%V %P exited with code %d after %.2f s",
           &name, (ngx_pid_t) 42, 2, 0.25);

    FORMAT("1 -2 3 4 5 6 7 8 9 a 0B",
           "%d %i %ui %l %D %L %z %uz %M %xd %02Xd",
           1, (ngx_int_t) -2, (ngx_uint_t) 3, 4L, (int32_t) 5, (int64_t) 6,
           (ssize_t) 7, (size_t) 8, (ngx_msec_t) 9, 10, 11);
}


static void
test_unknown(void)
{
    FORMAT("q", "%q");
    FORMAT("[k] 1", "[%k] %d", 1);
}


static u_char *
vformat(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return p;
}


static u_char *
vnformat(u_char *buf, size_t max, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vsnprintf(buf, max, fmt, args);
    va_end(args);

    return p;
}


static void
test_va_list(void)
{
    fresh("-1 text", 7);
    is("%i %s", __LINE__, "ngx_vslprintf()", 7,
       vformat(line, line + SIZE, "%i %s", (ngx_int_t) -1, "text"));

    fresh("-1 text", 7);
    is("%i %s", __LINE__, "ngx_vslprintf(), cut", 6,
       vformat(line, line + 6, "%i %s", (ngx_int_t) -1, "text"));

    fresh("-1 text", 7);
    is("%i %s", __LINE__, "ngx_vsnprintf()", 4,
       vnformat(line, 4, "%i %s", (ngx_int_t) -1, "text"));
}


/*
 * The function does not change errno, so that its caller can log errno
 * afterwards.
 */

static void
test_errno(void)
{
    errno = ENOTTY;
    (void) ngx_sprintf(line, "%d %s %.2f", 1, "text", 0.5);
    T_EQ(errno, ENOTTY);
}


static void
test_at_the_end(void)
{
    WHOLE("100", "100%");
    WHOLE("a", "a%0");
    WHOLE("a", "a%5");
    WHOLE("a", "a%u");
    WHOLE("a", "a%x");
    WHOLE("a", "a%.3");
}


int
main(void)
{
    t_begin();

    t_run("text without format letters", test_plain);
    t_run("%V", test_str);
    t_run("%v", test_variable);
    t_run("%s, %*s", test_text);
    t_run("%d, %ud", test_int);
    t_run("%i, %ui", test_ngx_int);
    t_run("%l, %ul", test_long);
    t_run("%D, %uD, %L, %uL", test_fixed_width);
    t_run("%z, %uz", test_size);
    t_run("%A, %uA", test_atomic);
    t_run("%P", test_pid);
    t_run("%T, %M", test_times);
    t_run("%O", test_offset);
    t_run("%r", test_rlimit);
    t_run("%p", test_pointer);
    t_run("%c", test_char);
    t_run("%Z, %N, %%", test_single);
    t_run("%x, %X: numbers", test_hex);
    t_run("width", test_width);
    t_run("width of negative numbers", test_width_negative);
    t_run("%m: the largest width", test_widest);
    t_run("%f", test_double);
    t_run("%x, %X: dumps", test_dump);
    t_run("a dump that does not fit", test_dump_cut);
    t_run("several format letters", test_many);
    t_run("unknown format letters", test_unknown);
    t_run("the variants with a va_list", test_va_list);
    t_run("errno does not change", test_errno);
    t_run("X a single % at the end", test_at_the_end);

    return t_end();
}
