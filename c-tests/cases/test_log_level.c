
/* Tests of the log: levels, and chains of logs. */


#include "t_logger.h"


static void
test_level_names(void)
{
    char        text[64];
    ngx_uint_t  n;

    t_logger_open();
    t_logger.log_level = NGX_LOG_INFO;

    for (n = 0; n < t_nitems(t_level_names); n++) {
        ngx_log_error(NGX_LOG_EMERG + n, &t_logger, 0, "level %ui", n);

        snprintf(text, sizeof(text), " [%s] %d#0: level %d\n",
                 t_level_names[n], (int) ngx_pid, (int) n);
        T_OK(strstr(t_logger_text(), text) != NULL);
    }

    T_EQ(t_lines(t_logger_text()), 7);

    t_logger_close();
}


/* A log at one level writes lines of this level and of more serious levels. */

static void
test_threshold(void)
{
    ngx_uint_t  level, n, before;

    t_logger_open();

    for (level = NGX_LOG_EMERG; level <= NGX_LOG_INFO; level++) {
        t_logger.log_level = level;
        before = t_lines(t_logger_text());

        for (n = NGX_LOG_EMERG; n <= NGX_LOG_INFO; n++) {
            ngx_log_error(n, &t_logger, 0, "text");
        }

        T_EQ(t_lines(t_logger_text()) - before, level);
    }

    t_logger_close();
}


/*
 * The macro ngx_log_error() checks the level of a line, and
 * ngx_log_error_core() checks it again, so a module can call the function
 * itself.
 */

static void
test_threshold_of_function(void)
{
    t_logger_open();

    ngx_log_error_core(NGX_LOG_INFO, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 0);

    ngx_log_error_core(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_OK(t_is_line("notice", "text"));

    t_logger_close();
}


static void
test_debug_mask(void)
{
    t_logger_open();

    t_logger.log_level = NGX_LOG_DEBUG_CORE;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, &t_logger, 0, "event");
    ngx_log_debug0(NGX_LOG_DEBUG_ALLOC, &t_logger, 0, "alloc");
    T_EQ(t_lines(t_logger_text()), 0);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, &t_logger, 0, "core %d %s", 1, "two");
    T_OK(t_is_line("debug", "core 1 two"));

    /*
     * NGX_LOG_DEBUG_... are the bits of a mask.  The mask selects debug lines
     * only, and does not change which other lines are written.
     */

    ngx_log_error(NGX_LOG_INFO, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 2);

    t_logger_close();
}


static void
test_no_debug(void)
{
    t_logger_open();

    t_logger.log_level = NGX_LOG_INFO;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &t_logger, 0, "text");
    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &t_logger, 0, "text %d", 1);
    T_EQ(t_lines(t_logger_text()), 0);

    t_logger_close();
}


static void
test_all_debug(void)
{
    ngx_uint_t  n;

    t_logger_open();

    t_logger.log_level = NGX_LOG_DEBUG_ALL;

    for (n = NGX_LOG_DEBUG_FIRST; n <= NGX_LOG_DEBUG_LAST; n <<= 1) {
        ngx_log_debug8(n, &t_logger, 0, "%d%d%d%d%d%d%d%d",
                       1, 2, 3, 4, 5, 6, 7, 8);
    }

    T_EQ(t_lines(t_logger_text()), 7);
    T_OK(t_ends_with(t_logger_text(), ": 12345678\n"));

    t_logger_close();
}


/* nginx's directive debug_connection sets this level for a connection. */

static void
test_debug_connection(void)
{
    t_logger_open();

    t_logger.log_level = NGX_LOG_DEBUG_CONNECTION | NGX_LOG_DEBUG_ALL;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &t_logger, 0, "text");
    T_OK(t_is_line("debug", "text"));

    t_logger_close();
}


/* Tests of a log with a writer, and of a chain of logs. */

static ngx_uint_t   written_level;
static ngx_uint_t   written_n;
static char         written[NGX_MAX_ERROR_STR + 1];


static void
keep(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    T_REQUIRE(len <= NGX_MAX_ERROR_STR);

    memcpy(written, buf, len);
    written[len] = '\0';

    written_level = level;
    written_n++;

    *(int *) log->wdata += 1;
}


static void
test_writer(void)
{
    int   n;
    char  text[64];

    t_logger_open();

    n = 0;
    t_logger.writer = keep;
    t_logger.wdata = &n;

    ngx_log_error(NGX_LOG_ERR, &t_logger, 0, "text");

    snprintf(text, sizeof(text), "[error] %d#0: text\n", (int) ngx_pid);

    T_EQ(n, 1);
    T_EQ(written_level, NGX_LOG_ERR);
    T_OK(strcmp(t_behind_time(written), text) == 0);
    T_EQ(t_lines(t_logger_text()), 0);

    ngx_log_error(NGX_LOG_INFO, &t_logger, 0, "text");
    T_EQ(n, 1);

    t_logger_close();
}


static void
test_chain(void)
{
    int              n;
    ngx_log_t        second, third;
    ngx_open_file_t  file;

    t_logger_open();

    second = t_logger;
    third = t_logger;
    file = t_logger_file;

    n = 0;
    t_logger.next = &second;
    second.writer = keep;
    second.wdata = &n;
    second.next = &third;
    third.file = &file;
    file.fd = t_memory_file();

    ngx_log_error(NGX_LOG_ERR, &t_logger, EPERM, "text %d", 1);

    T_OK(t_is_line("error", "text 1 (1: Operation not permitted)"));
    T_EQ(n, 1);
    T_OK(strcmp(t_logger_text(), written) == 0);
    T_OK(strcmp(t_logger_text(), t_contents(file.fd)) == 0);

    close(file.fd);
    t_logger_close();
}


/*
 * nginx sorts the logs of a chain by level, the log with the most lines first.
 * So the first log whose level is too low for a line ends the search for logs.
 */

static void
test_chain_levels(void)
{
    int        n;
    ngx_log_t  second;

    t_logger_open();

    second = t_logger;

    n = 0;
    t_logger.log_level = NGX_LOG_INFO;
    t_logger.next = &second;
    second.log_level = NGX_LOG_ERR;
    second.writer = keep;
    second.wdata = &n;

    ngx_log_error(NGX_LOG_INFO, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 1);
    T_EQ(n, 0);

    ngx_log_error(NGX_LOG_ERR, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 2);
    T_EQ(n, 1);

    t_logger_close();
}


static void
test_file_log(void)
{
    ngx_log_t  first, second;

    t_logger_open();

    memset(&first, 0, sizeof(ngx_log_t));
    memset(&second, 0, sizeof(ngx_log_t));

    T_OK(ngx_log_get_file_log(&t_logger) == &t_logger);

    first.writer = keep;
    first.next = &second;
    T_OK(ngx_log_get_file_log(&first) == NULL);

    second.next = &t_logger;
    T_OK(ngx_log_get_file_log(&first) == &t_logger);
    T_OK(ngx_log_get_file_log(NULL) == NULL);

    t_logger_close();
}


int
main(void)
{
    t_begin();

    t_run("the levels' names", test_level_names);
    t_run("the level selects lines", test_threshold);
    t_run("the level selects lines in the function as well",
          test_threshold_of_function);
    t_run("debug lines of one kind", test_debug_mask);
    t_run("no debug lines", test_no_debug);
    t_run("NGX_LOG_DEBUG_ALL selects all debug lines", test_all_debug);
    t_run("debug lines of a connection", test_debug_connection);

    t_run("a log with a writer does not use its file", test_writer);
    t_run("three logs in a chain", test_chain);
    t_run("two logs of different levels", test_chain_levels);
    t_run("ngx_log_get_file_log()", test_file_log);

    return t_end();
}
