
/* Tests of dates: ngx_time.h, and ngx_gmtime() and ngx_next_time(). */


#include "test.h"

#include <time.h>


static void
same(time_t t)
{
    struct tm  tm;
    ngx_tm_t   ours;

    T_REQUIRE(gmtime_r(&t, &tm) != NULL);
    memset(&ours, 0, sizeof(ours));
    ngx_gmtime(t, &ours);

    if (ours.ngx_tm_sec != tm.tm_sec || ours.ngx_tm_min != tm.tm_min
        || ours.ngx_tm_hour != tm.tm_hour || ours.ngx_tm_mday != tm.tm_mday
        || ours.ngx_tm_mon != tm.tm_mon + 1
        || ours.ngx_tm_year != tm.tm_year + 1900
        || ours.ngx_tm_wday != tm.tm_wday)
    {
        T_OK(0);
        t_diag("%lld", (long long) t);
        t_abort();
    }
}


/* Each day of 400 years, at a second that changes. */

static void
test_gmtime(void)
{
    time_t  day;

    for (day = 0; day < 146097 + 366; day++) {
        same(day * 86400 + day * 7919 % 86400);
    }

    for (day = 0; day < 3000; day++) {
        same(day * 86400);
        same(day * 86400 + 86399);
    }

    same(253402300799);
    same(0xffffffff);
}


/* Times that have no four digits of the year. */

static void
test_bad_times(void)
{
    size_t         i;
    ngx_tm_t       tm;
    static time_t  early[] = { -1, -86401, LONG_MIN };
    static time_t  late[] = { 253402300800, NGX_MAX_TIME_T_VALUE };

    for (i = 0; i < t_nitems(early); i++) {
        ngx_gmtime(early[i], &tm);
        T_EQ(tm.ngx_tm_year, 1970);
        T_EQ(tm.ngx_tm_mon, 1);
        T_EQ(tm.ngx_tm_mday, 1);
        T_EQ(tm.ngx_tm_hour, 0);
        T_EQ(tm.ngx_tm_sec, 0);
        T_EQ(tm.ngx_tm_wday, 4);
    }

    for (i = 0; i < t_nitems(late); i++) {
        ngx_gmtime(late[i], &tm);
        T_EQ(tm.ngx_tm_year, 9999);
        T_EQ(tm.ngx_tm_mon, 12);
        T_EQ(tm.ngx_tm_mday, 31);
        T_EQ(tm.ngx_tm_hour, 23);
        T_EQ(tm.ngx_tm_sec, 59);
        T_EQ(tm.ngx_tm_wday, 5);
    }
}


static void
test_random_times(void)
{
    int  i;

    srandom(1);

    for (i = 0; i < 100000; i++) {
        same((time_t) random() * 100 + random() % 100);
    }
}


static void
test_localtime(void)
{
    struct tm  tm, libc;
    ngx_tm_t   ours;
    time_t     t = 1700000000;

    setenv("TZ", "XYZ-5:30", 1);
    tzset();
    ngx_timezone_update();

    T_REQUIRE(localtime_r(&t, &tm) != NULL);
    ngx_libc_localtime(t, &libc);
    T_EQ(libc.tm_hour, tm.tm_hour);
    T_EQ(libc.tm_year, tm.tm_year);
    T_EQ(libc.tm_gmtoff, 19800);

    ngx_localtime(t, &ours);
    T_EQ(ours.ngx_tm_year, 2023);
    T_EQ(ours.ngx_tm_mon, 11);
    T_EQ(ours.ngx_tm_mday, 15);
    T_EQ(ours.ngx_tm_hour, 3);
    T_EQ(ours.ngx_tm_min, 43);
    T_EQ(ours.ngx_tm_gmtoff, 19800);
    T_EQ(ngx_timezone(0), 330);
    T_EQ(ngx_timezone(1), 270);

    ngx_libc_gmtime(t, &libc);
    T_EQ(libc.tm_hour, 22);
    T_EQ(libc.tm_mon, 10);
    T_EQ(libc.tm_year, 123);
}


/* The next time when it is the second "when" of a day. */

static void
test_next_time(void)
{
    time_t  when, next, now;

    setenv("TZ", "XYZ-5:30", 1);
    tzset();
    ngx_time_init();
    now = ngx_time();

    for (when = 0; when < 86400; when += 577) {
        next = ngx_next_time(when);
        T_OK(next > now && next <= now + 86400);
        T_EQ((next + 19800) % 86400, when);
    }
}


static void
test_pauses(void)
{
    long long       before;
    struct timeval  tv;

    before = t_msec();
    ngx_msleep(30);
    T_OK(t_msec() - before >= 30);
    ngx_sleep(0);

    ngx_gettimeofday(&tv);
    T_OK(time(NULL) - tv.tv_sec <= 1);
}


int
main(void)
{
    t_begin();

    t_run("ngx_gmtime() of each day", test_gmtime);
    t_run("ngx_gmtime() before 1970 and after 9999", test_bad_times);
    t_run("ngx_gmtime() of random times", test_random_times);
    t_run("local time", test_localtime);
    t_run("ngx_next_time()", test_next_time);
    t_run("pauses", test_pauses);

    return t_end();
}
