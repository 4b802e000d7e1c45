#define NGX_LOG_STDERR            0
#define NGX_LOG_EMERG             1
#define NGX_LOG_ALERT             2
#define NGX_LOG_CRIT              3
#define NGX_LOG_ERR               4
#define NGX_LOG_WARN              5
#define NGX_LOG_NOTICE            6
#define NGX_LOG_INFO              7
#define NGX_LOG_DEBUG             8

#define NGX_LOG_DEBUG_CORE        0x010
#define NGX_LOG_DEBUG_ALLOC       0x020
#define NGX_LOG_DEBUG_MUTEX       0x040
#define NGX_LOG_DEBUG_EVENT       0x080
#define NGX_LOG_DEBUG_HTTP        0x100
#define NGX_LOG_DEBUG_MAIL        0x200
#define NGX_LOG_DEBUG_STREAM      0x400
#define NGX_LOG_DEBUG_FIRST       NGX_LOG_DEBUG_CORE
#define NGX_LOG_DEBUG_LAST        NGX_LOG_DEBUG_STREAM
#define NGX_LOG_DEBUG_CONNECTION  0x80000000
#define NGX_LOG_DEBUG_ALL         0x7ffffff0


/*
 * Logs a line if its level is as severe as the level of the log, or more severe.
 * ngx_string.h describes the format.
 *
 * With "do ... while (0)" a macro is one statement, so that an "else" after the
 * macro belongs to the "if" before it.
 */
#define ngx_log_error(level, log, ...)                                        \
    do {                                                                      \
        if ((log)->log_level >= (level)) {                                    \
            ngx_log_error_core(level, log, __VA_ARGS__);                      \
        }                                                                     \
    } while (0)

/* Logs a debug line if the level of the log has the bit "level". */
#define ngx_log_debug(level, log, ...)                                        \
    do {                                                                      \
        if ((log)->log_level & (level)) {                                     \
            ngx_log_error_core(NGX_LOG_DEBUG, log, __VA_ARGS__);              \
        }                                                                     \
    } while (0)

/* With NGX_DEBUG 0, a program contains no debug lines. */

#if (NGX_DEBUG)

#define ngx_log_debug0(level, log, err, fmt)                                  \
    ngx_log_debug(level, log, err, fmt)

#define ngx_log_debug1(level, log, err, fmt, a1)                              \
    ngx_log_debug(level, log, err, fmt, a1)

#define ngx_log_debug2(level, log, err, fmt, a1, a2)                          \
    ngx_log_debug(level, log, err, fmt, a1, a2)

#define ngx_log_debug3(level, log, err, fmt, a1, a2, a3)                      \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3)

#define ngx_log_debug4(level, log, err, fmt, a1, a2, a3, a4)                  \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3, a4)

#define ngx_log_debug5(level, log, err, fmt, a1, a2, a3, a4, a5)              \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3, a4, a5)

#define ngx_log_debug6(level, log, err, fmt, a1, a2, a3, a4, a5, a6)          \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3, a4, a5, a6)

#define ngx_log_debug7(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7)      \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7)

#define ngx_log_debug8(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7, a8)  \
    ngx_log_debug(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7, a8)

#else

#define ngx_log_debug0(level, log, err, fmt)
#define ngx_log_debug1(level, log, err, fmt, a1)
#define ngx_log_debug2(level, log, err, fmt, a1, a2)
#define ngx_log_debug3(level, log, err, fmt, a1, a2, a3)
#define ngx_log_debug4(level, log, err, fmt, a1, a2, a3, a4)
#define ngx_log_debug5(level, log, err, fmt, a1, a2, a3, a4, a5)
#define ngx_log_debug6(level, log, err, fmt, a1, a2, a3, a4, a5, a6)
#define ngx_log_debug7(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7)
#define ngx_log_debug8(level, log, err, fmt, a1, a2, a3, a4, a5, a6, a7, a8)

#endif


/*
 * Logs a line whatever the level of the log is.  ngx_log_error() and
 * ngx_log_debug() check the level and then call this function.
 */
void ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...);

/* Logs an alert to the log of ngx_cycle.  Does nothing if there is no cycle. */
void ngx_log_abort(ngx_err_t err, const char *fmt, ...);

/* Writes a line to stderr, beginning with the name of the program. */
void ngx_log_stderr(ngx_err_t err, const char *fmt, ...);


/* If not 0, warnings and more severe lines are written to stderr as well. */
extern ngx_uint_t  ngx_use_stderr;


/* Writes a text to stderr.  An error is ignored. */
static ngx_inline void
ngx_write_stderr(char *text)
{
    ssize_t  n;

    n = write(ngx_stderr, text, strlen(text));
    (void) n;
}


/* Writes a text to the standard output.  An error is ignored. */
static ngx_inline void
ngx_write_stdout(char *text)
{
    ssize_t  n;

    n = write(ngx_stdout, text, strlen(text));
    (void) n;
}
