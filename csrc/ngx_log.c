/*
 * The functions of ngx_log.h that take "...", which stable Rust cannot define.
 * They format the text of a line.  The functions of src/abi/log_line.rs, which
 * are declared below, write the other parts of the line and the line itself.
 */

#include <ngx_config.h>
#include <ngx_core.h>


u_char *ngx_ipc_log_begin(u_char *line, ngx_uint_t level, ngx_log_t *log);
void ngx_ipc_log_end(u_char *line, u_char *text, u_char *p, ngx_uint_t level,
    ngx_log_t *log, ngx_err_t err);
u_char *ngx_ipc_stderr_begin(u_char *line);
void ngx_ipc_stderr_end(u_char *line, u_char *p, ngx_err_t err);


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char   *p, *text;
    va_list   args;
    u_char    line[NGX_MAX_ERROR_STR];

    ngx_memzero(line, sizeof(line));

    text = ngx_ipc_log_begin(line, level, log);

    va_start(args, fmt);
    p = ngx_vslprintf(text, line + NGX_MAX_ERROR_STR, fmt, args);
    va_end(args);

    ngx_ipc_log_end(line, text, p, level, log, err);
}


void
ngx_log_abort(ngx_err_t err, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[NGX_MAX_ERROR_STR];

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + NGX_MAX_ERROR_STR, fmt, args);
    va_end(args);

    if (ngx_cycle != NULL && ngx_cycle->log != NULL) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, err,
                      "%*s", (size_t) (p - text), text);
    }
}


void
ngx_log_stderr(ngx_err_t err, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    line[NGX_MAX_ERROR_STR];

    ngx_memzero(line, sizeof(line));

    p = ngx_ipc_stderr_begin(line);

    va_start(args, fmt);
    p = ngx_vslprintf(p, line + NGX_MAX_ERROR_STR, fmt, args);
    va_end(args);

    ngx_ipc_stderr_end(line, p, err);
}
