
/* Tests of ngx_execute(). */


#include "test.h"

#include <stdio.h>


#define T_OUTPUT  4096


static char        output[T_OUTPUT];
static unsigned   *atexits;


/*
 * Executes a program whose standard output is a pipe, and waits until the
 * program exits.  Returns its wait status, and stores its output in output[].
 */

static int
execute(char *path, char *const *argv, char *const *envp)
{
    int              fd[2], saved, status;
    size_t           len;
    ssize_t          n;
    ngx_pid_t        pid;
    ngx_exec_ctx_t   ctx;

    T_REQUIRE(pipe2(fd, O_CLOEXEC) == 0);

    saved = fcntl(1, F_DUPFD_CLOEXEC, 3);
    T_REQUIRE(saved != -1);
    T_REQUIRE(dup2(fd[1], 1) == 1);
    close(fd[1]);

    ctx.path = path;
    ctx.name = "some program";
    ctx.argv = argv;
    ctx.envp = envp;

    pid = ngx_execute(t_cycle(), &ctx);

    T_REQUIRE(dup2(saved, 1) == 1);
    close(saved);

    T_REQUIRE(pid > 0);

    len = 0;

    do {
        n = read(fd[0], output + len, sizeof(output) - 1 - len);

        if (n > 0) {
            len += (size_t) n;
        }

    } while (n > 0 || (n == -1 && errno == EINTR));

    output[len] = '\0';
    close(fd[0]);

    status = t_wait(pid);
    ngx_processes[ngx_process_slot].exited = 1;

    return status;
}


/*
 * Returns the value of a field in the output of "cat /proc/self/status", such
 * as "SigIgn:\t0000000000001000".
 */

static unsigned long long
field(const char *name)
{
    char  *p;

    p = strstr(output, name);
    T_REQUIRE(p != NULL);

    return strtoull(p + strlen(name), NULL, 16);
}


static unsigned long long
bit(int signo)
{
    return 1ULL << (signo - 1);
}


static int
execute_status(void)
{
    static char  *argv[] = { "cat", "/proc/self/status", NULL };
    static char  *envp[] = { NULL };

    return execute("/bin/cat", argv, envp);
}


/* Handles, blocks and ignores signals as nginx's master does. */

static void
signals_of_a_master(void)
{
    sigset_t  set;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGUSR2);

    T_REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}


static void
test_execute(void)
{
    int           status;
    static char  *argv[] = { "sh", "-c", "echo $0 $1 $V; exit 7", "a", NULL };
    static char  *envp[] = { "V=value", NULL };

    status = execute("/bin/sh", argv, envp);

    T_OK(WIFEXITED(status));
    T_EQ(WEXITSTATUS(status), 7);
    T_OK(strcmp(output, "a value\n") == 0);

    T_EQ(ngx_process_slot, 0);
    T_EQ(ngx_last_process, 1);
    T_EQ(ngx_processes[0].detached, 1);
    T_EQ(ngx_processes[0].respawn, 0);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_EQ(ngx_processes[0].channel[1], -1);
    T_OK(strcmp(ngx_processes[0].name, "some program") == 0);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, "start some program %d",
                   (int) ngx_processes[0].pid), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_mask(void)
{
    signals_of_a_master();

    T_EQ(execute_status(), 0);
    T_EQ(field("SigBlk:"), 0);
}


static void
test_dispositions(void)
{
    signals_of_a_master();

    T_EQ(execute_status(), 0);
    T_EQ(field("SigIgn:") & bit(SIGPIPE), 0);
    T_EQ(field("SigIgn:") & bit(SIGSYS), 0);
}


static void
test_master_keeps_its_signals(void)
{
    sigset_t          set;
    struct sigaction  sa;

    signals_of_a_master();
    T_EQ(execute_status(), 0);

    T_REQUIRE(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
    T_EQ(sigismember(&set, SIGHUP), 1);
    T_EQ(sigismember(&set, SIGCHLD), 1);
    T_EQ(sigismember(&set, SIGSEGV), 0);

    T_REQUIRE(sigaction(SIGPIPE, NULL, &sa) == 0);
    T_OK(sa.sa_handler == SIG_IGN);
}


/* Returns the number of descriptors that are open in an executed program. */

static int
inherited(void)
{
    int           n;
    char         *p;
    static char  *argv[] = { "ls", "/proc/self/fd", NULL };
    static char  *envp[] = { NULL };

    T_EQ(execute("/bin/ls", argv, envp), 0);

    n = 0;

    for (p = output; *p; p++) {
        n += (*p == '\n');
    }

    return n;
}


static void
test_no_descriptors_inherited(void)
{
    int  n;

    n = inherited();
    T_OK(n > 0);

    /* The executed program must not inherit the channel of a worker. */

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(inherited(), n);

    t_end_processes();
}


/* Tries to execute a program that does not exist. */

static ngx_pid_t
execute_nothing(void)
{
    ngx_pid_t        pid;
    ngx_exec_ctx_t   ctx;
    static char     *argv[] = { "nothing", NULL };
    static char     *envp[] = { NULL };

    ctx.path = "/nonexistent/nothing";
    ctx.name = "some program";
    ctx.argv = argv;
    ctx.envp = envp;

    pid = ngx_execute(t_cycle(), &ctx);

    /*
     * In nginx, ngx_execute() returns the pid of a child even if execve()
     * fails in the child (D9).  The child then logs the failure.
     */

    if (pid > 0) {
        t_wait(pid);
        ngx_processes[ngx_process_slot].exited = 1;
    }

    return pid;
}


static void
test_fails(void)
{
    (void) execute_nothing();

    T_EQ(t_logged(NGX_LOG_ALERT, "execve() failed while executing "
                  "some program \"/nonexistent/nothing\" "
                  "(2: No such file or directory)"), 1);
}


static void
test_fails_is_told(void)
{
    T_EQ(execute_nothing(), NGX_INVALID_PID);
}


static void
test_fails_slot(void)
{
    ngx_pid_t  pid;

    pid = execute_nothing();

    T_EQ(pid, NGX_INVALID_PID);
    T_EQ(ngx_processes[ngx_process_slot].pid, -1);

    /*
     * The failed ngx_execute() has freed its slot, so the next process gets
     * this slot.
     */

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);
    T_EQ(ngx_process_slot, 0);

    t_end_processes();
}


static void
test_fails_descriptors(void)
{
    int  n;

    n = t_open_fds();

    (void) execute_nothing();
    (void) execute_nothing();

    T_EQ(t_open_fds(), n);
}


static void
count_atexit(void)
{
    (*atexits)++;
}


static void
test_fails_atexit(void)
{
    atexits = t_shared(sizeof(unsigned));

    /*
     * The child in which execve() fails must not call the functions that the
     * master has registered with atexit().
     */

    T_REQUIRE(atexit(count_atexit) == 0);

    (void) execute_nothing();

    T_EQ(*atexits, 0);
}


static void
test_no_fds(void)
{
    int              fd, status;
    ngx_pid_t        pid;
    ngx_exec_ctx_t   ctx;
    static char     *argv[] = { "true", NULL };
    static char     *envp[] = { NULL };

    ctx.path = "/bin/true";
    ctx.name = "some program";
    ctx.argv = argv;
    ctx.envp = envp;

    /*
     * The program inherits the limit of descriptors, so its dynamic linker
     * cannot open libraries and prints an error.
     */

    fd = open("/dev/null", O_RDWR|O_CLOEXEC);
    T_REQUIRE(dup2(fd, 2) == 2);
    close(fd);

    t_no_more_fds();
    pid = ngx_execute(t_cycle(), &ctx);
    t_more_fds();

    T_OK(pid > 0);

    if (pid > 0) {
        status = t_wait(pid);
        T_OK(WIFEXITED(status));
    }

    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);
}


static void
test_fork_fails(void)
{
    t_need_seccomp();
    t_fail_fork(EAGAIN);

    T_EQ(execute_nothing(), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "fork() failed while spawning \"some program\" (11: "), 1);
    T_EQ(ngx_last_process, 0);
}


static void
test_fork_fails_close(void)
{
    t_need_seccomp();
    t_fail_fork(EAGAIN);

    T_EQ(execute_nothing(), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);
}


int
main(void)
{
    t_begin();

    t_run("a program is executed", test_execute);
    t_run("the master keeps its signals", test_master_keeps_its_signals);
    t_run("a program inherits no channel", test_no_descriptors_inherited);
    t_run("a program is executed with no descriptors left", test_no_fds);
    t_run("D9 a program starts with no signal blocked", test_mask);
    t_run("D9 a program starts with no signal ignored", test_dispositions);

    t_run("execve() fails", test_fails);
    t_run("execve() fails: no descriptor is left", test_fails_descriptors);
    t_run("D9 execve() fails: the caller is told", test_fails_is_told);
    t_run("D9 execve() fails: the slot is free", test_fails_slot);
    t_run("D9 execve() fails: no atexit() handler runs", test_fails_atexit);

    t_run("fork() fails", test_fork_fails);
    t_run("D10 fork() fails: -1 is not closed", test_fork_fails_close);

    return t_end();
}
