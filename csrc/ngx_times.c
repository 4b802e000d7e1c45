/* Dates that are computed without the C library. */

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DAY           86400
#define NGX_DAYS_400      146097        /* days of 400 years */

/* December 31, 9999, 23:59:59: the last year with four digits. */

#define NGX_LAST_TIME     253402300799

/* The days from March 1 of the year 0 to January 1, 1970. */
#define NGX_DAYS_TO_1970  719468


/*
 * The computation counts years from March 1, so that February 29 is the last
 * day of a year.  Then month m, where March is 0, begins (153 * m + 2) / 5 days
 * after the beginning of the year.
 */

void
ngx_gmtime(time_t t, ngx_tm_t *tp)
{
    ngx_int_t  days, second, year, month;

    t = ngx_max(t, 0);
    t = ngx_min(t, NGX_LAST_TIME);

    days = t / NGX_DAY;
    second = t % NGX_DAY;

    tp->tm_hour = (int) (second / 3600);
    tp->tm_min = (int) (second / 60 % 60);
    tp->tm_sec = (int) (second % 60);

    /* January 1, 1970 was a Thursday. */

    tp->tm_wday = (int) ((days + 4) % 7);

    days += NGX_DAYS_TO_1970;
    year = days / NGX_DAYS_400 * 400;
    days %= NGX_DAYS_400;

    /*
     * Each 4 years have a leap day, but not each 100.  The last day of the 400
     * years is a leap day, too.
     */

    year += (days - days / 1460 + days / 36524 - days / 146096) / 365;
    days -= year % 400 * 365 + year % 400 / 4 - year % 400 / 100;

    month = (5 * days + 2) / 153;

    tp->tm_mday = (int) (days - (153 * month + 2) / 5 + 1);
    tp->tm_mon = (int) (month < 10 ? month + 3 : month - 9);
    tp->tm_year = (int) (month < 10 ? year : year + 1);
}


time_t
ngx_next_time(time_t when)
{
    time_t     next;
    struct tm  day;

    ngx_libc_localtime(ngx_time(), &day);

    day.tm_sec = (int) (when % 60);
    day.tm_min = (int) (when / 60 % 60);
    day.tm_hour = (int) (when / 3600);

    /* mktime() accepts the day behind the last day of a month. */

    do {
        next = mktime(&day);
        day.tm_mday++;

    } while (next != -1 && next <= ngx_time());

    return next;
}
