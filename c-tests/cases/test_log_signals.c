
/* Tests of the log: a signal handler logs while the program logs. */


#include "t_logger.h"


#define SIGNALS     500
#define LINES       200000


static volatile sig_atomic_t  signals;


static void
log_in_handler(int signo)
{
    int  err;

    err = errno;

    ngx_time_sigsafe_update();
    ngx_log_error(NGX_LOG_ALERT, &t_logger, EINTR, "signal %d, number %d: %s",
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

    /*
     * A signal that is still pending would run the handler, which writes to
     * the file, while the test reads the file.
     */

    signal(SIGALRM, SIG_IGN);
}


/*
 * Returns 1 if the line is complete, is one of the two texts that the program
 * and the signal handler log, and has a time between "first" and "last".
 */

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

    t_local_time(first, sizeof(first));
    t_logger_open();
    start_signals();

    for (n = 0; n < LINES && signals < SIGNALS; n++) {
        ngx_time_update();
        ngx_log_error(NGX_LOG_NOTICE, &t_logger, EAGAIN,
                      "line %d of the program, %.2f", n, 0.5);
    }

    stop_signals();
    t_local_time(last, sizeof(last));

    T_OK(signals > 0);
    check_lines(t_logger_file.fd, n + signals, first, last);
}


/*
 * The signal handler and the program log to a log with a writer, and with the
 * texts of error numbers.
 */

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

    t_logger_open();
    t_logger.writer = count_whole;
    start_signals();

    for (n = 0; n < LINES * 10 && signals < SIGNALS; n++) {
        ngx_log_error(NGX_LOG_NOTICE, &t_logger, (ngx_err_t) (n % 140) + 1,
                      "line %d", n);
    }

    stop_signals();

    T_OK(signals > 0);
    T_EQ(writers, n + signals);

    t_logger_close();
}


int
main(void)
{
    t_begin();

    t_run("a signal handler logs while the program logs", test_signals);
    t_run("a signal handler logs to a log with a writer", test_signals_writer);

    return t_end();
}
