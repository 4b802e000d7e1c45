
/*
 * Tests of a program in which the handler of SIGCHLD is not nginx's, or in
 * which other code reaps the children: event loops of other libraries do so.
 */


#include "test.h"


#define UNKNOWN  "its status is unknown, because other code has reaped it"


/* The program's own handler of SIGCHLD. */

static void
another_handler(void)
{
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    t_wake_on(SIGCHLD);
}


static void
wait_zombie(pid_t pid)
{
    siginfo_t  info;

    while (waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }
}


static void
reaps_one(int code)
{
    pid_t  pid;

    pid = t_spawn(t_exit_proc, (void *) (intptr_t) code, "some worker",
                  NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    wait_zombie(pid);

    T_EQ(ngx_reap_children(t_cycle()), 0);

    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[0].status, W_EXITCODE(code, 0));
    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": some worker %d exited with code %d",
                   (int) pid, code), 1);
    T_EQ(t_wait(pid), -1);
}


static void
test_another_handler(void)
{
    another_handler();
    reaps_one(3);
}


static void
test_blocked(void)
{
    sigset_t  set;

    t_init_signals();
    reaps_one(4);

    /* the handler of the signal that was blocked finds nothing to do */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);

    T_EQ(t_logged(NGX_LOG_NOTICE, "(SIGCHLD) received"), 1);
    T_EQ(t_logged(T_ANY, "waitpid() failed"), 0);
}


static void
test_no_handler(void)
{
    reaps_one(5);
}


/* A worker that is killed is respawned, and the other one is not touched. */

static void
test_respawn(void)
{
    pid_t  pid[2], again;

    another_handler();

    pid[0] = t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_RESPAWN);
    pid[1] = t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(pid[0] > 0 && pid[1] > 0);

    kill(pid[0], SIGKILL);
    wait_zombie(pid[0]);

    T_EQ(ngx_reap_children(t_cycle()), 1);

    again = ngx_processes[0].pid;

    T_OK(again > 0 && again != pid[0]);
    T_EQ(ngx_processes[1].pid, pid[1]);
    T_EQ(t_loggedf(NGX_LOG_ALERT, ": some worker %d exited on signal 9",
                   (int) pid[0]), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, ": start some worker "), 3);

    t_end_processes();
}


static void
test_fatal_code(void)
{
    pid_t  pid;

    another_handler();

    pid = t_spawn(t_exit_proc, (void *) 2, "some worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(pid > 0);
    wait_zombie(pid);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "exited with fatal code 2"), 1);
}


/*
 * The program reaps all its children itself, and does not tell nginx's
 * functions.
 */

static void
reaped_by_program(ngx_int_t respawn, int expected)
{
    int    status;
    pid_t  pid;

    pid = t_spawn(t_exit_proc, (void *) 7, "some worker", respawn);
    T_REQUIRE(pid > 0);
    T_EQ(waitpid(-1, &status, 0), pid);
    T_EQ(status, W_EXITCODE(7, 0));

    T_EQ(ngx_reap_children(t_cycle()), expected);

    T_EQ(t_loggedf(NGX_LOG_WARN, ": some worker %d exited, " UNKNOWN,
                   (int) pid), 1);
    T_EQ(t_logged(T_ANY, "exited with"), 0);
    T_EQ(t_logged(T_ANY, "exited on"), 0);
}


static void
test_program_reaps(void)
{
    another_handler();
    reaped_by_program(NGX_PROCESS_NORESPAWN, 0);

    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[0].status, -1);
}


static void
test_program_reaps_and_respawn(void)
{
    another_handler();
    reaped_by_program(NGX_PROCESS_RESPAWN, 1);

    T_OK(ngx_processes[0].pid > 0);
    T_EQ(ngx_processes[0].exited, 0);

    t_end_processes();
}


/*
 * nginx's handler is installed, but the program's waitpid() reaps the child
 * first.
 */

static void
test_program_is_faster(void)
{
    int       status;
    pid_t     pid;
    sigset_t  set;

    t_init_signals();

    pid = t_spawn(t_exit_proc, (void *) 7, "some worker",
                  NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(waitpid(-1, &status, 0), pid);

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);

    T_EQ(ngx_reap, 1);
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_loggedf(NGX_LOG_WARN, ": some worker %d exited, " UNKNOWN,
                   (int) pid), 1);
}


/* The kernel reaps the children. */

static void
test_ignored(void)
{
    pid_t  pid;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    signal(SIGCHLD, SIG_IGN);

    pid = t_spawn(t_exit_proc, NULL, "some worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);

    while (kill(pid, 0) == 0) {
        usleep(1000);
    }

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_loggedf(NGX_LOG_WARN, ": some worker %d exited, " UNKNOWN,
                   (int) pid), 1);
}


static void
test_child_of_the_program(void)
{
    pid_t  pid;

    another_handler();

    T_REQUIRE(t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_RESPAWN) > 0);

    pid = t_fork_exit(6);
    wait_zombie(pid);

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_wait(pid), W_EXITCODE(6, 0));
    T_EQ(t_logged(T_ANY, "exited"), 0);

    t_end_processes();
}


/* The table has processes that are not children of this process. */

static void
siblings_proc(ngx_cycle_t *cycle, void *data)
{
    pid_t  before;

    before = ngx_processes[0].pid;

    ngx_reap_children(cycle);

    _exit(before > 0 && ngx_processes[0].pid == before
          && !ngx_processes[0].exited ? 0 : 1);
}


static void
test_siblings(void)
{
    pid_t  pid, forked;

    another_handler();

    T_REQUIRE(t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_RESPAWN) > 0);

    pid = t_spawn(siblings_proc, NULL, "a sibling", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);

    /* this child is not in the table */

    forked = fork();

    if (forked == 0) {
        ngx_pid = getpid();
        siblings_proc(t_cycle(), NULL);
    }

    T_EQ(t_wait(forked), 0);
    T_EQ(t_logged(T_ANY, "some worker "), 1);

    t_end_process(0);
    t_close_slot(1);
}


int
main(void)
{
    t_begin();

    t_run("D a child exits while another handler has SIGCHLD",
          test_another_handler);
    t_run("D a child exits while SIGCHLD is blocked", test_blocked);
    t_run("D a child exits while SIGCHLD has no handler", test_no_handler);
    t_run("D respawn while another handler has SIGCHLD", test_respawn);
    t_run("D the fatal code while another handler has SIGCHLD",
          test_fatal_code);
    t_run("D the program reaps all its children", test_program_reaps);
    t_run("D the program reaps all its children, and one is respawned",
          test_program_reaps_and_respawn);
    t_run("D the program reaps a child before nginx's handler",
          test_program_is_faster);
    t_run("D the kernel reaps the children", test_ignored);
    t_run("a child of the program keeps its status",
          test_child_of_the_program);
    t_run("siblings are not reaped", test_siblings);

    return t_end();
}
