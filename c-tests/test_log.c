
/* The logger: lines, levels, files, chains, stderr. */


#include "test.h"

#include <stdio.h>
#include <time.h>


#define TEXT_SIZE  65536


/* what is under test: a log of our own, whose file is in memory */

static ngx_log_t        tlog;
static ngx_open_file_t  tfile;


/* Helpers. */

static int
memory_file(void)
{
    int  fd;

    fd = memfd_create("log", MFD_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}


/* Once in a program; the harness has done it for nginx. */

static void
time_init(void)
{
#if !(T_NGINX)
    ngx_time_init();
#endif

    ngx_time_update();
}


static void
setup(void)
{
    time_init();

    memset(&tlog, 0, sizeof(ngx_log_t));
    memset(&tfile, 0, sizeof(ngx_open_file_t));

    tfile.fd = memory_file();
    tlog.file = &tfile;
    tlog.log_level = NGX_LOG_NOTICE;
}


static void
teardown(void)
{
    close(tfile.fd);
}


static const char *
contents(int fd)
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


static const char *
logged(void)
{
    return contents(tfile.fd);
}


/* The number of lines that a text has; -1 if the last one is not ended. */

static int
lines(const char *text)
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


static int
ends_with(const char *text, const char *end)
{
    size_t  len, n;

    len = strlen(text);
    n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}


/* What stands behind the time, or an empty text. */

static const char *
behind_time(const char *line)
{
    size_t  len;

    len = sizeof("2026/01/02 03:04:05 ") - 1;

    return strlen(line) > len ? line + len : "";
}


/* The whole log is this line, whatever its time. */

static int
is_line(const char *level, const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "[%s] %d#0: %s\n", level, (int) ngx_pid,
             text);

    if (strcmp(behind_time(logged()), line) == 0) {
        return 1;
    }

    t_diag("the log is \"%s\", not \"%s\"", logged(), line);

    return 0;
}


/* From here on stderr is a file in memory. */

static void
catch_stderr(void)
{
    int  fd;

    fd = memory_file();
    T_REQUIRE(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    close(fd);
}


static const char *
program(void)
{
#if (T_NGINX)
    return "nginx";
#else
    return program_invocation_short_name;
#endif
}


static int
is_on_stderr(const char *text)
{
    char  line[512];

    snprintf(line, sizeof(line), "%s: %s\n", program(), text);

    if (strcmp(contents(STDERR_FILENO), line) == 0) {
        return 1;
    }

    t_diag("stderr is \"%s\", not \"%s\"", contents(STDERR_FILENO), line);

    return 0;
}


/* The line. */

static void
test_line(void)
{
    setup();

    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "some %s, %d", "text", 42);
    T_OK(is_line("notice", "some text, 42"));

    teardown();
}


static void
test_errno(void)
{
    setup();

    ngx_log_error(NGX_LOG_ALERT, &tlog, ENOENT, "open() \"%s\" failed", "x");
    T_OK(is_line("alert",
                 "open() \"x\" failed (2: No such file or directory)"));

    teardown();
}


static void
test_unknown_errno(void)
{
    setup();

    ngx_log_error(NGX_LOG_ALERT, &tlog, 12345, "text");
    T_OK(is_line("alert", "text (12345: Unknown error)"));

    teardown();
}


static void
test_connection(void)
{
    setup();

    tlog.connection = 17;
    ngx_log_error(NGX_LOG_ERR, &tlog, EAGAIN, "text");
    T_OK(is_line("error", "*17 text (11: Resource temporarily unavailable)"));

    teardown();
}


/* ngx_pid, which is set once in each process, is what is printed. */

static void
test_pid(void)
{
    setup();

    ngx_pid = 4711;
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_OK(strstr(logged(), " [notice] 4711#0: text\n") != NULL);

    teardown();
}


static void
test_empty(void)
{
    setup();

    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "");
    T_OK(is_line("notice", ""));

    teardown();
}


/* The macro is one statement; nginx's is an if without an else. */

#if !(T_NGINX)

static void
test_in_an_if(void)
{
    int  n;

    setup();

    for (n = 0; n < 2; n++) {
        if (n == 0)
            ngx_log_error(NGX_LOG_INFO, &tlog, 0, "not wanted");
        else
            ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    }

    T_OK(is_line("notice", "text"));

    teardown();
}

#endif


/* Time. */

static void
local_time(char *buf, size_t size)
{
    struct tm        tm;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    localtime_r(&ts.tv_sec, &tm);
    strftime(buf, size, "%Y/%m/%d %H:%M:%S", &tm);
}


/* The line's time lies between those before and after it. */

static void
check_time(void)
{
    char        before[32], after[32], time[32];
    struct tm   tm;

    memset(&tm, 0, sizeof(struct tm));

    local_time(before, sizeof(before));
    ngx_time_update();
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    local_time(after, sizeof(after));

    snprintf(time, sizeof(time), "%.19s", logged());

    T_OK(strptime(time, "%Y/%m/%d %H:%M:%S", &tm) != NULL);

    if (!T_OK(strcmp(before, time) <= 0 && strcmp(time, after) <= 0)) {
        t_diag("\"%s\" is not from \"%s\" to \"%s\"", time, before, after);
    }
}


static void
test_time(void)
{
    setup();
    check_time();
    teardown();
}


/* The time of day is worked out once in a second. */

static void
next_second(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec++;
    ts.tv_nsec = 0;

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL)) {
        /* void */
    }
}


/* Zones that need no files; the last one has its summer in January. */

static void
in_zone(const char *zone, int minutes)
{
    struct tm  tm;

    setenv("TZ", zone, 1);
    tzset();
    next_second();

    setup();
    check_time();

    T_EQ(ngx_cached_time->gmtoff, minutes);
    T_OK(localtime_r((time_t *) &ngx_cached_time->sec, &tm) != NULL);
    T_EQ(tm.tm_gmtoff, minutes * 60);

    teardown();
}


static void
test_zone_east(void)
{
    in_zone("NPT-5:45", 345);
}


static void
test_zone_west(void)
{
    in_zone("XXX3:30", -210);
}


static void
test_zone_far(void)
{
    in_zone("LINT-14", 840);
}


static void
test_cached_time(void)
{
    time_t           before, after;
    ngx_time_t      *tp;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    before = ts.tv_sec;

    time_init();

    clock_gettime(CLOCK_REALTIME, &ts);
    after = ts.tv_sec;

    T_OK(before <= ngx_time() && ngx_time() <= after);
    T_OK(ngx_cached_time->msec < 1000);
    tp = ngx_timeofday();
    T_EQ(tp->sec, ngx_time());
    T_EQ(ngx_cached_err_log_time.len, 19);
}


static void
test_sigsafe_time(void)
{
    char  before[32], after[32], time[32];

    setup();
    next_second();

    /* in a handler the rest of the time stays as it was */

    local_time(before, sizeof(before));
    ngx_time_sigsafe_update();
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    local_time(after, sizeof(after));

    snprintf(time, sizeof(time), "%.19s", logged());
    T_OK(strcmp(before, time) <= 0 && strcmp(time, after) <= 0);

    teardown();
}


/* Levels. */

static const char  *level_names[] = {
    "emerg", "alert", "crit", "error", "warn", "notice", "info"
};


static void
test_level_names(void)
{
    char        text[64];
    ngx_uint_t  n;

    setup();
    tlog.log_level = NGX_LOG_INFO;

    for (n = 0; n < t_nitems(level_names); n++) {
        ngx_log_error(NGX_LOG_EMERG + n, &tlog, 0, "level %ui", n);

        snprintf(text, sizeof(text), " [%s] %d#0: level %d\n",
                 level_names[n], (int) ngx_pid, (int) n);
        T_OK(strstr(logged(), text) != NULL);
    }

    T_EQ(lines(logged()), 7);

    teardown();
}


/* With each level all the lines of it and of those that are worse. */

static void
test_threshold(void)
{
    ngx_uint_t  level, n, before;

    setup();

    for (level = NGX_LOG_EMERG; level <= NGX_LOG_INFO; level++) {
        tlog.log_level = level;
        before = lines(logged());

        for (n = NGX_LOG_EMERG; n <= NGX_LOG_INFO; n++) {
            ngx_log_error(n, &tlog, 0, "text");
        }

        T_EQ(lines(logged()) - before, level);
    }

    teardown();
}


/* The function itself checks the level as well. */

static void
test_threshold_of_function(void)
{
    setup();

    ngx_log_error_core(NGX_LOG_INFO, &tlog, 0, "text");
    T_EQ(lines(logged()), 0);

    ngx_log_error_core(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_OK(is_line("notice", "text"));

    teardown();
}


static void
test_debug_mask(void)
{
    setup();

    tlog.log_level = NGX_LOG_DEBUG_CORE;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, &tlog, 0, "event");
    ngx_log_debug0(NGX_LOG_DEBUG_ALLOC, &tlog, 0, "alloc");
    T_EQ(lines(logged()), 0);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, &tlog, 0, "core %d %s", 1, "two");
    T_OK(is_line("debug", "core 1 two"));

    /* the other lines are written with any mask */

    ngx_log_error(NGX_LOG_INFO, &tlog, 0, "text");
    T_EQ(lines(logged()), 2);

    teardown();
}


static void
test_no_debug(void)
{
    setup();

    tlog.log_level = NGX_LOG_INFO;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &tlog, 0, "text");
    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &tlog, 0, "text %d", 1);
    T_EQ(lines(logged()), 0);

    teardown();
}


static void
test_all_debug(void)
{
    ngx_uint_t  n;

    setup();

    tlog.log_level = NGX_LOG_DEBUG_ALL;

    for (n = NGX_LOG_DEBUG_FIRST; n <= NGX_LOG_DEBUG_LAST; n <<= 1) {
        ngx_log_debug8(n, &tlog, 0, "%d%d%d%d%d%d%d%d",
                       1, 2, 3, 4, 5, 6, 7, 8);
    }

    T_EQ(lines(logged()), 7);
    T_OK(ends_with(logged(), ": 12345678\n"));

    teardown();
}


/* As nginx's debug_connection sets it. */

static void
test_debug_connection(void)
{
    setup();

    tlog.log_level = NGX_LOG_DEBUG_CONNECTION | NGX_LOG_DEBUG_ALL;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &tlog, 0, "text");
    T_OK(is_line("debug", "text"));

    teardown();
}


/* Handler and writer. */

static u_char *
add_context(ngx_log_t *log, u_char *buf, size_t len)
{
    return ngx_snprintf(buf, len, " while %s, client: %s", log->action,
                        log->data);
}


static void
test_handler(void)
{
    setup();

    tlog.handler = add_context;
    tlog.data = "127.0.0.1";
    tlog.action = "reading";

    ngx_log_error(NGX_LOG_ERR, &tlog, EPERM, "text");
    T_OK(is_line("error", "text (1: Operation not permitted)"
                          " while reading, client: 127.0.0.1"));

    teardown();
}


static void
test_handler_debug(void)
{
    setup();

    tlog.log_level = NGX_LOG_DEBUG_ALL;
    tlog.handler = add_context;
    tlog.data = "127.0.0.1";
    tlog.action = "reading";

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, &tlog, 0, "text");
    T_OK(is_line("debug", "text"));

    teardown();
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
    setup();

    tlog.handler = fill_room;

    ngx_log_error(NGX_LOG_ERR, &tlog, 0, "text");

    T_EQ(strlen(logged()), NGX_MAX_ERROR_STR);
    T_OK(handler_room > 1900 && handler_room < NGX_MAX_ERROR_STR);
    T_EQ(lines(logged()), 1);
    T_OK(ends_with(logged(), "yyy\n"));

    teardown();
}


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

    setup();

    n = 0;
    tlog.writer = keep;
    tlog.wdata = &n;

    ngx_log_error(NGX_LOG_ERR, &tlog, 0, "text");

    snprintf(text, sizeof(text), "[error] %d#0: text\n", (int) ngx_pid);

    T_EQ(n, 1);
    T_EQ(written_level, NGX_LOG_ERR);
    T_OK(strcmp(behind_time(written), text) == 0);
    T_EQ(lines(logged()), 0);

    ngx_log_error(NGX_LOG_INFO, &tlog, 0, "text");
    T_EQ(n, 1);

    teardown();
}


/* Several logs. */

static void
test_chain(void)
{
    int              n;
    ngx_log_t        second, third;
    ngx_open_file_t  file;

    setup();

    second = tlog;
    third = tlog;
    file = tfile;

    n = 0;
    tlog.next = &second;
    second.writer = keep;
    second.wdata = &n;
    second.next = &third;
    third.file = &file;
    file.fd = memory_file();

    ngx_log_error(NGX_LOG_ERR, &tlog, EPERM, "text %d", 1);

    T_OK(is_line("error", "text 1 (1: Operation not permitted)"));
    T_EQ(n, 1);
    T_OK(strcmp(logged(), written) == 0);
    T_OK(strcmp(logged(), contents(file.fd)) == 0);

    close(file.fd);
    teardown();
}


/* nginx keeps the chain sorted: a log that is not interested ends it. */

static void
test_chain_levels(void)
{
    int        n;
    ngx_log_t  second;

    setup();

    second = tlog;

    n = 0;
    tlog.log_level = NGX_LOG_INFO;
    tlog.next = &second;
    second.log_level = NGX_LOG_ERR;
    second.writer = keep;
    second.wdata = &n;

    ngx_log_error(NGX_LOG_INFO, &tlog, 0, "text");
    T_EQ(lines(logged()), 1);
    T_EQ(n, 0);

    ngx_log_error(NGX_LOG_ERR, &tlog, 0, "text");
    T_EQ(lines(logged()), 2);
    T_EQ(n, 1);

    teardown();
}


static void
test_file_log(void)
{
    ngx_log_t  first, second;

    setup();

    memset(&first, 0, sizeof(ngx_log_t));
    memset(&second, 0, sizeof(ngx_log_t));

    T_OK(ngx_log_get_file_log(&tlog) == &tlog);

    first.writer = keep;
    first.next = &second;
    T_OK(ngx_log_get_file_log(&first) == NULL);

    second.next = &tlog;
    T_OK(ngx_log_get_file_log(&first) == &tlog);
    T_OK(ngx_log_get_file_log(NULL) == NULL);

    teardown();
}


/* Files. */

typedef struct {
    char  dir[64];
    char  name[128];
    char  moved[128];
} paths_t;


static void
make_dir(paths_t *paths)
{
    strcpy(paths->dir, "/tmp/test_log.XXXXXX");
    T_REQUIRE(mkdtemp(paths->dir) != NULL);

    snprintf(paths->name, sizeof(paths->name), "%s/error.log", paths->dir);
    snprintf(paths->moved, sizeof(paths->moved), "%s/error.1", paths->dir);
}


static void
remove_dir(paths_t *paths)
{
    unlink(paths->name);
    unlink(paths->moved);
    T_OK(rmdir(paths->dir) == 0);
}


static const char *
file_contents(const char *name)
{
    int          fd;
    const char  *text;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return "";
    }

    text = contents(fd);
    close(fd);

    return text;
}


static ngx_log_t *
init_log(const char *prefix, const char *name)
{
    ngx_log_t  *log;

    time_init();

    log = ngx_log_init((u_char *) prefix, (u_char *) name);
    T_REQUIRE(log != NULL);
    T_EQ(log->log_level, NGX_LOG_NOTICE);
    T_OK(ngx_log_get_file_log(log) == log);

    return log;
}


static void
test_file(void)
{
    paths_t      paths;
    ngx_log_t   *log;
    struct stat  st;

    make_dir(&paths);
    umask(022);

    log = init_log(paths.dir, "error.log");

    T_OK(fcntl(log->file->fd, F_GETFL) & O_APPEND);
    T_OK(stat(paths.name, &st) == 0);
    T_EQ(st.st_mode & 07777, 0644);

    ngx_log_error(NGX_LOG_NOTICE, log, 0, "one");
    ngx_log_error(NGX_LOG_INFO, log, 0, "two");
    close(log->file->fd);

    /* what is there stays */

    log = init_log(NULL, paths.name);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "three");
    close(log->file->fd);

    T_EQ(lines(file_contents(paths.name)), 2);
    T_OK(strstr(file_contents(paths.name), "#0: one\n") != NULL);
    T_OK(ends_with(file_contents(paths.name), "#0: three\n"));

    remove_dir(&paths);
}


static void
test_prefix(void)
{
    char        prefix[80];
    paths_t     paths;
    ngx_log_t  *log;

    make_dir(&paths);

    /* with a slash, without one, and not needed */

    snprintf(prefix, sizeof(prefix), "%s/", paths.dir);

    log = init_log(prefix, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "one");
    close(log->file->fd);

    log = init_log(paths.dir, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "two");
    close(log->file->fd);

    log = init_log("/nowhere", paths.name);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "three");
    close(log->file->fd);

    T_EQ(lines(file_contents(paths.name)), 3);

    remove_dir(&paths);
}


static void
test_rename(void)
{
    int         fd;
    paths_t     paths;
    ngx_log_t  *log;

    make_dir(&paths);

    log = init_log(paths.dir, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "one");

    T_OK(rename(paths.name, paths.moved) == 0);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "two");
    T_EQ(lines(file_contents(paths.moved)), 2);

    fd = log->file->fd;
    log = init_log(paths.dir, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "three");

    T_EQ(lines(file_contents(paths.moved)), 2);
    T_EQ(lines(file_contents(paths.name)), 1);

    close(fd);
    close(log->file->fd);
    remove_dir(&paths);
}


/* Others may write to the file, and may empty it. */

static void
test_truncated(void)
{
    paths_t     paths;
    ngx_log_t  *log;

    make_dir(&paths);

    log = init_log(paths.dir, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "one");
    T_OK(truncate(paths.name, 0) == 0);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "two");

    T_EQ(lines(file_contents(paths.name)), 1);
    T_OK(ends_with(file_contents(paths.name), "#0: two\n"));

    close(log->file->fd);
    remove_dir(&paths);
}


static void
test_no_file(void)
{
    ngx_log_t  *log;

    catch_stderr();

    log = init_log("/nonexistent", "error.log");

    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(is_on_stderr("[alert] could not open error log file: open() "
                      "\"/nonexistent/error.log\" failed "
                      "(2: No such file or directory)"));
}


static void
test_empty_name(void)
{
    ngx_log_t  *log;

    catch_stderr();

    log = init_log("/nonexistent", "");
    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(strcmp(contents(STDERR_FILENO), "") == 0);
}


static void
test_no_name(void)
{
    ngx_log_t  *log;

    catch_stderr();

    log = init_log(NULL, NULL);
    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(strcmp(contents(STDERR_FILENO), "") == 0);
}


/* A name is the user's, of any length and with any bytes. */

static void
test_long_name(void)
{
    char         name[8192];
    ngx_log_t   *log;
    const char  *text;

    memset(name, 'n', sizeof(name));
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';

    catch_stderr();

    log = init_log(NULL, name);
    text = contents(STDERR_FILENO);

    T_EQ(log->file->fd, STDERR_FILENO);
    T_EQ(lines(text), 1);
    T_OK(strlen(text) <= NGX_MAX_ERROR_STR);
    T_OK(ends_with(text, "nnn... (36: File name too long)\n"));
}


/* stderr. */

static void
test_stderr(void)
{
    setup();
    catch_stderr();
    ngx_use_stderr = 1;

    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "not for the console");
    T_OK(strcmp(contents(STDERR_FILENO), "") == 0);

    ngx_log_error(NGX_LOG_WARN, &tlog, ENOENT, "text %d", 1);
    T_OK(is_on_stderr("[warn] text 1 (2: No such file or directory)"));
    T_EQ(lines(logged()), 2);
    T_OK(ends_with(logged(), "#0: text 1 (2: No such file or directory)\n"));

    teardown();
}


static void
test_stderr_levels(void)
{
    char        text[64];
    ngx_uint_t  n;

    setup();
    catch_stderr();
    ngx_use_stderr = 1;
    tlog.log_level = NGX_LOG_INFO;
    tlog.connection = 3;

    for (n = NGX_LOG_EMERG; n <= NGX_LOG_INFO; n++) {
        ngx_log_error(n, &tlog, 0, "level %ui", n);

        snprintf(text, sizeof(text), "%s: [%s] level %d\n", program(),
                 level_names[n - 1], (int) n);

        if (n <= NGX_LOG_WARN) {
            T_OK(ends_with(contents(STDERR_FILENO), text));
        }
    }

    T_EQ(lines(contents(STDERR_FILENO)), 5);
    T_EQ(lines(logged()), 7);

    teardown();
}


static void
test_stderr_off(void)
{
    setup();
    catch_stderr();
    ngx_use_stderr = 0;

    ngx_log_error(NGX_LOG_EMERG, &tlog, 0, "text");
    T_OK(strcmp(contents(STDERR_FILENO), "") == 0);

    teardown();
}


/* The log itself is stderr: once is enough. */

static void
test_stderr_is_log(void)
{
    setup();
    catch_stderr();
    ngx_use_stderr = 1;
    teardown();
    tfile.fd = STDERR_FILENO;

    ngx_log_error(NGX_LOG_ALERT, &tlog, 0, "text");
    T_OK(is_line("alert", "text"));
}


static void
test_stderr_unwanted_level(void)
{
    setup();
    catch_stderr();
    ngx_use_stderr = 1;
    tlog.log_level = NGX_LOG_CRIT;

    ngx_log_error(NGX_LOG_WARN, &tlog, 0, "text");
    T_OK(strcmp(contents(STDERR_FILENO), "") == 0);

    teardown();
}


static void
test_log_stderr(void)
{
    catch_stderr();

    ngx_log_stderr(ENOENT, "open() \"%s\" failed", "x");
    T_OK(is_on_stderr("open() \"x\" failed (2: No such file or directory)"));
}


static void
test_log_stderr_long(void)
{
    char         text[5001];
    const char  *line;

    memset(text, 'x', 5000);
    text[5000] = '\0';

    catch_stderr();

    ngx_log_stderr(ENOENT, "%s", text);

    line = contents(STDERR_FILENO);
    T_EQ(lines(line), 1);
    T_OK(strlen(line) <= NGX_MAX_ERROR_STR);
    T_OK(ends_with(line, "xxx... (2: No such file or directory)\n"));
}


static void
test_log_abort(void)
{
    ngx_log_abort(EPERM, "some %s", "text");

    T_EQ(t_logged(NGX_LOG_ALERT, "some text (1: Operation not permitted)"),
         1);
    T_EQ(t_logged(T_ANY, ""), 1);
}


/* Long lines. */

static void
long_line(size_t len, ngx_err_t err, const char *end)
{
    char  text[5001];

    memset(text, 'x', len);
    text[len] = '\0';

    setup();

    ngx_log_error(NGX_LOG_ALERT, &tlog, err, "%s", text);

    T_EQ(lines(logged()), 1);
    T_OK(strlen(logged()) <= NGX_MAX_ERROR_STR);

    if (!T_OK(ends_with(logged(), end))) {
        t_diag("%d bytes end with \"%s\"", (int) len,
               logged() + ngx_max(strlen(logged()), 60) - 60);
    }

    teardown();
}


static void
test_long(void)
{
    long_line(5000, 0, "xxxxx\n");
    long_line(5000, ENOENT, "xxx... (2: No such file or directory)\n");
    long_line(5000, EAGAIN,
              "xxx... (11: Resource temporarily unavailable)\n");
}


/* About the length at which the errno begins to need room. */

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

    setup();

    ngx_log_error(NGX_LOG_ALERT, &tlog, 0, "%s", text);
    T_EQ(strlen(logged()), NGX_MAX_ERROR_STR);

    teardown();
}


static void
test_long_with_handler(void)
{
    char  text[5001];

    memset(text, 'x', 5000);
    text[5000] = '\0';

    setup();
    tlog.handler = fill_room;
    handler_room = 1;

    ngx_log_error(NGX_LOG_ALERT, &tlog, 0, "%s", text);

    T_EQ(handler_room, 0);
    T_EQ(lines(logged()), 1);
    T_OK(ends_with(logged(), "xxx\n"));

    teardown();
}


static void
test_long_on_stderr(void)
{
    char         text[5001];
    const char  *line;

    memset(text, 'x', 5000);
    text[5000] = '\0';

    setup();
    catch_stderr();
    ngx_use_stderr = 1;

    ngx_log_error(NGX_LOG_ALERT, &tlog, ENOENT, "%s", text);

    line = contents(STDERR_FILENO);
    T_EQ(lines(line), 1);
    T_OK(strncmp(line, program(), strlen(program())) == 0);
    T_OK(strncmp(line + strlen(program()), ": [alert] xxx", 13) == 0);
    T_OK(ends_with(line, "xxx... (2: No such file or directory)\n"));

    teardown();
}


static void
test_log_errno(void)
{
    u_char  *p, buf[200];

    memset(buf, 'x', sizeof(buf));

    p = ngx_log_errno(buf, buf + sizeof(buf), ENOENT);
    *p = '\0';
    T_OK(strcmp((char *) buf, " (2: No such file or directory)") == 0);

    /* at the end there must be room for it */

    memset(buf, 'x', sizeof(buf));

    p = ngx_log_errno(buf + 190, buf + 199, ENOENT);
    T_OK(p <= buf + 199);
    *p = '\0';
    T_OK(ends_with((char *) buf, "xxx... (2: No such file or directory)"));
    T_EQ(strlen((char *) buf), 199 - 50 + 34);
}


/* Texts of errors. */

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


/* A full disk. */

static int
full_disk(void)
{
    int  fd;

    fd = open("/dev/full", O_WRONLY|O_APPEND|O_CLOEXEC);

    if (fd == -1) {
        t_skip("no /dev/full");
    }

    return fd;
}


static void
test_full_disk(void)
{
    int  fd, full;

    setup();

    fd = tfile.fd;
    full = full_disk();
    tfile.fd = full;

    T_EQ(tlog.disk_full_time, 0);
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_EQ(tlog.disk_full_time, ngx_time());

    /* the time does not go on before it is updated */

    tfile.fd = fd;
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_EQ(lines(logged()), 0);

    next_second();
    ngx_time_update();

    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_EQ(lines(logged()), 1);

    close(full);
    teardown();
}


static void
test_full_disk_chain(void)
{
    int              full;
    ngx_log_t        first;
    ngx_open_file_t  file;

    setup();

    first = tlog;
    file = tfile;
    first.file = &file;
    first.next = &tlog;
    full = full_disk();
    file.fd = full;

    ngx_log_error(NGX_LOG_NOTICE, &first, 0, "one");
    ngx_log_error(NGX_LOG_NOTICE, &first, 0, "two");

    T_EQ(first.disk_full_time, ngx_time());
    T_EQ(tlog.disk_full_time, 0);
    T_EQ(lines(logged()), 2);

    close(full);
    teardown();
}


/* Another error of write(2) does not stop the log. */

static void
test_bad_file(void)
{
    int  fd;

    setup();

    fd = tfile.fd;
    tfile.fd = -1;

    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_EQ(tlog.disk_full_time, 0);

    tfile.fd = fd;
    ngx_log_error(NGX_LOG_NOTICE, &tlog, 0, "text");
    T_EQ(lines(logged()), 1);

    teardown();
}


/* Signals: a handler logs while the program does. */

#define SIGNALS     500
#define LINES       200000


static volatile sig_atomic_t  signals;


static void
log_in_handler(int signo)
{
    int  err;

    err = errno;

    ngx_time_sigsafe_update();
    ngx_log_error(NGX_LOG_ALERT, &tlog, EINTR, "signal %d, number %d: %s",
                  signo, (int) ++signals, "text of the handler");

    errno = err;
}


static void
start_signals(void)
{
    struct sigaction  sa;
    struct itimerval  it;

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = log_in_handler;
    sa.sa_flags = SA_RESTART;
    T_REQUIRE(sigaction(SIGALRM, &sa, NULL) == 0);

    memset(&it, 0, sizeof(struct itimerval));
    it.it_interval.tv_usec = 200;
    it.it_value.tv_usec = 200;
    T_REQUIRE(setitimer(ITIMER_REAL, &it, NULL) == 0);
}


static void
stop_signals(void)
{
    struct itimerval  it;

    memset(&it, 0, sizeof(struct itimerval));
    setitimer(ITIMER_REAL, &it, NULL);

    /* one that is pending would write where the file is read */

    signal(SIGALRM, SIG_IGN);
}


/* A line is one of the two, whole and with a sane time. */

static int
is_whole(const char *line, const char *first, const char *last)
{
    int   pid, n, len;
    char  time[32];

    snprintf(time, sizeof(time), "%.19s", line);

    if (strcmp(time, first) < 0 || strcmp(time, last) > 0) {
        return 0;
    }

    line += 19;
    len = 0;

    if (sscanf(line, " [notice] %d#0: line %d of the program, 0.50 "
                     "(11: Resource temporarily unavailable)%n",
               &pid, &n, &len) != 2
        || len == 0)
    {
        len = 0;

        if (sscanf(line, " [alert] %d#0: signal 14, number %d: text of the "
                         "handler (4: Interrupted system call)%n",
                   &pid, &n, &len) != 2)
        {
            return 0;
        }
    }

    return len != 0 && line[len] == '\n' && pid == ngx_pid;
}


static void
check_lines(int fd, int wanted, const char *first, const char *last)
{
    int    n, torn;
    FILE  *f;
    char   line[NGX_MAX_ERROR_STR + 2];

    T_REQUIRE(lseek(fd, 0, SEEK_SET) == 0);

    f = fdopen(fd, "r");
    T_REQUIRE(f != NULL);

    torn = 0;

    for (n = 0; fgets(line, sizeof(line), f); n++) {

        if (is_whole(line, first, last)) {
            continue;
        }

        if (torn++ == 0) {
            t_diag("line %d: %s", n, line);
        }
    }

    fclose(f);

    T_EQ(torn, 0);
    T_EQ(n, wanted);
}


static void
test_signals(void)
{
    int   n;
    char  first[32], last[32];

    local_time(first, sizeof(first));
    setup();
    start_signals();

    for (n = 0; n < LINES && signals < SIGNALS; n++) {
        ngx_time_update();
        ngx_log_error(NGX_LOG_NOTICE, &tlog, EAGAIN,
                      "line %d of the program, %.2f", n, 0.5);
    }

    stop_signals();
    local_time(last, sizeof(last));

    T_OK(signals > 0);
    check_lines(tfile.fd, n + signals, first, last);
}


/* The same with a second log that is a writer, and with texts of errors. */

static int  writers;


static void
count_whole(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (len && buf[len - 1] == '\n' && memchr(buf, '\n', len - 1) == NULL) {
        __atomic_add_fetch(&writers, 1, __ATOMIC_RELAXED);
    }
}


static void
test_signals_writer(void)
{
    int  n;

    setup();
    tlog.writer = count_whole;
    start_signals();

    for (n = 0; n < LINES * 10 && signals < SIGNALS; n++) {
        ngx_log_error(NGX_LOG_NOTICE, &tlog, (ngx_err_t) (n % 140) + 1,
                      "line %d", n);
    }

    stop_signals();

    T_OK(signals > 0);
    T_EQ(writers, n + signals);

    teardown();
}


int
main(void)
{
    t_begin();

    t_run("a line", test_line);
    t_run("a line with an errno", test_errno);
    t_run("a line with an errno that nobody knows", test_unknown_errno);
    t_run("a line with a connection", test_connection);
    t_run("a line has ngx_pid", test_pid);
    t_run("an empty line", test_empty);
#if !(T_NGINX)
    t_run("ngx_log_error() is one statement", test_in_an_if);
#endif

    t_run("a line has the time", test_time);
    t_run("a line has the time of a zone in the east", test_zone_east);
    t_run("a line has the time of a zone in the west", test_zone_west);
    t_run("a line has the time of a zone far away", test_zone_far);
    t_run("the time at hand", test_cached_time);
    t_run("ngx_time_sigsafe_update()", test_sigsafe_time);

    t_run("the levels' names", test_level_names);
    t_run("the level decides", test_threshold);
    t_run("the level decides in the function as well",
          test_threshold_of_function);
    t_run("debug lines of one kind", test_debug_mask);
    t_run("no debug lines", test_no_debug);
    t_run("all debug lines", test_all_debug);
    t_run("debug lines of a connection", test_debug_connection);

    t_run("a handler adds to a line", test_handler);
    t_run("a handler does not add to a debug line", test_handler_debug);
    t_run("a handler that fills the line", test_handler_fills);
    t_run("a writer takes the line", test_writer);
    t_run("three logs in a chain", test_chain);
    t_run("two logs of different levels", test_chain_levels);
    t_run("ngx_log_get_file_log()", test_file_log);

    t_run("a file is appended to", test_file);
    t_run("a file under a prefix", test_prefix);
    t_run("a file that is renamed", test_rename);
    t_run("a file that is truncated", test_truncated);
    t_run("a file that cannot be opened", test_no_file);
    t_run("an empty name is stderr", test_empty_name);
    t_run("X no name is stderr", test_no_name);
    t_run("a file's name that is too long", test_long_name);

    t_run("warnings go to stderr", test_stderr);
    t_run("warnings and worse go to stderr", test_stderr_levels);
    t_run("nothing goes to stderr", test_stderr_off);
    t_run("a log that is stderr gets it once", test_stderr_is_log);
    t_run("an unwanted level is not wanted on stderr",
          test_stderr_unwanted_level);
    t_run("ngx_log_stderr()", test_log_stderr);
    t_run("ngx_log_stderr() of a long text", test_log_stderr_long);
    t_run("ngx_log_abort()", test_log_abort);

    t_run("a long line is cut", test_long);
    t_run("a line that just fits", test_nearly_long);
    t_run("a long line is of NGX_MAX_ERROR_STR", test_long_length);
    t_run("a long line leaves nothing to the handler",
          test_long_with_handler);
    t_run("a long line on stderr", test_long_on_stderr);
    t_run("ngx_log_errno()", test_log_errno);

    t_run("ngx_strerror()", test_strerror);
    t_run("ngx_strerror() of unknown errors", test_strerror_unknown);
    t_run("ngx_strerror() with little room", test_strerror_small);

    t_run("a full disk is left alone for a second", test_full_disk);
    t_run("a full disk does not concern the next log", test_full_disk_chain);
    t_run("another error of write() is passed over", test_bad_file);

    t_run("a signal handler logs as well", test_signals);
    t_run("a signal handler logs to a writer", test_signals_writer);

    return t_end();
}
