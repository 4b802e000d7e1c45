/*
 * ngx_time.h: dates, and pauses.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_TIME_H_INCLUDED_
#define _NGX_TIME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define ngx_tm_sec     tm_sec
#define ngx_tm_min     tm_min
#define ngx_tm_hour    tm_hour
#define ngx_tm_mday    tm_mday
#define ngx_tm_mon     tm_mon
#define ngx_tm_year    tm_year
#define ngx_tm_wday    tm_wday
#define ngx_tm_isdst   tm_isdst

#define ngx_tm_sec_t   int
#define ngx_tm_min_t   int
#define ngx_tm_hour_t  int
#define ngx_tm_mday_t  int
#define ngx_tm_mon_t   int
#define ngx_tm_year_t  int
#define ngx_tm_wday_t  int

#if (NGX_HAVE_GMTOFF)
#define ngx_tm_gmtoff  tm_gmtoff
#define ngx_tm_zone    tm_zone
#endif

/* The minutes that local time is ahead of UTC, without and with summer time. */
#define ngx_timezone(isdst)   (- ((isdst) ? timezone + 3600 : timezone) / 60)

/* Sets *tp, a struct timeval, to the time of day. */
#define ngx_gettimeofday(tp)  (void) gettimeofday(tp, NULL);

/* Pauses the process for ms milliseconds, or until a signal arrives. */
#define ngx_msleep(ms)        (void) usleep((ms) * 1000)

/* Pauses the process for s seconds, or until a signal arrives. */
#define ngx_sleep(s)          (void) sleep(s)


/*
 * Makes the C library look whether the machine has another time zone.
 *
 * References: tzset(3).
 */
void ngx_timezone_update(void);

/*
 * Converts the time s to local time.  In tm, January is month 1, and tm_year is
 * the year itself.
 *
 * References: localtime_r(3); nginx's src/os/unix/ngx_time.c.
 */
void ngx_localtime(time_t s, ngx_tm_t *tm);

/* Converts the time s to local time, as localtime_r(3). */
void ngx_libc_localtime(time_t s, struct tm *tm);

/* Converts the time s to UTC, as gmtime_r(3). */
void ngx_libc_gmtime(time_t s, struct tm *tm);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_TIME_H_INCLUDED_ */
