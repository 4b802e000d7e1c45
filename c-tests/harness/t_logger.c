
/* A log with a file of its own, for the tests of ngx_log.c. */


#include "t_logger.h"


#define TEXT_SIZE  65536


ngx_log_t        t_logger;
ngx_open_file_t  t_logger_file;

const char  *t_level_names[] = {
    "emerg", "alert", "crit", "error", "warn", "notice", "info"
};


int
t_memory_file(void)
{
    int  fd;

    fd = memfd_create("log", MFD_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}


/*
 * Initializes the cached time.  With nginx's objects, t_log_init() has already
 * called ngx_time_init().
 */

void
t_time_init(void)
{
#if !(T_NGINX)
    ngx_time_init();
#endif

    ngx_time_update();
}


void
t_logger_open(void)
{
    t_time_init();

    memset(&t_logger, 0, sizeof(ngx_log_t));
    memset(&t_logger_file, 0, sizeof(ngx_open_file_t));

    t_logger_file.fd = t_memory_file();
    t_logger.file = &t_logger_file;
    t_logger.log_level = NGX_LOG_NOTICE;
}


void
t_logger_close(void)
{
    close(t_logger_file.fd);
}


const char *
t_contents(int fd)
{
    ssize_t      n;
    static char  text[2][TEXT_SIZE];
    static int   turn;

    turn = !turn;

    n = pread(fd, text[turn], TEXT_SIZE - 1, 0);
    T_REQUIRE(n >= 0);
    text[turn][n] = '\0';

    return text[turn];
}


const char *
t_logger_text(void)
{
    return t_contents(t_logger_file.fd);
}


/*
 * Returns the number of lines of a text, or -1 if the last line has no line
 * feed at its end.
 */

int
t_lines(const char *text)
{
    int  n;

    for (n = 0; *text; n++) {
        text = strchr(text, '\n');

        if (text == NULL) {
            return -1;
        }

        text++;
    }

    return n;
}


int
t_ends_with(const char *text, const char *end)
{
    size_t  len, n;

    len = strlen(text);
    n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}


/*
 * Returns the part of a log line after the time, or an empty text if the line
 * is too short.
 */

const char *
t_behind_time(const char *line)
{
    size_t  len;

    len = sizeof("2026/01/02 03:04:05 ") - 1;

    return strlen(line) > len ? line + len : "";
}


/*
 * Checks that the log consists of one line with this level and text.  The time
 * of the line is not compared.
 */

int
t_is_line(const char *level, const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "[%s] %d#0: %s\n", level, (int) ngx_pid,
             text);

    if (strcmp(t_behind_time(t_logger_text()), line) == 0) {
        return 1;
    }

    t_diag("the log is \"%s\", not \"%s\"", t_logger_text(), line);

    return 0;
}


/* Replaces stderr by a file in memory, which a test can read. */

void
t_catch_stderr(void)
{
    int  fd;

    fd = t_memory_file();
    T_REQUIRE(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    close(fd);
}


const char *
t_program(void)
{
#if (T_NGINX)
    return "nginx";
#else
    return program_invocation_short_name;
#endif
}


int
t_is_on_stderr(const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "%s: %s\n", t_program(), text);

    if (strcmp(t_contents(STDERR_FILENO), line) == 0) {
        return 1;
    }

    t_diag("stderr is \"%s\", not \"%s\"", t_contents(STDERR_FILENO), line);

    return 0;
}


void
t_local_time(char *buf, size_t size)
{
    struct tm        tm;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    localtime_r(&ts.tv_sec, &tm);
    strftime(buf, size, "%Y/%m/%d %H:%M:%S", &tm);
}


/*
 * Waits until the clock's next second begins, because cached times change at
 * that moment.
 */

void
t_next_second(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec++;
    ts.tv_nsec = 0;

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL)) {
        /* void */
    }
}
