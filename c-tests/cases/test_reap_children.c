
/*
 * Tests of ngx_reap_children(), which the master calls when the handler of
 * SIGCHLD has set ngx_reap.
 */


#include "test.h"


static void
test_reap_children(void)
{
    pid_t  pid;

    t_init_signals();

    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_NORESPAWN) > 0);
    pid = t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);

    T_EQ(ngx_last_process, 2);
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(ngx_last_process, 1);
    T_EQ(ngx_processes[1].channel[0], -1);
    T_EQ(ngx_processes[1].channel[1], -1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "pass close channel s:1 pid:%d to:%d",
                   (int) pid, (int) ngx_processes[0].pid), 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "child: 1 %d e:0 t:1 d:0 r:0 j:0",
                   (int) pid), 1);

    t_end_processes();
}


static void
test_reap_children_last(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_last_process, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_reap_children_middle(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);
    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_NORESPAWN) > 0);

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(ngx_last_process, 2);
    T_EQ(ngx_processes[0].pid, -1);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_OK(ngx_processes[1].pid > 0);

    t_end_processes();
}


static void
test_reap_children_detached(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_DETACHED);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_last_process, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


/* The new binary of an upgrade exits, so the old one may be upgraded again. */

static void
test_reap_children_new_binary(void)
{
#if (T_NGINX)
    ngx_core_conf_t  *ccf;
    static char      *argv[] = { "nginx", NULL };

    /* The alert of a rename that fails has these names. */

    ngx_argv = argv;
    ccf = (ngx_core_conf_t *) ngx_get_conf(t_cycle()->conf_ctx,
                                           ngx_core_module);
    ccf->oldpid.data = (u_char *) "/nonexistent/pid.oldbin";
    ccf->pid.data = (u_char *) "/nonexistent/pid";
#endif

    t_init_signals();

    ngx_new_binary = t_spawn(t_pause, NULL, "new binary",
                             NGX_PROCESS_DETACHED);
    T_REQUIRE(ngx_new_binary > 0);

    /* Another process has exited. */

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_DETACHED);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_OK(ngx_new_binary > 0);

    T_EQ(kill(ngx_new_binary, SIGKILL), 0);
    t_exited(ngx_new_binary);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_new_binary, 0);
    T_EQ(ngx_last_process, 0);
}


static void
test_reap_children_not_respawned(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_RESPAWN);

    /* While the master shuts down, it respawns no process. */

    ngx_quit = 1;

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_last_process, 0);
    T_EQ(t_logged(NGX_LOG_NOTICE, "start "), 1);
}


static void
test_reap_children_exiting(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_exit_proc, 0, NGX_PROCESS_RESPAWN);
    ngx_processes[0].exiting = 1;

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_last_process, 0);
}


/* The process is told to exit when it has exited and was not reaped yet. */

static void
test_reap_children_exiting_late(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_kill_proc, SIGKILL, NGX_PROCESS_RESPAWN);
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_EQ(ngx_processes[0].channel[1], -1);
}


static void
test_reap_children_respawned(void)
{
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_kill_proc, SIGKILL, NGX_PROCESS_RESPAWN);
    ngx_processes[0].proc = t_pause;

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(ngx_last_process, 1);
    T_EQ(ngx_process_slot, 0);
    T_OK(ngx_processes[0].pid > 0);
    T_OK(ngx_processes[0].pid != pid);
    T_EQ(ngx_processes[0].exited, 0);
    T_OK(ngx_processes[0].channel[0] > 2);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, "start some worker %d",
                   (int) ngx_processes[0].pid), 1);

    t_end_processes();
}


/*
 * A program with its own event loop calls only ngx_reap_children(), so a
 * respawn that is delayed would never be done (D4).
 */

static void
test_reap_children_respawned_often(void)
{
    int    i;
    pid_t  pid;

    t_init_signals();

    pid = t_spawn_and_end(t_kill_proc, SIGKILL, NGX_PROCESS_RESPAWN);

    for (i = 0; i < 5; i++) {
        T_EQ(ngx_reap_children(t_cycle()), 1);
        T_OK(ngx_processes[0].pid > 0);
        T_OK(ngx_processes[0].pid != pid);
        T_EQ(ngx_processes[0].exited, 0);

        pid = ngx_processes[0].pid;
        t_exited(pid);
        T_EQ(ngx_processes[0].exited, 1);
    }

    t_end_processes();
}


/* A respawn fails.  The next call of ngx_reap_children() retries it. */

static void
respawn_fails(void)
{
    t_init_signals();

    (void) t_spawn_and_end(t_kill_proc, SIGKILL, NGX_PROCESS_RESPAWN);
    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_NORESPAWN) > 0);

    ngx_processes[0].proc = t_pause;
    t_log_clear();

    t_no_more_fds();
    T_EQ(ngx_reap_children(t_cycle()), 1);
    t_more_fds();

    T_EQ(t_logged(NGX_LOG_ALERT, "could not respawn some worker"), 1);
    T_EQ(ngx_last_process, 2);
}


static void
test_respawn_fails(void)
{
    respawn_fails();

    T_EQ(ngx_reap_children(t_cycle()), 1);

    T_OK(ngx_processes[0].pid > 0);
    T_EQ(ngx_processes[0].exited, 0);
    T_OK(ngx_processes[0].channel[0] > 2);
    T_OK(ngx_processes[0].proc == t_pause);
    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(ngx_process_slot, 0);

    t_end_processes();
}


static void
test_respawn_fails_empty(void)
{
    respawn_fails();

    /* not the pid of any process: nothing else gets the slot or a signal */

    T_EQ(kill(ngx_processes[0].pid, 0), -1);
    T_OK(ngx_processes[0].pid != -1);
    T_EQ(ngx_processes[0].exited, 0);
    T_EQ(ngx_processes[0].channel[0], -1);
    T_EQ(ngx_processes[0].channel[1], -1);

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    t_end_processes();
}


static void
test_respawn_fails_announced(void)
{
    respawn_fails();

    T_EQ(t_logged(NGX_LOG_DEBUG, "pass channel"), 0);
    (void) ngx_reap_children(t_cycle());
    T_EQ(t_logged(NGX_LOG_DEBUG, "pass channel s:0 "), 1);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("ngx_reap_children() frees the last slot", test_reap_children);
    t_run("ngx_reap_children() without live processes",
          test_reap_children_last);
    t_run("ngx_reap_children() frees a slot in the middle",
          test_reap_children_middle);
    t_run("ngx_reap_children() of a detached process",
          test_reap_children_detached);
    t_run("ngx_reap_children() of the new binary",
          test_reap_children_new_binary);
    t_run("ngx_reap_children() while quitting",
          test_reap_children_not_respawned);
    t_run("ngx_reap_children() of a process that was told to exit",
          test_reap_children_exiting);
    t_run("ngx_reap_children() of a process that was told too late",
          test_reap_children_exiting_late);
    t_run("ngx_reap_children() respawns", test_reap_children_respawned);
    t_run("ngx_reap_children() respawns at once, however often",
          test_reap_children_respawned_often);
    t_run("a respawn that failed is retried", test_respawn_fails);
    t_run("a respawn that failed is announced when it succeeds",
          test_respawn_fails_announced);
    t_run("D1 a respawn that failed leaves an empty slot",
          test_respawn_fails_empty);

    return t_end();
}
