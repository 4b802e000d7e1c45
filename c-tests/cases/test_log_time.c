
/* Tests of the log: the time of a line. */


#include "t_logger.h"


/*
 * Logs a line, and checks that its time is between the times before and after
 * the call.
 */

static void
check_time(void)
{
    char        before[32], after[32], time[32];
    struct tm   tm;

    memset(&tm, 0, sizeof(struct tm));

    t_local_time(before, sizeof(before));
    ngx_time_update();
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    t_local_time(after, sizeof(after));

    snprintf(time, sizeof(time), "%.19s", t_logger_text());

    T_OK(strptime(time, "%Y/%m/%d %H:%M:%S", &tm) != NULL);

    if (!T_OK(strcmp(before, time) <= 0 && strcmp(time, after) <= 0)) {
        t_diag("\"%s\" is not from \"%s\" to \"%s\"", time, before, after);
    }
}


static void
test_time(void)
{
    t_logger_open();
    check_time();
    t_logger_close();
}


/*
 * Logs lines in a time zone that needs no file.  The last zone of the list has
 * summer time in January.
 */

static void
in_zone(const char *zone, int minutes)
{
    struct tm  tm;

    setenv("TZ", zone, 1);
    tzset();
    t_next_second();

    t_logger_open();
    check_time();

    T_EQ(ngx_cached_time->gmtoff, minutes);
    T_OK(localtime_r((time_t *) &ngx_cached_time->sec, &tm) != NULL);
    T_EQ(tm.tm_gmtoff, minutes * 60);

    t_logger_close();
}


static void
test_zone_east(void)
{
    in_zone("NPT-5:45", 345);
}


static void
test_zone_west(void)
{
    in_zone("XXX3:30", -210);
}


static void
test_zone_far(void)
{
    in_zone("LINT-14", 840);
}


static void
test_cached_time(void)
{
    time_t           before, after;
    ngx_time_t      *tp;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    before = ts.tv_sec;

    t_time_init();

    clock_gettime(CLOCK_REALTIME, &ts);
    after = ts.tv_sec;

    T_OK(before <= ngx_time() && ngx_time() <= after);
    T_OK(ngx_cached_time->msec < 1000);
    tp = ngx_timeofday();
    T_EQ(tp->sec, ngx_time());
    T_EQ(ngx_cached_err_log_time.len, 19);
}


static void
test_sigsafe_time(void)
{
    char  before[32], after[32], time[32];

    t_logger_open();
    t_next_second();

    /*
     * ngx_time_sigsafe_update(), which signal handlers call, updates only the
     * time that log lines have.
     */

    t_local_time(before, sizeof(before));
    ngx_time_sigsafe_update();
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    t_local_time(after, sizeof(after));

    snprintf(time, sizeof(time), "%.19s", t_logger_text());
    T_OK(strcmp(before, time) <= 0 && strcmp(time, after) <= 0);

    t_logger_close();
}


int
main(void)
{
    t_begin();

    t_run("a line has the time", test_time);
    t_run("a line has the time of a zone in the east", test_zone_east);
    t_run("a line has the time of a zone in the west", test_zone_west);
    t_run("a line has the time of a zone far away", test_zone_far);
    t_run("the cached time", test_cached_time);
    t_run("ngx_time_sigsafe_update()", test_sigsafe_time);

    return t_end();
}
