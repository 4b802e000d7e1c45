
/* Tests of the log: the parts of a line, and long lines. */


#include "t_logger.h"


static void
test_line(void)
{
    t_logger_open();

    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "some %s, %d", "text", 42);
    T_OK(t_is_line("notice", "some text, 42"));

    t_logger_close();
}


static void
test_errno(void)
{
    t_logger_open();

    ngx_log_error(NGX_LOG_ALERT, &t_logger, ENOENT, "open() \"%s\" failed",
                  "x");
    T_OK(t_is_line("alert",
                   "open() \"x\" failed (2: No such file or directory)"));

    t_logger_close();
}


static void
test_unknown_errno(void)
{
    t_logger_open();

    ngx_log_error(NGX_LOG_ALERT, &t_logger, 12345, "text");
    T_OK(t_is_line("alert", "text (12345: Unknown error)"));

    t_logger_close();
}


static void
test_connection(void)
{
    t_logger_open();

    t_logger.connection = 17;
    ngx_log_error(NGX_LOG_ERR, &t_logger, EAGAIN, "text");
    T_OK(t_is_line("error",
                   "*17 text (11: Resource temporarily unavailable)"));

    t_logger_close();
}


/*
 * The pid in a line is the variable ngx_pid, and not the result of getpid().
 */

static void
test_pid(void)
{
    t_logger_open();

    ngx_pid = 4711;
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_OK(strstr(t_logger_text(), " [notice] 4711#0: text\n") != NULL);

    t_logger_close();
}


static void
test_empty(void)
{
    t_logger_open();

    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "");
    T_OK(t_is_line("notice", ""));

    t_logger_close();
}


/*
 * ngx_log_error() can stand before "else", because the library's macro is one
 * statement.  In nginx, the macro is an "if" without "else", which would take
 * the "else".
 */

#if !(T_NGINX)

static void
test_in_an_if(void)
{
    int  n;

    t_logger_open();

    for (n = 0; n < 2; n++) {
        if (n == 0)
            ngx_log_error(NGX_LOG_INFO, &t_logger, 0, "not wanted");
        else
            ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    }

    T_OK(t_is_line("notice", "text"));

    t_logger_close();
}

#endif


/* The handler of a log adds this text to each line. */

static u_char *
add_context(ngx_log_t *log, u_char *buf, size_t len)
{
    return ngx_snprintf(buf, len, " while %s, client: %s", log->action,
                        log->data);
}


static void
test_handler(void)
{
    t_logger_open();

    t_logger.handler = add_context;
    t_logger.data = "127.0.0.1";
    t_logger.action = "reading";

    ngx_log_error(NGX_LOG_ERR, &t_logger, EPERM, "text");
    T_OK(t_is_line("error", "text (1: Operation not permitted)"
                            " while reading, client: 127.0.0.1"));

    t_logger_close();
}


static void
test_handler_debug(void)
{
    t_logger_open();

    t_logger.log_level = NGX_LOG_DEBUG_ALL;
    t_logger.handler = add_context;
    t_logger.data = "127.0.0.1";
    t_logger.action = "reading";

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &t_logger, 0, "text");
    T_OK(t_is_line("debug", "text"));

    t_logger_close();
}


static u_char *
cut_text(ngx_log_t *log, u_char *buf, size_t len)
{
    return buf - strlen(", server");
}


static void
test_handler_cuts(void)
{
    t_logger_open();

    t_logger.handler = cut_text;

    ngx_log_error(NGX_LOG_ERR, &t_logger, 0, "client, server");
    T_OK(t_is_line("error", "client"));

    t_logger_close();
}


static size_t  handler_room;


static u_char *
fill_room(ngx_log_t *log, u_char *buf, size_t len)
{
    handler_room = len;
    memset(buf, 'y', len);

    return buf + len;
}


static void
test_handler_fills(void)
{
    t_logger_open();

    t_logger.handler = fill_room;

    ngx_log_error(NGX_LOG_ERR, &t_logger, 0, "text");

    T_EQ(strlen(t_logger_text()), NGX_MAX_ERROR_STR);
    T_OK(handler_room > 1900 && handler_room < NGX_MAX_ERROR_STR);
    T_EQ(t_lines(t_logger_text()), 1);
    T_OK(t_ends_with(t_logger_text(), "yyy\n"));

    t_logger_close();
}


/* Tests with long lines. */

static void
long_line(size_t len, ngx_err_t err, const char *end)
{
    char  text[5001];

    memset(text, 'x', len);
    text[len] = '\0';

    t_logger_open();

    ngx_log_error(NGX_LOG_ALERT, &t_logger, err, "%s", text);

    T_EQ(t_lines(t_logger_text()), 1);
    T_OK(strlen(t_logger_text()) <= NGX_MAX_ERROR_STR);

    if (!T_OK(t_ends_with(t_logger_text(), end))) {
        t_diag("%d bytes end with \"%s\"", (int) len,
               t_logger_text() + ngx_max(strlen(t_logger_text()), 60) - 60);
    }

    t_logger_close();
}


static void
test_long(void)
{
    long_line(5000, 0, "xxxxx\n");
    long_line(5000, ENOENT, "xxx... (2: No such file or directory)\n");
    long_line(5000, EAGAIN,
              "xxx... (11: Resource temporarily unavailable)\n");
}


/*
 * Lines whose lengths are around the one at which the text of the error number
 * no longer fits.
 */

static void
test_nearly_long(void)
{
    size_t  len;

    for (len = 1900; len < 2100; len++) {
        long_line(len, 0, "xxx\n");
        long_line(len, ENOENT, " (2: No such file or directory)\n");
    }
}


static void
test_long_length(void)
{
    char  text[5001];

    memset(text, 'x', 5000);
    text[5000] = '\0';

    t_logger_open();

    ngx_log_error(NGX_LOG_ALERT, &t_logger, 0, "%s", text);
    T_EQ(strlen(t_logger_text()), NGX_MAX_ERROR_STR);

    t_logger_close();
}


static void
test_long_with_handler(void)
{
    char  text[5001];

    memset(text, 'x', 5000);
    text[5000] = '\0';

    t_logger_open();
    t_logger.handler = fill_room;
    handler_room = 1;

    ngx_log_error(NGX_LOG_ALERT, &t_logger, 0, "%s", text);

    T_EQ(handler_room, 0);
    T_EQ(t_lines(t_logger_text()), 1);
    T_OK(t_ends_with(t_logger_text(), "xxx\n"));

    t_logger_close();
}


static void
test_log_errno(void)
{
    u_char  *p, buf[200];

    memset(buf, 'x', sizeof(buf));

    p = ngx_log_errno(buf, buf + sizeof(buf), ENOENT);
    *p = '\0';
    T_OK(strcmp((char *) buf, " (2: No such file or directory)") == 0);

    /*
     * ngx_log_errno() shortens the line if less than 50 bytes are left for the
     * text of the error number.
     */

    memset(buf, 'x', sizeof(buf));

    p = ngx_log_errno(buf + 190, buf + 199, ENOENT);
    T_OK(p <= buf + 199);
    *p = '\0';
    T_OK(t_ends_with((char *) buf, "xxx... (2: No such file or directory)"));
    T_EQ(strlen((char *) buf), 199 - 50 + 34);
}


/* Tests of ngx_strerror(). */

static void
test_strerror(void)
{
    int      err;
    u_char  *p, buf[256];

    T_EQ(ngx_strerror_init(), NGX_OK);

    for (err = 1; err < 134; err++) {

        if (strerrordesc_np(err) == NULL) {
            continue;
        }

        p = ngx_strerror(err, buf, sizeof(buf) - 1);
        *p = '\0';
        T_OK(strcmp((char *) buf, strerrordesc_np(err)) == 0);
    }
}


static void
check_strerror(int err, size_t size, const char *text)
{
    u_char  *p, buf[256];

    memset(buf, 0xee, sizeof(buf));

    p = ngx_strerror(err, buf, size);

    T_EQ(p - buf, strlen(text));
    T_OK(memcmp(buf, text, strlen(text)) == 0);
    T_EQ(*p, 0xee);
}


static void
test_strerror_unknown(void)
{
    check_strerror(41, 255, "Unknown error");
    check_strerror(12345, 255, "Unknown error");
    check_strerror(-1, 255, "Unknown error");
    check_strerror(INT_MAX, 255, "Unknown error");
    check_strerror(INT_MIN, 255, "Unknown error");
}


static void
test_strerror_small(void)
{
    check_strerror(ENOENT, 25, "No such file or directory");
    check_strerror(ENOENT, 24, "No such file or director");
    check_strerror(ENOENT, 7, "No such");
    check_strerror(ENOENT, 1, "N");
    check_strerror(ENOENT, 0, "");
    check_strerror(12345, 3, "Unk");
}


int
main(void)
{
    t_begin();

    t_run("a line", test_line);
    t_run("a line with an errno", test_errno);
    t_run("a line with an unknown errno", test_unknown_errno);
    t_run("a line with a connection", test_connection);
    t_run("a line has ngx_pid", test_pid);
    t_run("an empty line", test_empty);
#if !(T_NGINX)
    t_run("ngx_log_error() is one statement", test_in_an_if);
#endif

    t_run("a handler adds to a line", test_handler);
    t_run("a handler does not add to a debug line", test_handler_debug);
    t_run("a handler cuts a line", test_handler_cuts);
    t_run("a handler that fills the line", test_handler_fills);

    t_run("a long line is cut", test_long);
    t_run("a line of the maximum length", test_nearly_long);
    t_run("a long line has NGX_MAX_ERROR_STR bytes", test_long_length);
    t_run("a long line has no room for the handler", test_long_with_handler);
    t_run("ngx_log_errno()", test_log_errno);

    t_run("ngx_strerror()", test_strerror);
    t_run("ngx_strerror() of unknown errors", test_strerror_unknown);
    t_run("ngx_strerror() with little room", test_strerror_small);

    return t_end();
}
