
/*
 * The log that the tests pass to nginx's functions.  All processes of a case
 * share its memory, so that a test sees what its children have logged.
 */


#include "test.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>


#define T_LOG_SIZE     (32 * 1024 * 1024)
#define T_LOG_LINES    (T_LOG_SIZE - sizeof(t_lines_t))
#define T_LOG_PRINTED  40

/* The end of the log is for the lines of t_diag(), which say why a case fails. */
#define T_LOG_DIAG     (64 * 1024)


/*
 * Processes write lines at the same time, and each of them can be killed at any
 * moment.  A process claims the place at the offset "used" when it stores the
 * size of its line there.  Then the process, or another one if it was killed,
 * moves "used" behind the line.  So each place below "used" has a size, and a
 * line that a process could not complete hides no other line.
 */

typedef struct {
    atomic_uint    size;       /* with this structure; 0 if not claimed */
    atomic_uint    ready;      /* stored when the line is complete */
    pid_t          pid;
    unsigned       level;
    char           text[];
} t_line_t;


typedef struct {
    atomic_size_t  used;
    size_t         cleared;    /* lines before this offset are ignored */
    char           lines[];
} t_lines_t;


static t_lines_t    *t_lines;
static ngx_log_t     t_log_s;
static ngx_cycle_t   t_cycle_s;

#if (T_NGINX)
static ngx_core_conf_t   t_core_conf;
static void             *t_conf_ctx[1];
#endif


static t_line_t *
t_line_at(size_t offset)
{
    return (t_line_t *) &t_lines->lines[offset];
}


/*
 * Claims a place for a line that ends before the offset "end"; returns NULL if
 * the log is full.
 */

static t_line_t *
t_line_claim(unsigned size, size_t end)
{
    size_t     offset;
    unsigned   found;
    t_line_t  *line;

    do {
        offset = atomic_load(&t_lines->used);

        if (offset + size > end) {
            return NULL;
        }

        line = t_line_at(offset);
        found = 0;
        (void) atomic_compare_exchange_strong(&line->size, &found, size);

        (void) atomic_compare_exchange_strong(&t_lines->used, &offset,
                                              offset + (found ? found : size));
    } while (found);

    return line;
}


static void
t_line_add(unsigned level, const char *text, size_t len)
{
    size_t     end;
    t_line_t  *line;

    end = (level == T_DIAG) ? T_LOG_LINES : T_LOG_LINES - T_LOG_DIAG;
    line = t_line_claim((unsigned) ((sizeof(t_line_t) + len + 8) & ~7UL), end);

    if (line == NULL) {
        return;
    }

    line->pid = getpid();
    line->level = level;
    memcpy(line->text, text, len);
    line->text[len] = '\0';

    atomic_store(&line->ready, 1);
}


/*
 * Returns the first complete line at or after *offset, and moves *offset
 * behind that line; returns NULL if there is none.
 */

static t_line_t *
t_line_next(size_t *offset)
{
    size_t     used;
    t_line_t  *line;

    used = atomic_load(&t_lines->used);

    while (*offset < used) {
        line = t_line_at(*offset);
        *offset += atomic_load(&line->size);

        if (atomic_load(&line->ready)) {
            return line;
        }
    }

    return NULL;
}


static void
t_log_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    while (len && (buf[len - 1] == '\n' || buf[len - 1] == '\r')) {
        len--;
    }

    t_line_add((unsigned) level, (char *) buf, len);
}


void
t_log_init(void)
{
    t_lines = t_shared(T_LOG_SIZE);

    t_log_s.log_level = NGX_LOG_DEBUG_ALL;
    t_log_s.writer = t_log_writer;

    t_cycle_s.log = &t_log_s;
    ngx_cycle = &t_cycle_s;
    ngx_use_stderr = 0;

#if (T_NGINX)

    /* nginx's objects can log and reap only after these initializations. */

    ngx_time_init();

    if (ngx_strerror_init() != NGX_OK) {
        exit(2);
    }

    ngx_core_module.index = 0;
    t_conf_ctx[0] = &t_core_conf;
    t_cycle_s.conf_ctx = (void ****) t_conf_ctx;

#endif
}


/* Removes all lines from the log, before the next case runs. */

void
t_log_reset(void)
{
    size_t  end;

    /* A process that was killed may have claimed a place that is not counted. */

    end = t_lines->used + sizeof(t_line_t);

    memset(t_lines->lines, 0, end < T_LOG_LINES ? end : T_LOG_LINES);
    t_lines->used = 0;
    t_lines->cleared = 0;
}


/* Makes t_logged() ignore the lines that the case has logged so far. */

void
t_log_clear(void)
{
    t_lines->cleared = t_lines->used;
}


ngx_log_t *
t_log(void)
{
    return &t_log_s;
}


ngx_cycle_t *
t_cycle(void)
{
    return &t_cycle_s;
}


/*
 * Returns the number of log lines that contain the text, with this level and
 * written by the process "pid"; T_ANY stands for any level or any process.
 */

ngx_uint_t
t_logged_by(pid_t pid, ngx_uint_t level, const char *text)
{
    size_t       offset;
    t_line_t    *line;
    ngx_uint_t   n;

    n = 0;
    offset = t_lines->cleared;

    while ((line = t_line_next(&offset)) != NULL) {

        if (line->level == T_DIAG
            || (level != T_ANY && line->level != level)
            || (pid != (pid_t) T_ANY && line->pid != pid))
        {
            continue;
        }

        if (strstr(line->text, text)) {
            n++;
        }
    }

    return n;
}


ngx_uint_t
t_logged(ngx_uint_t level, const char *text)
{
    return t_logged_by((pid_t) T_ANY, level, text);
}


ngx_uint_t
t_loggedf(ngx_uint_t level, const char *fmt, ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return t_logged(level, text);
}


void
t_diag(const char *fmt, ...)
{
    int      n;
    char     text[1024];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n < 0) {
        return;
    }

    t_line_add(T_DIAG, text, strlen(text));
}


/*
 * Prints the lines that the harness has written, if "diag" is not 0, or else
 * the lines that the code under test has logged.
 */

void
t_log_print(ngx_uint_t diag)
{
    size_t       offset;
    t_line_t    *line;
    ngx_uint_t   n;

    n = 0;
    offset = 0;

    while ((line = t_line_next(&offset)) != NULL) {

        if ((line->level == T_DIAG) != (diag != 0)) {
            continue;
        }

        if (n++ == T_LOG_PRINTED) {
            printf("#   ...\n");
            return;
        }

        printf("#   %s%s\n", diag ? "" : "log: ", line->text);
    }
}
