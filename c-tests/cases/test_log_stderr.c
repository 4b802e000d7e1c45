
/* Tests of the log: lines that are also written to stderr. */


#include "t_logger.h"


static void
test_stderr(void)
{
    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 1;

    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "not for the console");
    T_OK(strcmp(t_contents(STDERR_FILENO), "") == 0);

    ngx_log_error(NGX_LOG_WARN, &t_logger, ENOENT, "text %d", 1);
    T_OK(t_is_on_stderr("[warn] text 1 (2: No such file or directory)"));
    T_EQ(t_lines(t_logger_text()), 2);
    T_OK(t_ends_with(t_logger_text(),
                     "#0: text 1 (2: No such file or directory)\n"));

    t_logger_close();
}


static void
test_stderr_levels(void)
{
    char        text[64];
    ngx_uint_t  n;

    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 1;
    t_logger.log_level = NGX_LOG_INFO;
    t_logger.connection = 3;

    for (n = NGX_LOG_EMERG; n <= NGX_LOG_INFO; n++) {
        ngx_log_error(n, &t_logger, 0, "level %ui", n);

        snprintf(text, sizeof(text), "%s: [%s] level %d\n", t_program(),
                 t_level_names[n - 1], (int) n);

        if (n <= NGX_LOG_WARN) {
            T_OK(t_ends_with(t_contents(STDERR_FILENO), text));
        }
    }

    T_EQ(t_lines(t_contents(STDERR_FILENO)), 5);
    T_EQ(t_lines(t_logger_text()), 7);

    t_logger_close();
}


static void
test_stderr_off(void)
{
    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 0;

    ngx_log_error(NGX_LOG_EMERG, &t_logger, 0, "text");
    T_OK(strcmp(t_contents(STDERR_FILENO), "") == 0);

    t_logger_close();
}


/* If the file of the log is stderr, each line is written once, not twice. */

static void
test_stderr_is_log(void)
{
    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 1;
    t_logger_close();
    t_logger_file.fd = STDERR_FILENO;

    ngx_log_error(NGX_LOG_ALERT, &t_logger, 0, "text");
    T_OK(t_is_line("alert", "text"));
}


static void
test_stderr_unwanted_level(void)
{
    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 1;
    t_logger.log_level = NGX_LOG_CRIT;

    ngx_log_error(NGX_LOG_WARN, &t_logger, 0, "text");
    T_OK(strcmp(t_contents(STDERR_FILENO), "") == 0);

    t_logger_close();
}


static void
test_log_stderr(void)
{
    t_catch_stderr();

    ngx_log_stderr(ENOENT, "open() \"%s\" failed", "x");
    T_OK(t_is_on_stderr("open() \"x\" failed "
                        "(2: No such file or directory)"));
}


static void
test_log_stderr_long(void)
{
    char         text[5001];
    const char  *line;

    memset(text, 'x', 5000);
    text[5000] = '\0';

    t_catch_stderr();

    ngx_log_stderr(ENOENT, "%s", text);

    line = t_contents(STDERR_FILENO);
    T_EQ(t_lines(line), 1);
    T_OK(strlen(line) <= NGX_MAX_ERROR_STR);
    T_OK(t_ends_with(line, "xxx... (2: No such file or directory)\n"));
}


static void
test_log_abort(void)
{
    ngx_log_abort(EPERM, "some %s", "text");

    T_EQ(t_logged(NGX_LOG_ALERT, "some text (1: Operation not permitted)"),
         1);
    T_EQ(t_logged(T_ANY, ""), 1);
}


static void
test_long_on_stderr(void)
{
    char         text[5001];
    const char  *line;

    memset(text, 'x', 5000);
    text[5000] = '\0';

    t_logger_open();
    t_catch_stderr();
    ngx_use_stderr = 1;

    ngx_log_error(NGX_LOG_ALERT, &t_logger, ENOENT, "%s", text);

    line = t_contents(STDERR_FILENO);
    T_EQ(t_lines(line), 1);
    T_OK(strncmp(line, t_program(), strlen(t_program())) == 0);
    T_OK(strncmp(line + strlen(t_program()), ": [alert] xxx", 13) == 0);
    T_OK(t_ends_with(line, "xxx... (2: No such file or directory)\n"));

    t_logger_close();
}


int
main(void)
{
    t_begin();

    t_run("warnings go to stderr", test_stderr);
    t_run("warnings and worse go to stderr", test_stderr_levels);
    t_run("nothing goes to stderr", test_stderr_off);
    t_run("a log whose file is stderr gets a line once", test_stderr_is_log);
    t_run("a level that is not logged is not on stderr",
          test_stderr_unwanted_level);
    t_run("ngx_log_stderr()", test_log_stderr);
    t_run("ngx_log_stderr() of a long text", test_log_stderr_long);
    t_run("ngx_log_abort()", test_log_abort);
    t_run("a long line on stderr", test_long_on_stderr);

    return t_end();
}
