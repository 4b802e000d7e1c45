/*
 * ngx_log.h: logs and log lines.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/log.rs
 *   src/host/standalone/types.rs
 *   include/generator/log.h
 */

#include <ngx_config.h>
#include <ngx_core.h>

#ifndef _NGX_LOG_H_INCLUDED_
#define _NGX_LOG_H_INCLUDED_


#ifdef __cplusplus
extern "C" {
#endif


/* The maximum length of a log line; a longer line is cut. */
#define NGX_MAX_ERROR_STR 2048

/*
 * A function of the program that adds at most len bytes to a line at buf.
 * Returns the position after the last byte.
 */
typedef u_char *(*ngx_log_handler_pt)(ngx_log_t *log, u_char *buf, size_t len);

/*
 * A function of the program that gets each finished line, in place of the
 * log's file. The line is the len bytes at buf.
 */
typedef void (*ngx_log_writer_pt)(ngx_log_t *log,
                                  ngx_uint_t level,
                                  u_char *buf,
                                  size_t len);

/* An open file, such as the file of a log. */
struct ngx_open_file_s {
    /* The descriptor of the file. */
    ngx_fd_t fd;
    /* The name of the file. */
    ngx_str_t name;
};

/* A log of a program. */
struct ngx_log_s {
    /*
     * A level: the log writes lines of this level and more severe lines. Or
     * the masks of debug lines, such as NGX_LOG_DEBUG_CORE: the log writes
     * these debug lines and all lines that are no debug lines.
     */
    ngx_uint_t log_level;
    /* The file that lines are written to if there is no writer. */
    ngx_open_file_t *file;
    /* The number of a connection: each line begins with it. 0: no number. */
    ngx_uint_t connection;
    /*
     * The last second in which the disk was full. Only the library uses the
     * field.
     */
    time_t disk_full_time;
    /*
     * A function that adds text to each line that is not a debug line, or
     * NULL.
     */
    ngx_log_handler_pt handler;
    /* Data for the handler. */
    void *data;
    /* A function that gets the lines in place of the file, or NULL. */
    ngx_log_writer_pt writer;
    /* Data for the writer. */
    void *wdata;
    /*
     * Text for the handler about the present work of the program, such as
     * "reading a request".
     */
    char *action;
    /* The next log in the list, which gets the same lines, or NULL. */
    ngx_log_t *next;
};

/*
 * Opens the log of the program: the file error_log, or stderr if error_log
 * is NULL or empty. A name that does not begin with a slash is relative to the
 * directory prefix.
 *
 * Returns the log, whose level is NGX_LOG_NOTICE. If the file cannot be
 * opened, the function writes a line to stderr, and the log is stderr.
 *
 * Safety: prefix and error_log are NULL or strings.
 *
 * References: open(2); nginx's src/core/ngx_log.c.
 */
ngx_log_t *ngx_log_init(u_char *prefix, u_char *error_log);

/*
 * Finds the first log that has a file, in the list of logs that begins with
 * head.
 *
 * Returns NULL if no log of the list has a file.
 *
 * Safety: head is NULL or a valid log, and the logs that follow it in the
 * list are valid.
 */
ngx_log_t *ngx_log_get_file_log(ngx_log_t *head);

/*
 * Writes  (ERR: DESCRIPTION) for the errno err at buf, in a line that
 * ends at last. If fewer than 50 bytes are left before last, the function
 * overwrites the end of the text before buf.
 *
 * Returns the position after the last byte.
 *
 * Safety: The bytes from buf to last are writable, and so are the 50 bytes
 * before last.
 *
 * References: nginx's src/core/ngx_log.c.
 */
u_char *ngx_log_errno(u_char *buf, u_char *last, ngx_err_t err);


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


#ifdef __cplusplus
}
#endif

#endif /* _NGX_LOG_H_INCLUDED_ */
