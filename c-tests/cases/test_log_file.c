
/* Tests of the log: its file, and a full disk. */


#include "t_logger.h"


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

    text = t_contents(fd);
    close(fd);

    return text;
}


static ngx_log_t *
init_log(const char *prefix, const char *name)
{
    ngx_log_t  *log;

    t_time_init();

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

    /* A second ngx_log_init() appends to the file. */

    log = init_log(NULL, paths.name);
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "three");
    close(log->file->fd);

    T_EQ(t_lines(file_contents(paths.name)), 2);
    T_OK(strstr(file_contents(paths.name), "#0: one\n") != NULL);
    T_OK(t_ends_with(file_contents(paths.name), "#0: three\n"));

    remove_dir(&paths);
}


static void
test_prefix(void)
{
    char        prefix[80];
    paths_t     paths;
    ngx_log_t  *log;

    make_dir(&paths);

    /*
     * The prefix ends with a slash; the prefix has no slash at its end; the
     * name is absolute, so no prefix is used.
     */

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

    T_EQ(t_lines(file_contents(paths.name)), 3);

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
    T_EQ(t_lines(file_contents(paths.moved)), 2);

    fd = log->file->fd;
    log = init_log(paths.dir, "error.log");
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "three");

    T_EQ(t_lines(file_contents(paths.moved)), 2);
    T_EQ(t_lines(file_contents(paths.name)), 1);

    close(fd);
    close(log->file->fd);
    remove_dir(&paths);
}


/*
 * Another process truncates the file.  The next line is written at its new
 * end, because the file is open with O_APPEND.
 */

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

    T_EQ(t_lines(file_contents(paths.name)), 1);
    T_OK(t_ends_with(file_contents(paths.name), "#0: two\n"));

    close(log->file->fd);
    remove_dir(&paths);
}


static void
test_no_file(void)
{
    ngx_log_t  *log;

    t_catch_stderr();

    log = init_log("/nonexistent", "error.log");

    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(t_is_on_stderr("[alert] could not open error log file: open() "
                        "\"/nonexistent/error.log\" failed "
                        "(2: No such file or directory)"));
}


static void
test_empty_name(void)
{
    ngx_log_t  *log;

    t_catch_stderr();

    log = init_log("/nonexistent", "");
    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(strcmp(t_contents(STDERR_FILENO), "") == 0);
}


static void
test_no_name(void)
{
    ngx_log_t  *log;

    t_catch_stderr();

    log = init_log(NULL, NULL);
    T_EQ(log->file->fd, STDERR_FILENO);
    T_OK(strcmp(t_contents(STDERR_FILENO), "") == 0);
}


/*
 * The name of the log comes from a user, so it can have any length and contain
 * any byte.
 */

static void
test_long_name(void)
{
    char         name[8192];
    ngx_log_t   *log;
    const char  *text;

    memset(name, 'n', sizeof(name));
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';

    t_catch_stderr();

    log = init_log(NULL, name);
    text = t_contents(STDERR_FILENO);

    T_EQ(log->file->fd, STDERR_FILENO);
    T_EQ(t_lines(text), 1);
    T_OK(strlen(text) <= NGX_MAX_ERROR_STR);
    T_OK(t_ends_with(text, "nnn... (36: File name too long)\n"));
}


/* Tests with a full disk, for which /dev/full stands. */

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

    t_logger_open();

    fd = t_logger_file.fd;
    full = full_disk();
    t_logger_file.fd = full;

    T_EQ(t_logger.disk_full_time, 0);
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_EQ(t_logger.disk_full_time, ngx_time());

    /*
     * ngx_time() is the cached time.  It was not updated, so the second of the
     * failed write has not ended for the log.
     */

    t_logger_file.fd = fd;
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 0);

    t_next_second();
    ngx_time_update();

    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 1);

    close(full);
    t_logger_close();
}


static void
test_full_disk_chain(void)
{
    int              full;
    ngx_log_t        first;
    ngx_open_file_t  file;

    t_logger_open();

    first = t_logger;
    file = t_logger_file;
    first.file = &file;
    first.next = &t_logger;
    full = full_disk();
    file.fd = full;

    ngx_log_error(NGX_LOG_NOTICE, &first, 0, "one");
    ngx_log_error(NGX_LOG_NOTICE, &first, 0, "two");

    T_EQ(first.disk_full_time, ngx_time());
    T_EQ(t_logger.disk_full_time, 0);
    T_EQ(t_lines(t_logger_text()), 2);

    close(full);
    t_logger_close();
}


/*
 * If write() fails with an error other than ENOSPC, the log writes the next
 * line.
 */

static void
test_bad_file(void)
{
    int  fd;

    t_logger_open();

    fd = t_logger_file.fd;
    t_logger_file.fd = -1;

    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_EQ(t_logger.disk_full_time, 0);

    t_logger_file.fd = fd;
    ngx_log_error(NGX_LOG_NOTICE, &t_logger, 0, "text");
    T_EQ(t_lines(t_logger_text()), 1);

    t_logger_close();
}


int
main(void)
{
    t_begin();

    t_run("a file is appended to", test_file);
    t_run("a file under a prefix", test_prefix);
    t_run("a file that is renamed", test_rename);
    t_run("a file that is truncated", test_truncated);
    t_run("a file that cannot be opened", test_no_file);
    t_run("an empty name is stderr", test_empty_name);
    t_run("X without a name the log is stderr", test_no_name);
    t_run("a file's name that is too long", test_long_name);

    t_run("after a full disk no line is written for a second", test_full_disk);
    t_run("a full disk does not stop the next log", test_full_disk_chain);
    t_run("another error of write() is ignored", test_bad_file);

    return t_end();
}
