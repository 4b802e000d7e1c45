/* Dates of the C library. */

#include <ngx_config.h>
#include <ngx_core.h>


void
ngx_timezone_update(void)
{
    time_t  now;

    /* localtime() reads the time zone again, localtime_r() need not do so. */

    now = time(NULL);
    (void) localtime(&now);
}


void
ngx_localtime(time_t s, ngx_tm_t *tm)
{
    (void) localtime_r(&s, tm);

    tm->tm_mon += 1;
    tm->tm_year += 1900;
}


void
ngx_libc_localtime(time_t s, struct tm *tm)
{
    (void) localtime_r(&s, tm);
}


void
ngx_libc_gmtime(time_t s, struct tm *tm)
{
    (void) gmtime_r(&s, tm);
}
