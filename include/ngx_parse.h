/*
 * ngx_parse.h: sizes and times with units.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_PARSE_H_INCLUDED_
#define _NGX_PARSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Converts a size in bytes, kilobytes "k" or megabytes "m", as in a
 * configuration.
 *
 * Returns the size in bytes, or NGX_ERROR if line is no size or the size is too
 * large.
 *
 * Safety: line is a string.
 */
ssize_t ngx_parse_size(ngx_str_t *line);

/*
 * Converts an offset in a file as ngx_parse_size(), also in gigabytes "g".
 *
 * Returns the offset in bytes, or NGX_ERROR as ngx_parse_size().
 *
 * Safety: line is a string.
 */
off_t ngx_parse_offset(ngx_str_t *line);

/*
 * Converts a time such as "1h 30m".  The units are ms, s, m, h, d, w, M for 30
 * days and y for 365 days; the larger ones come first.
 *
 * A number without a unit is in seconds.  If is_sec is 1, the result is in
 * seconds, and ms is not allowed.  If is_sec is 0, the result is in
 * milliseconds, and M and y are not allowed.  Returns the time, or NGX_ERROR if
 * line is no such time or the time is too large.
 *
 * Safety: line is a string.
 */
ngx_int_t ngx_parse_time(ngx_str_t *line, ngx_uint_t is_sec);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PARSE_H_INCLUDED_ */
