
/* Tests of invalid arguments to the functions that log. */


#include "t_bad.h"


static void
test_log_nowhere(void)
{
    ngx_log_t  log;

    memset(&log, 0, sizeof(ngx_log_t));
    log.log_level = NGX_LOG_DEBUG_ALL;

    ngx_log_error(NGX_LOG_ALERT, &log, ENOENT, "text");
    log.next = t_log();
    ngx_log_error(NGX_LOG_ALERT, &log, ENOENT, "text");

    t_one_alert("text (2: No such file or directory)");
}


static void
test_log_bad_level(void)
{
    ngx_log_error_core(9, t_log(), 0, "text");
    ngx_log_error_core(T_DIAG + 1, t_log(), 0, "text");
    ngx_log_error_core(NGX_LOG_STDERR, t_log(), 0, "text");

    T_EQ(t_logged(NGX_LOG_STDERR, "[] "), 1);
    t_no_alert();
}


static void
test_log_abort_nowhere(void)
{
    ngx_cycle = NULL;
    ngx_log_abort(0, "text");

    ngx_cycle = &t_no_log_cycle;
    ngx_log_abort(0, "text");

    t_no_alert();
}


int
main(void)
{
    t_begin();

    t_run("X a log without a file", test_log_nowhere);
    t_run("X an invalid level", test_log_bad_level);
    t_run("X ngx_log_abort() without a log", test_log_abort_nowhere);

    return t_end();
}
