
/*
 * Tests of ngx_init_signals(), and of what the signal handler does in each
 * role.
 */


#include "test.h"

#include <stdio.h>
#include <sys/time.h>


#define ROLE_MASTER  (1 << NGX_PROCESS_MASTER)
#define ROLE_SINGLE  (1 << NGX_PROCESS_SINGLE)
#define ROLE_WORKER  (1 << NGX_PROCESS_WORKER)
#define ROLE_HELPER  (1 << NGX_PROCESS_HELPER)

#define MASTERS      (ROLE_MASTER|ROLE_SINGLE)
#define WORKERS      (ROLE_WORKER|ROLE_HELPER)


typedef struct {
    const char      *name;
    sig_atomic_t    *value;
} t_flag_t;


typedef struct {
    int              roles;
    ngx_uint_t       daemonized;
    int              signo;
    const char      *signame;
    sig_atomic_t    *flag;
    sig_atomic_t    *flag2;
    const char      *action;
} t_signal_t;


static t_flag_t  flags[] = {
    { "ngx_reap", &ngx_reap },
    { "ngx_sigio", &ngx_sigio },
    { "ngx_sigalrm", &ngx_sigalrm },
    { "ngx_quit", &ngx_quit },
    { "ngx_debug_quit", &ngx_debug_quit },
    { "ngx_terminate", &ngx_terminate },
    { "ngx_noaccept", &ngx_noaccept },
    { "ngx_reconfigure", &ngx_reconfigure },
    { "ngx_reopen", &ngx_reopen },
    { "ngx_change_binary", &ngx_change_binary },
};


static t_signal_t  table[] = {

    { MASTERS, 0, SIGHUP, "SIGHUP", &ngx_reconfigure, NULL,
      ", reconfiguring" },
    { MASTERS, 0, SIGUSR1, "SIGUSR1", &ngx_reopen, NULL,
      ", reopening logs" },
    { MASTERS, 0, SIGWINCH, "SIGWINCH", NULL, NULL, "" },
    { MASTERS, 1, SIGWINCH, "SIGWINCH", &ngx_noaccept, NULL,
      ", stop accepting connections" },
    { MASTERS, 0, SIGTERM, "SIGTERM", &ngx_terminate, NULL, ", exiting" },
    { MASTERS, 0, SIGINT, "SIGINT", &ngx_terminate, NULL, ", exiting" },
    { MASTERS, 0, SIGQUIT, "SIGQUIT", &ngx_quit, NULL, ", shutting down" },
    { MASTERS, 0, SIGUSR2, "SIGUSR2", &ngx_change_binary, NULL,
      ", changing binary" },
    { MASTERS, 0, SIGALRM, "SIGALRM", &ngx_sigalrm, NULL, "" },
    { MASTERS, 0, SIGIO, "SIGIO", &ngx_sigio, NULL, "" },
    { MASTERS, 0, SIGCHLD, "SIGCHLD", &ngx_reap, NULL, "" },

    { WORKERS, 0, SIGHUP, "SIGHUP", NULL, NULL, ", ignoring" },
    { WORKERS, 0, SIGUSR1, "SIGUSR1", &ngx_reopen, NULL,
      ", reopening logs" },
    { WORKERS, 0, SIGWINCH, "SIGWINCH", NULL, NULL, "" },
    { WORKERS, 1, SIGWINCH, "SIGWINCH", &ngx_quit, &ngx_debug_quit,
      ", shutting down" },
    { WORKERS, 0, SIGTERM, "SIGTERM", &ngx_terminate, NULL, ", exiting" },
    { WORKERS, 0, SIGINT, "SIGINT", &ngx_terminate, NULL, ", exiting" },
    { WORKERS, 0, SIGQUIT, "SIGQUIT", &ngx_quit, NULL, ", shutting down" },
    { WORKERS, 0, SIGUSR2, "SIGUSR2", NULL, NULL, ", ignoring" },
    { WORKERS, 0, SIGALRM, "SIGALRM", NULL, NULL, "" },
    { WORKERS, 0, SIGIO, "SIGIO", NULL, NULL, ", ignoring" },
    { WORKERS, 0, SIGCHLD, "SIGCHLD", NULL, NULL, "" },
};


static void
setup(void)
{
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
clear_flags(void)
{
    size_t  i;

    for (i = 0; i < t_nitems(flags); i++) {
        *flags[i].value = 0;
    }
}


/* Checks that these two flags are set, and that no other flag is. */

static void
flags_are(sig_atomic_t *one, sig_atomic_t *other)
{
    int     expected;
    size_t  i;

    for (i = 0; i < t_nitems(flags); i++) {
        expected = (flags[i].value == one || flags[i].value == other);

        if (!T_EQ(*flags[i].value != 0, expected)) {
            t_diag("  %s", flags[i].name);
        }
    }
}


/*
 * Sends a signal to this process.  The signal is delivered before kill()
 * returns, because it is not blocked and the process has one thread (POSIX,
 * kill()).
 */

static void
send_signal(int signo)
{
    T_REQUIRE(kill(getpid(), signo) == 0);
}


/*
 * Tests with a table of all signals, the flags that their handler sets, and
 * the actions that it logs.
 */

static void
check_signal(t_signal_t *sig)
{
    char  text[128];

    ngx_daemonized = sig->daemonized;
    clear_flags();
    t_log_clear();

    send_signal(sig->signo);

    flags_are(sig->flag, sig->flag2);

    snprintf(text, sizeof(text), ": signal %d (%s) received from %d%s",
             sig->signo, sig->signame, (int) getpid(), sig->action);

    if (!T_EQ(t_logged(NGX_LOG_NOTICE, text), 1)) {
        t_diag("  not logged: %s", text);
    }

    /*
     * If the signal has no action, the log line ends after the sender's pid.
     */

    if (sig->action[0] == '\0') {
        snprintf(text, sizeof(text), "received from %d,", (int) getpid());
        T_EQ(t_logged(T_ANY, text), 0);
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, ""), 1);
    T_EQ(t_logged(NGX_LOG_CRIT, ""), 0);
}


static void
check_role(ngx_uint_t role)
{
    size_t  i;

    setup();

    ngx_process = role;
    ngx_parent = 0;

    for (i = 0; i < t_nitems(table); i++) {

        if (table[i].roles & (1 << role)) {
            check_signal(&table[i]);
        }
    }
}


static void
test_master(void)
{
    check_role(NGX_PROCESS_MASTER);
}


static void
test_single(void)
{
    check_role(NGX_PROCESS_SINGLE);
}


static void
test_worker(void)
{
    check_role(NGX_PROCESS_WORKER);
}


static void
test_helper(void)
{
    check_role(NGX_PROCESS_HELPER);
}


static void
test_signaller(void)
{
    setup();

    ngx_process = NGX_PROCESS_SIGNALLER;
    send_signal(SIGTERM);

    flags_are(NULL, NULL);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, "signal 15 (SIGTERM) received from %d",
                   (int) getpid()), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exiting"), 0);
}


static void
changing_binary_ignored(void)
{
    send_signal(SIGUSR2);

    flags_are(NULL, NULL);
    T_EQ(t_loggedf(NGX_LOG_NOTICE,
                   "signal 12 (SIGUSR2) received from %d, ignoring",
                   (int) getpid()), 1);
    T_EQ(t_logged(NGX_LOG_CRIT, "the changing binary signal is ignored: "
                  "you should shutdown or terminate "
                  "before either old or new binary's process"), 1);
}


static void
test_usr2_in_new_binary(void)
{
    setup();

    ngx_parent = getppid();
    changing_binary_ignored();
}


static void
test_usr2_in_old_binary(void)
{
    setup();

    ngx_parent = 0;
    ngx_new_binary = 12345;
    changing_binary_ignored();
}


/* The kernel sends SIGALRM for a timer, so the log line names no sender. */

static void
test_no_sender(void)
{
    sigset_t          set;
    struct itimerval  itv;

    setup();

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);

    memset(&itv, 0, sizeof(struct itimerval));
    itv.it_value.tv_usec = 1000;
    T_REQUIRE(setitimer(ITIMER_REAL, &itv, NULL) == 0);

    sigemptyset(&set);
    sigsuspend(&set);

    flags_are(&ngx_sigalrm, NULL);
    T_EQ(t_logged(NGX_LOG_NOTICE, "signal 14 (SIGALRM) received"), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "received from"), 0);
}


static void
test_sender(void)
{
    pid_t     pid;
    sigset_t  set;

    setup();

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    pid = fork();

    if (pid == 0) {
        kill(getppid(), SIGHUP);
        _exit(0);
    }

    t_wait(pid);

    sigdelset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);

    T_EQ(t_loggedf(NGX_LOG_NOTICE,
                   "signal 1 (SIGHUP) received from %d, reconfiguring",
                   (int) pid), 1);
}


/*
 * Sends each signal twice, with different values of errno.  The handler must
 * restore errno.
 */

static void
test_errno(void)
{
    size_t  i;

    setup();

    for (i = 0; i < t_nitems(table); i++) {
        errno = EDOM;
        kill(getpid(), table[i].signo);
        T_EQ(errno, EDOM);

        errno = 0;
        kill(getpid(), table[i].signo);
        T_EQ(errno, 0);
    }
}


static void
test_log_level(void)
{
    setup();

    t_log()->log_level = NGX_LOG_ERR;
    send_signal(SIGHUP);

    flags_are(&ngx_reconfigure, NULL);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_dispositions(void)
{
    size_t            i;
    struct sigaction  sa;

    setup();

    for (i = 0; i < t_nitems(table); i++) {
        T_REQUIRE(sigaction(table[i].signo, NULL, &sa) == 0);
        T_OK(sa.sa_flags & SA_SIGINFO);
        T_OK((void *) sa.sa_sigaction != (void *) SIG_DFL);

        /*
         * Without SA_RESTART, a signal interrupts the system call in which the
         * process waits.
         */

        T_OK((sa.sa_flags & SA_RESTART) == 0);
    }

    T_REQUIRE(sigaction(SIGPIPE, NULL, &sa) == 0);
    T_OK(sa.sa_handler == SIG_IGN);

    T_REQUIRE(sigaction(SIGSYS, NULL, &sa) == 0);
    T_OK(sa.sa_handler == SIG_IGN);

    T_REQUIRE(sigaction(SIGSEGV, NULL, &sa) == 0);
    T_OK(sa.sa_handler == SIG_DFL);
}


static void
test_interrupts(void)
{
    int               fd[2];
    char              c;
    struct itimerval  itv;

    setup();

    T_REQUIRE(pipe2(fd, O_CLOEXEC) == 0);

    /*
     * The timer sends SIGALRM again and again, because the first signal can
     * arrive before read() is called.
     */

    memset(&itv, 0, sizeof(struct itimerval));
    itv.it_value.tv_usec = 1000;
    itv.it_interval.tv_usec = 1000;
    T_REQUIRE(setitimer(ITIMER_REAL, &itv, NULL) == 0);

    T_EQ(read(fd[0], &c, 1), -1);
    T_EQ(errno, EINTR);

    memset(&itv, 0, sizeof(struct itimerval));
    setitimer(ITIMER_REAL, &itv, NULL);

    close(fd[0]);
    close(fd[1]);
}


int
main(void)
{
    t_begin();

    t_run("signal dispositions", test_dispositions);
    t_run("signals in a master", test_master);
    t_run("signals in a single process", test_single);
    t_run("signals in a worker", test_worker);
    t_run("signals in a helper", test_helper);
    t_run("signals in a signaller", test_signaller);
    t_run("SIGUSR2 in a new binary", test_usr2_in_new_binary);
    t_run("SIGUSR2 in an old binary", test_usr2_in_old_binary);
    t_run("a signal without a sender", test_no_sender);
    t_run("a signal from another process", test_sender);
    t_run("the handler does not change errno", test_errno);
    t_run("a signal whose line is below the log level", test_log_level);
    t_run("a signal interrupts a system call", test_interrupts);

    return t_end();
}
