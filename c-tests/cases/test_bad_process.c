
/*
 * Tests of invalid arguments to the functions about processes, programs and
 * signals.
 */


#include "t_bad.h"


static void
exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


static void
cycle_proc(ngx_cycle_t *cycle, void *data)
{
    _exit(cycle == data ? 0 : 1);
}


/* Tests of ngx_spawn_process(). */

static void
spawn_fails(ngx_spawn_proc_pt proc, ngx_int_t respawn)
{
    int  n;

    t_log_clear();
    n = t_open_fds();

    T_EQ(ngx_spawn_process(t_cycle(), proc, NULL, "worker", respawn),
         NGX_INVALID_PID);

    t_one_alert("");
    T_EQ(t_open_fds(), n);

    /*
     * Callers announce the process in ngx_process_slot even if the call has
     * failed, so the slot must have no process.
     */

    T_REQUIRE(ngx_process_slot >= 0);

    if (ngx_process_slot < NGX_MAX_PROCESSES) {
        T_OK(ngx_processes[ngx_process_slot].pid <= 0);
        T_OK(ngx_processes[ngx_process_slot].channel[0] <= 0);
    }
}


static void
test_spawn_null_proc(void)
{
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    spawn_fails(NULL, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_last_process, 1);

    t_end_processes();
}


static void
test_spawn_bad_respawn(void)
{
    ngx_uint_t        i;
    static ngx_int_t  bad[] = {
        -6, -7, -1000, 1024, 1025, 1 << 20, INTPTR_MAX, INTPTR_MIN
    };

    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    for (i = 0; i < t_nitems(bad); i++) {
        spawn_fails(exit_proc, bad[i]);
        T_EQ(ngx_last_process, 1);
    }

    t_end_processes();
}


static void
test_spawn_null_cycle(void)
{
    ngx_pid_t  pid;

    pid = ngx_spawn_process(NULL, cycle_proc, NULL, "worker",
                            NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    ngx_processes[0].exited = 1;

    pid = ngx_spawn_process(NULL, NULL, NULL, NULL, -6);
    T_EQ(pid, NGX_INVALID_PID);

    t_end_processes();
}


static void
test_spawn_null_log(void)
{
    ngx_pid_t  pid;

    pid = ngx_spawn_process(&t_no_log_cycle, cycle_proc, &t_no_log_cycle,
                            "worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    ngx_processes[0].exited = 1;

    pid = ngx_spawn_process(&t_no_log_cycle, NULL, NULL, "worker", 1024);
    T_EQ(pid, NGX_INVALID_PID);

    t_end_processes();
}


static void
test_spawn_null_name(void)
{
    ngx_pid_t  pid;

    t_init_signals();

    pid = ngx_spawn_process(t_cycle(), exit_proc, NULL, NULL,
                            NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    t_exited(pid);

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "%d exited with code 0", (int) pid), 1);

    t_end_processes();
}


/* Tests of ngx_execute(). */

static char  *no_strings[] = { NULL };
static char  *a_string[] = { "program", NULL };


static void
execute_fails(ngx_exec_ctx_t *ctx, const char *text)
{
    int  n;

    t_log_clear();
    n = t_open_fds();

    T_EQ(ngx_execute(t_cycle(), ctx), NGX_INVALID_PID);

    t_one_alert(text);
    T_EQ(t_open_fds(), n);
}


static void
execute_ends(ngx_cycle_t *cycle, ngx_exec_ctx_t *ctx)
{
    ngx_pid_t  pid;

    pid = ngx_execute(cycle, ctx);

    if (pid > 0) {
        T_OK(t_wait(pid) != -1);
        ngx_processes[ngx_process_slot].exited = 1;
    }
}


static void
test_execute_null(void)
{
    T_EQ(ngx_execute(NULL, NULL), NGX_INVALID_PID);

    execute_fails(NULL, "");

    t_end_processes();
}


static void
test_execute_null_path(void)
{
    ngx_exec_ctx_t  ctx;

    ctx.path = NULL;
    ctx.name = "program";
    ctx.argv = a_string;
    ctx.envp = no_strings;

    execute_fails(&ctx, "(14: Bad address)");

    ctx.path = "";
    execute_fails(&ctx, "(2: No such file or directory)");

    ctx.path = "/";
    execute_fails(&ctx, "(13: Permission denied)");

    ctx.name = NULL;
    execute_fails(&ctx, "(13: Permission denied)");

    t_end_processes();
}


/*
 * execve() on Linux takes NULL for an empty list of arguments or variables
 * (execve(2)).
 */

static void
test_execute_null_lists(void)
{
    ngx_exec_ctx_t  ctx;

    if (t_under_valgrind()) {
        t_skip("valgrind does not accept NULL lists");
        return;
    }

    ctx.path = "/bin/true";
    ctx.name = "program";
    ctx.argv = NULL;
    ctx.envp = NULL;

    execute_ends(t_cycle(), &ctx);

    ctx.name = NULL;
    execute_ends(t_cycle(), &ctx);
    execute_ends(NULL, &ctx);
    execute_ends(&t_no_log_cycle, &ctx);

    t_end_processes();
}


/* Tests of functions about signals. */

static void
test_signals_null(void)
{
    T_EQ(ngx_init_signals(NULL), NGX_OK);
}


static void
test_signals_null_cycle(void)
{
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    ngx_cycle = NULL;
    raise(SIGUSR1);
    T_EQ(ngx_reopen, 1);

    ngx_cycle = &t_no_log_cycle;
    raise(SIGHUP);
    T_EQ(ngx_reconfigure, 1);

    /*
     * The handler of SIGCHLD also runs for a child that is not in the process
     * table.
     */

    t_wait(t_fork_exit(0));
    raise(SIGCHLD);
    T_EQ(ngx_reap, 1);

    t_no_alert();
}


static void
test_os_signal_null(void)
{
    T_EQ(ngx_os_signal_process(t_cycle(), NULL, getpid()), 1);
    T_EQ(ngx_os_signal_process(NULL, NULL, getpid()), 1);
    T_EQ(ngx_os_signal_process(NULL, "unknown", getpid()), 1);
    T_EQ(ngx_os_signal_process(t_cycle(), "", getpid()), 1);
    t_no_alert();
}


static void
test_os_signal_null_log(void)
{
    pid_t  pid;

    pid = t_fork_exit(0);
    t_wait(pid);

    T_EQ(ngx_os_signal_process(NULL, "reopen", pid), 1);
    T_EQ(ngx_os_signal_process(&t_no_log_cycle, "reopen", pid), 1);
}


int
main(void)
{
    t_begin();

    t_run("X ngx_spawn_process() without a function", test_spawn_null_proc);
    t_run("X ngx_spawn_process() with a bad slot", test_spawn_bad_respawn);
    t_run("X ngx_spawn_process() without a cycle", test_spawn_null_cycle);
    t_run("X ngx_spawn_process() without a log", test_spawn_null_log);
    t_run("X ngx_spawn_process() without a name", test_spawn_null_name);

    t_run("X ngx_execute() of NULL", test_execute_null);
    t_run("X ngx_execute() without a path", test_execute_null_path);
    t_run("X ngx_execute() without arguments", test_execute_null_lists);

    t_run("ngx_init_signals() without a log", test_signals_null);
    t_run("X signals without a cycle", test_signals_null_cycle);
    t_run("X ngx_os_signal_process() without a name", test_os_signal_null);
    t_run("X ngx_os_signal_process() without a log",
          test_os_signal_null_log);

    return t_end();
}
