
/*
 * The lines that the library writes to nginx's log.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_ipc_asserts.h"


void ngx_ipc_log_line(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    size_t len, u_char *text);


/*
 * without variadic macros nginx's ngx_log_error_core() takes a va_list, which
 * the library does not pass
 */
ngx_ipc_assert(log, NGX_HAVE_VARIADIC_MACROS);


/* without NGX_DEBUG nginx writes no debug lines at any log level */

#if (NGX_DEBUG)
const ngx_uint_t  ngx_ipc_debug_levels = 1;
#else
const ngx_uint_t  ngx_ipc_debug_levels = 0;
#endif


/*
 * Writes a line to the log.  The library calls this function only if the level
 * of the log permits the line.  In Angie 1.12, ngx_log_error_core() has one
 * more parameter, which the macro adds.
 */

void
ngx_ipc_log_line(ngx_uint_t level, ngx_log_t *log, ngx_err_t err, size_t len,
    u_char *text)
{
    ngx_log_error(level, log, err, "%*s", len, text);
}
