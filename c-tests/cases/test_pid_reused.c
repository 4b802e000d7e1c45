
/*
 * Tests of ngx_signal_worker_processes() for a worker that exits just before
 * it gets the signal.  The kernel gives its pid to a process of another
 * program, the stranger, which must not get the signal.
 */


#include "test.h"

#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>


static int        end[2];
static pid_t      worker;
static pid_t      stranger;
static ngx_log_t  log_kill;


/*
 * The stranger blocks all signals.  When the pipe is closed, it exits; the
 * code is 1 if it has got SIGUSR2.
 */

static void
be_stranger(void)
{
    char      c;
    sigset_t  set;

    close(end[1]);

    while (read(end[0], &c, 1) == -1 && errno == EINTR) { /* void */ }

    sigpending(&set);
    _exit(sigismember(&set, SIGUSR2));
}


/* Starts the stranger with this pid, see clone3(2). */

static pid_t
start_stranger(pid_t pid)
{
    long               n;
    char               reason[128];
    sigset_t           all, before;
    struct clone_args  args;

    memset(&args, 0, sizeof(struct clone_args));
    args.exit_signal = SIGCHLD;
    args.set_tid = (uintptr_t) &pid;
    args.set_tid_size = 1;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);

    n = syscall(SYS_clone3, &args, sizeof(struct clone_args));

    if (n == 0) {
        be_stranger();
    }

    sigprocmask(SIG_SETMASK, &before, NULL);

    if (n == -1) {
        snprintf(reason, sizeof(reason), "clone3() with set_tid fails: %s",
                 strerror(errno));
        t_skip(reason);
    }

    return (pid_t) n;
}


/*
 * A log writer.  The line "kill (PID, SIGNO)" is the last thing that happens
 * before the worker is signalled.  Here the worker exits and is reaped, and
 * the stranger gets its pid.
 */

static void
replace_worker(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    static const char  text[] = "kill (";

    if (stranger || memmem(buf, len, text, sizeof(text) - 1) == NULL) {
        return;
    }

    stranger = -1;

    kill(worker, SIGKILL);
    t_exited(worker);

    stranger = start_stranger(worker);
}


static void
signal_worker(void)
{
    ngx_log_t  *log;

    T_REQUIRE(pipe2(end, O_CLOEXEC) == 0);

    t_init_signals();

    worker = t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(worker > 0);

    log_kill.log_level = NGX_LOG_DEBUG_ALL;
    log_kill.writer = replace_worker;

    log = t_cycle()->log;
    t_cycle()->log = &log_kill;
    ngx_signal_worker_processes(t_cycle(), SIGUSR2);
    t_cycle()->log = log;

    T_REQUIRE(stranger == worker);

    close(end[0]);
    close(end[1]);

    T_EQ(t_wait(stranger), 0);

    T_EQ(ngx_processes[0].pid, worker);
    T_EQ(ngx_processes[0].exited, 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "kill("), 0);

    t_end_processes();
}


static void
test_stranger(void)
{
    signal_worker();
}


static void
test_stranger_no_pidfd_open(void)
{
    t_need_seccomp();
    t_fail_syscall(SYS_pidfd_open, ENOSYS);

    signal_worker();
}


static void
test_stranger_no_pidfd_send_signal(void)
{
    t_need_seccomp();
    t_fail_syscall(SYS_pidfd_send_signal, EPERM);

    signal_worker();
}


int
main(void)
{
    t_begin();

    t_run("D5 a process with the pid of a worker is not signalled",
          test_stranger);
    t_run("D5 a process with the pid of a worker, without pidfd_open()",
          test_stranger_no_pidfd_open);
    t_run("D5 a process with the pid of a worker, no pidfd_send_signal()",
          test_stranger_no_pidfd_send_signal);

    return t_end();
}
