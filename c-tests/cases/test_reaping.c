
/*
 * Tests of the handler of SIGCHLD: what it stores in the process table and
 * what it logs.
 */


#include "test.h"

#include <sys/ptrace.h>


static void
wait_zombie(pid_t pid)
{
    siginfo_t  info;

    while (waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }
}


static void
test_exit_code(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_exit_proc, 3, NGX_PROCESS_RESPAWN);

    T_EQ(ngx_reap, 1);
    T_EQ(ngx_processes[0].pid, pid);
    T_OK(WIFEXITED(ngx_processes[0].status));
    T_EQ(WEXITSTATUS(ngx_processes[0].status), 3);
    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, "signal 17 (SIGCHLD) received from %d",
                   (int) pid), 1);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": some worker %d exited with code 3",
                   (int) pid), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


static void
test_exit_zero(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_DETACHED);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": some worker %d exited with code 0",
                   (int) pid), 1);

    t_end_processes();
}


static void
test_exit_signal(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_kill_proc, SIGKILL, NGX_PROCESS_RESPAWN);

    T_OK(WIFSIGNALED(ngx_processes[0].status));
    T_EQ(WTERMSIG(ngx_processes[0].status), SIGKILL);
    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, ": some worker %d exited on signal 9",
                   (int) pid), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "core dumped"), 0);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with"), 0);

    t_end_processes();
}


static void
test_exit_segv(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_kill_proc, SIGSEGV, NGX_PROCESS_RESPAWN);

    T_EQ(t_loggedf(NGX_LOG_ALERT, ": some worker %d exited on signal 11",
                   (int) pid), 1);

    t_end_processes();
}


static void
test_exit_fatal(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_exit_proc, 2, NGX_PROCESS_RESPAWN);

    T_EQ(ngx_processes[0].respawn, 0);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": some worker %d exited with code 2",
                   (int) pid), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, ": some worker %d exited with fatal code 2 "
                   "and cannot be respawned", (int) pid), 1);

    t_end_processes();
}


static void
test_exit_fatal_norespawn(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 2, NGX_PROCESS_NORESPAWN);

    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 2"), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


static void
test_unknown(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_fork_exit(5);
    t_exited(pid);

    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": unknown process %d exited with code 5",
                   (int) pid), 1);
    T_EQ(ngx_reap, 1);
}


static void
test_unknown_fatal(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_fork_exit(2);
    t_exited(pid);

    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": unknown process %d exited with code 2",
                   (int) pid), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_unknown_stale_slot(void)
{
    pid_t  pid;

    t_init_signals();

    /*
     * The slot of a worker that has exited is stale: it lies above
     * ngx_last_process.
     */

    ngx_processes[0].pid = -1;
    ngx_processes[0].respawn = 1;
    ngx_last_process = 0;

    pid = t_fork_exit(2);
    t_exited(pid);

    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_many(void)
{
    int    i;
    pid_t  pid[20];

    t_init_signals();

    for (i = 0; i < 20; i++) {
        pid[i] = t_spawn(t_exit_proc, (void *) (intptr_t) (i + 10),
                         "some worker", NGX_PROCESS_NORESPAWN);
    }

    for (i = 0; i < 20; i++) {
        wait_zombie(pid[i]);
    }

    /* The kernel delivers one SIGCHLD for all children that have exited. */

    t_exited(pid[0]);

    for (i = 0; i < 20; i++) {
        T_EQ(ngx_processes[i].exited, 1);
        T_EQ(WEXITSTATUS(ngx_processes[i].status), i + 10);
        T_EQ(t_loggedf(NGX_LOG_NOTICE,
                       ": some worker %d exited with code %d",
                       (int) pid[i], i + 10), 1);
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, "(SIGCHLD) received"), 1);
    T_EQ(t_logged(NGX_LOG_INFO, ""), 0);

    t_end_processes();
}


static void
test_living_is_not_touched(void)
{
    t_init_signals();

    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_RESPAWN) > 0);
    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_RESPAWN);

    T_EQ(ngx_processes[0].exited, 0);
    T_EQ(ngx_processes[1].exited, 1);

    t_end_processes();
}


static void
test_no_children(void)
{
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    T_REQUIRE(kill(getpid(), SIGCHLD) == 0);

    T_EQ(t_logged(NGX_LOG_INFO, "waitpid() failed (10: No child processes)"),
         1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_worker_reaps(void)
{
    t_init_signals();

    ngx_process = NGX_PROCESS_WORKER;

    (void) t_spawn_and_end(t_exit_proc, 4, NGX_PROCESS_NORESPAWN);

    T_EQ(WEXITSTATUS(ngx_processes[0].status), 4);
    T_EQ(ngx_reap, 0);

    t_end_processes();
}


/*
 * A worker does not reap the child of a module: the module waits for its child
 * itself, as popen() and pclose() do (D7).
 */

static void
test_worker_steals(void)
{
    int    status;
    pid_t  pid;

    t_init_signals();

    ngx_process = NGX_PROCESS_WORKER;

    pid = t_fork_exit(7);
    t_exited(pid);

    status = t_wait(pid);
    T_EQ(status, W_EXITCODE(7, 0));
}


/*
 * If SIGCHLD is not blocked, a child can exit before ngx_spawn_process() has
 * stored its pid in the table.  nginx's master blocks SIGCHLD, but
 * ngx_spawn_process() does not require it.
 */

static void
test_exits_at_once(void)
{
    int       n;
    sigset_t  set, empty;

    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    for (n = 0; n < 200; n++) {
        T_OK(t_spawn(t_exit_proc, NULL, "some worker", NGX_PROCESS_NORESPAWN)
             > 0);

        sigprocmask(SIG_BLOCK, &set, NULL);

        while (!ngx_processes[0].exited) {
            sigsuspend(&empty);
        }

        sigprocmask(SIG_UNBLOCK, &set, NULL);

        T_EQ(ngx_reap_children(t_cycle()), 0);
        T_REQUIRE(ngx_last_process == 0);
    }

    T_EQ(t_logged(T_ANY, "unknown process"), 0);
}


#define NO_TRACER  77


/* Makes the parent the tracer of this process, and stops. */

static void
traced_proc(ngx_cycle_t *cycle, void *data)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
        _exit(NO_TRACER);
    }

    (void) raise(SIGSTOP);
    t_pause(cycle, data);
}


/*
 * A tracer gets SIGCHLD, and a status from waitpid(), also when the process
 * stops.  nginx takes the process for one that has exited.
 */

static void
test_traced(void)
{
    pid_t     pid;
    sigset_t  empty;

    if (t_under_valgrind()) {
        t_skip("valgrind traces the process itself");
        return;
    }

    t_init_signals();
    sigemptyset(&empty);

    pid = t_spawn(traced_proc, NULL, "some worker", NGX_PROCESS_RESPAWN);

    while (!ngx_processes[0].exited) {
        sigsuspend(&empty);
    }

    if (WIFEXITED(ngx_processes[0].status)
        && WEXITSTATUS(ngx_processes[0].status) == NO_TRACER)
    {
        t_skip("no process can be traced here");
        return;
    }

    T_OK(WIFSIGNALED(ngx_processes[0].status));
    T_EQ(WTERMSIG(ngx_processes[0].status), SIGKILL);
    T_EQ(kill(pid, 0), -1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, ": some worker %d exited on signal 9",
                   (int) pid), 1);
    T_EQ(t_logged(T_ANY, "signal 127"), 0);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("a child exits with a code", test_exit_code);
    t_run("a detached child exits with 0", test_exit_zero);
    t_run("a child is killed", test_exit_signal);
    t_run("a child crashes", test_exit_segv);
    t_run("a child exits with the fatal code", test_exit_fatal);
    t_run("code 2 where there is no respawn", test_exit_fatal_norespawn);
    t_run("an unknown child exits", test_unknown);
    t_run("an unknown child exits with code 2", test_unknown_fatal);
    t_run("D6 an unknown child with the pid of a stale slot",
          test_unknown_stale_slot);
    t_run("20 children exit at once", test_many);
    t_run("a live child does not change", test_living_is_not_touched);
    t_run("SIGCHLD and no children", test_no_children);
    t_run("a worker reaps what it has spawned", test_worker_reaps);
    t_run("D7 a worker does not reap a module's child", test_worker_steals);
    t_run("X a child exits before its pid is known", test_exits_at_once);
    t_run("D a child that its parent traces has not exited", test_traced);

    return t_end();
}
