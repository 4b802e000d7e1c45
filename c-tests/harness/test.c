
/*
 * The main part of the harness: runs each case in a process of its own, and
 * prints the case's result as TAP.
 */


#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif


#define T_ABORTED  3


/*
 * The result of a case, in memory that the harness and all processes of the
 * case share.
 */

typedef struct {
    atomic_uint   failed;
    atomic_uint   finished;
    char          skipped[128];
} t_report_t;


static void t_case_process(t_case_pt fn) __attribute__((noreturn));


static t_report_t   *t_report;
static unsigned      t_number;
static unsigned      t_failed;
static unsigned      t_nginx;
static unsigned      t_verbose;
static unsigned      t_stop;
static unsigned      t_timeout = 60;
static const char   *t_only;
static sigset_t      t_sigchld;
static t_fds_t       t_fds;


/* Assertions, which the macros of test.h call. */

int
t_ok(const char *file, int line, const char *text, int ok)
{
    if (!ok) {
        atomic_fetch_add(&t_report->failed, 1);
        t_diag("%s:%d: %s is false", file, line, text);
    }

    return ok;
}


int
t_eq(const char *file, int line, const char *ta, long long a, const char *tb,
    long long b)
{
    if (a != b) {
        atomic_fetch_add(&t_report->failed, 1);
        t_diag("%s:%d: %s is %lld, %s is %lld", file, line, ta, a, tb, b);
    }

    return a == b;
}


void
t_abort(void)
{
    _exit(T_ABORTED);
}


void
t_skip(const char *reason)
{
    snprintf(t_report->skipped, sizeof(t_report->skipped), "%s", reason);
    _exit(0);
}


/*
 * Checks at the end of a case that it has left no open descriptor, no child
 * and no System V segment.
 */

/*
 * Records which descriptors are open now.  At the end of the case these
 * descriptors do not count as leaks.
 */

void
t_keep_fds(void)
{
    t_get_fds(&t_fds);
}


static void
t_check_fds(void)
{
    int      fd;
    char     name[256];
    t_fds_t  after;

    t_more_fds();
    t_get_fds(&after);

    for (fd = 0; fd < T_FDS_MAX; fd++) {

        if (t_fds.open[fd] == after.open[fd]) {
            continue;
        }

        atomic_fetch_add(&t_report->failed, 1);

        if (after.open[fd]) {
            t_diag("descriptor %d is left open: %s", fd,
                   t_fd_name(fd, name, sizeof(name)));

        } else {
            t_diag("descriptor %d was closed", fd);
        }
    }
}


static void
t_check_children(void)
{
    pid_t      pid;
    siginfo_t  info;

    info.si_pid = 0;

    if (waitid(P_ALL, 0, &info, WEXITED|WNOHANG|WNOWAIT) == -1) {
        return;
    }

    pid = info.si_pid;
    atomic_fetch_add(&t_report->failed, 1);

    if (pid) {
        t_diag("child %d was not reaped", (int) pid);

    } else {
        t_diag("a child is still alive");
    }
}


/*
 * Checks that the case has left no System V segment.  A line of
 * /proc/sysvipc/shm begins with key, shmid, perms, size and cpid, see
 * proc_sysvipc(5).
 */

static void
t_check_segments(void)
{
    int    id, cpid;
    FILE  *f;
    char   line[512];

    f = fopen("/proc/sysvipc/shm", "r");

    if (f == NULL) {
        return;
    }

    while (fgets(line, sizeof(line), f)) {

        if (sscanf(line, "%*d %d %*o %*u %d", &id, &cpid) == 2
            && cpid == (int) getpid())
        {
            atomic_fetch_add(&t_report->failed, 1);
            t_diag("System V segment %d is left", id);
        }
    }

    fclose(f);
}


/*
 * Checks that all memory that was allocated can be reached or is freed, if the
 * program has AddressSanitizer.  In a process that exits with exit(),
 * AddressSanitizer does so itself.
 */

void
t_check_leaks(void)
{
#if defined(__SANITIZE_ADDRESS__)
    if (__lsan_do_recoverable_leak_check()) {
        atomic_fetch_add(&t_report->failed, 1);
        t_diag("memory is lost");
    }
#endif
}


/* Functions that run one case and judge it. */

static void
t_case_process(t_case_pt fn)
{
    int       signo;
    sigset_t  set;

    setpgid(0, 0);

    for (signo = 1; signo < 32; signo++) {
        signal(signo, SIG_DFL);
    }

    /*
     * nginx sets FIOASYNC on a channel (D30), so the kernel sends SIGIO when a
     * message arrives.  The default action of SIGIO would terminate the case.
     */

    t_wake_on(SIGIO);

    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);

    ngx_pid = getpid();
    ngx_process = NGX_PROCESS_MASTER;

    t_keep_fds();

    fn();

    t_check_fds();
    t_check_children();
    t_check_segments();
    t_check_leaks();

    atomic_store(&t_report->finished, 1);

    _exit(0);
}


static long long
t_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* Whether a case must fail, because nginx has the defect that it is about. */

static int
t_must_fail(const char *name)
{
    return t_nginx && name[0] == 'D'
           && (name[1] == ' ' || (name[1] >= '0' && name[1] <= '9'));
}


/*
 * The time limit of a case, in seconds.  With many of its defects nginx waits
 * for ever, so a case that must fail has less time.
 */

static unsigned
t_limit(const char *name)
{
    return t_must_fail(name) ? t_timeout / 4 : t_timeout;
}


/*
 * Waits until the process of the case has ended, and does not reap it.  So its
 * pid stays in use, and kill(-pid) signals only the processes of this case.
 * Returns 0 after the time limit.
 */

static int
t_case_ended(pid_t pid, unsigned limit)
{
    long long        left, end;
    siginfo_t        info;
    struct timespec  ts;

    end = t_now() + limit * 1000;

    for ( ;; ) {
        info.si_pid = 0;

        if (waitid(P_PID, pid, &info, WEXITED|WNOHANG|WNOWAIT) == -1
            || info.si_pid)
        {
            return 1;
        }

        left = end - t_now();

        if (left <= 0) {
            return 0;
        }

        ts.tv_sec = left / 1000;
        ts.tv_nsec = (left % 1000) * 1000000;

        (void) sigtimedwait(&t_sigchld, NULL, &ts);
    }
}


/*
 * Reaps all processes of the case.  Stores the status of the process "first";
 * returns the number of the others, which the case has left behind.
 */

static unsigned
t_reap_case(pid_t first, int *status)
{
    int       st;
    pid_t     pid;
    unsigned  orphans;

    orphans = 0;
    *status = 0;

    while ((pid = waitpid(-1, &st, 0)) != -1 || errno == EINTR) {

        if (pid == first) {
            *status = st;

        } else if (pid > 0) {
            orphans++;
        }
    }

    return orphans;
}


static void
t_fail_case(const char *text, int n)
{
    atomic_fetch_add(&t_report->failed, 1);
    t_diag(text, n);
}


static void
t_judge(unsigned limit, int ended, int status, unsigned orphans)
{
    if (!ended) {
        t_fail_case("timed out after %d s", limit);

    } else if (WIFSIGNALED(status)) {
        t_fail_case("killed by signal %d", WTERMSIG(status));

    } else if (t_report->skipped[0]) {

        /* A skipped case may leave processes: t_run() has killed them. */

        return;

    } else if (!t_report->finished) {

        if (!t_report->failed) {
            t_fail_case("ended with code %d", WEXITSTATUS(status));
        }

    } else if (orphans) {
        t_fail_case("%d processes are left behind", orphans);
    }
}


static void
t_print_case(const char *name)
{
    unsigned  failed, expected;

    failed = t_report->failed;
    expected = t_must_fail(name);

    t_number++;

    if (t_report->skipped[0] && !failed) {
        printf("ok %u %s # SKIP %s\n", t_number, name, t_report->skipped);
        return;
    }

    if (!failed == !expected) {
        printf("ok %u - %s%s\n", t_number, name,
               expected ? " # fails, since nginx has the defect" : "");

    } else {
        t_failed++;
        printf("not ok %u - %s%s\n", t_number, name,
               expected ? " # passes, although nginx has the defect"
                        : "");
    }

    if (failed && (!expected || t_verbose)) {
        t_log_print(1);
    }

    if (failed && !expected) {
        t_log_print(0);
    }
}


void
t_run(const char *name, t_case_pt fn)
{
    int       status, ended;
    pid_t     pid;
    unsigned  orphans;

    if ((t_only && strstr(name, t_only) == NULL) || (t_stop && t_failed)) {
        return;
    }

    t_log_reset();
    memset((void *) t_report, 0, sizeof(t_report_t));

    if (t_nginx && name[0] == 'X' && name[1] == ' ') {
        snprintf(t_report->skipped, sizeof(t_report->skipped),
                 "undefined behaviour in nginx");
        t_print_case(name);
        return;
    }

    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        t_case_process(fn);
    }

    if (pid == -1) {
        perror("fork");
        exit(2);
    }

    setpgid(pid, pid);

    ended = t_case_ended(pid, t_limit(name));
    kill(-pid, SIGKILL);
    orphans = t_reap_case(pid, &status);

    t_judge(t_limit(name), ended, status, orphans);
    t_print_case(name);
}


static const char *
t_env(const char *name)
{
    const char  *value;

    value = getenv(name);

    return (value && *value) ? value : NULL;
}


/* Whether a case that tries random things may take minutes. */

int
t_long(void)
{
    return t_env("T_LONG") != NULL;
}


void
t_begin(void)
{
    int  fd;

    t_nginx = t_env("T_EXPECT") && strcmp(t_env("T_EXPECT"), "nginx") == 0;
    t_verbose = t_env("T_VERBOSE") != NULL;
    t_stop = t_env("T_STOP") != NULL;
    t_only = t_env("T_ONLY");

    if (t_env("T_TIMEOUT")) {
        t_timeout = (unsigned) atoi(t_env("T_TIMEOUT"));
    }

    if (t_long()) {
        t_timeout += 400;
    }

    /*
     * Opens /dev/null until the descriptors 0, 1 and 2 are open, so that no
     * case gets one of these numbers for another file.
     */

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd < 3);

    close(fd);

    t_report = t_shared(sizeof(t_report_t));
    t_log_init();

    /*
     * The harness becomes the parent of the processes whose parent exits, so
     * that it can reap them.
     */

    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    sigemptyset(&t_sigchld);
    sigaddset(&t_sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &t_sigchld, NULL);
}


int
t_end(void)
{
    printf("1..%u\n", t_number);
    return t_failed ? 1 : 0;
}
