
/*
 * Attacks of t_attack.h: processes, signals and the ends of processes.  No
 * attack signals a process that is not of the test.
 */


#include "t_attack.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>


#if !(T_NGINX)

/* Forks a process whose parent is the master. */

static pid_t
fork_for_master(void)
{
    __atomic_fetch_add(&t_attacks->children, 1, __ATOMIC_SEQ_CST);

    return (pid_t) syscall(SYS_clone, CLONE_PARENT|SIGCHLD, NULL, NULL, NULL,
                           NULL);
}


static void
signal_master(void)
{
    int  signo;

    for (signo = 1; signo < NSIG; signo++) {
        (void) kill(t_master(), signo);
        (void) sigqueue(t_master(), signo, (union sigval) { .sival_int = 1 });
        (void) syscall(SYS_tgkill, t_master(), t_master(), signo);
    }
}


static void
limit_master(void)
{
    int                 i;
    cpu_set_t           one;
    struct rlimit       none = { 0, 0 };
    struct sched_param  param = { 0 };

    for (i = 0; i < RLIM_NLIMITS; i++) {
        (void) prlimit(t_master(), i, &none, NULL);
    }

    CPU_ZERO(&one);
    CPU_SET(0, &one);

    (void) sched_setaffinity(t_master(), sizeof(one), &one);
    (void) sched_setscheduler(t_master(), SCHED_IDLE, &param);
    (void) setpriority(PRIO_PROCESS, (id_t) t_master(), 19);
    (void) setpgid(t_master(), 0);
}


/* The master becomes the tracer of this process, ptrace(2). */

static void
traced_and_stopped(void)
{
    (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void) raise(SIGSTOP);
}


static void
traced_and_signalled(void)
{
    (void) signal(SIGUSR2, SIG_IGN);
    (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void) raise(SIGUSR2);
}


static void
traced_by_master(void)
{
    int  i;

    for (i = 0; i < 10; i++) {
        if (fork_for_master() == 0) {
            (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
            (void) raise(SIGTRAP);
            _exit(0);
        }
    }
}


static void
children_for_master(void)
{
    int  i;

    for (i = 0; i < 200; i++) {
        if (fork_for_master() == 0) {
            _exit(i % 3);
        }
    }
}


/*
 * Children of the master exit without end.  The master's handler of SIGCHLD
 * must not reap them for ever.
 */

static void
flood_of_children(void)
{
    for ( ;; ) {
        if (fork_for_master() == 0) {
            _exit(0);
        }
    }
}


static void
child_of_master_stays(void)
{
    t_leave_process(fork_for_master);
}


/* A child keeps copies of this process's descriptors after its death. */

static void
child_stays(void)
{
    t_leave_process(fork);
}


static void
stop(void)
{
    (void) raise(SIGSTOP);
}


static void
hang(void)
{
    t_block_all();

    for ( ;; ) {
        (void) poll(NULL, 0, 1000);
    }
}


static void
crash(void)
{
    struct rlimit  none = { 0, 0 };

    (void) setrlimit(RLIMIT_CORE, &none);
    (void) signal(SIGSEGV, SIG_DFL);
    (void) raise(SIGSEGV);
}


static void
leave_session(void)
{
    (void) setsid();
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void) prctl(PR_SET_NAME, "master process", 0, 0, 0);
}


static void
own_namespaces(void)
{
    if (unshare(CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNS|CLONE_NEWNET) == -1) {
        return;
    }

    signal_master();
}


static void
execute(void)
{
    char  *argv[] = { "true", NULL };

    (void) execv("/bin/true", argv);
}


static void
close_all(void)
{
    int  fd;

    for (fd = 3; fd < 256; fd++) {
        close(fd);
    }
}


const t_attack_t  t_process_attacks[] = {
    { "SIGKILL to a sibling", t_kill_victim },
    { "signals to the master", signal_master },
    { "limits of the master", limit_master },
    { "stopped, with the master as tracer", traced_and_stopped },
    { "signalled, with the master as tracer", traced_and_signalled },
    { "children of the master that it traces", traced_by_master },
    { "200 children of the master", children_for_master },
    { "children of the master without end", flood_of_children },
    { "a child of the master that stays", child_of_master_stays },
    { "a child that stays", child_stays },
    { "stopped", stop },
    { "all signals blocked", hang },
    { "a crash", crash },
    { "a session of its own", leave_session },
    { "namespaces of its own", own_namespaces },
    { "another program", execute },
    { "all descriptors closed", close_all },
    { NULL, NULL }
};

#endif
