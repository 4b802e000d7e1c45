
/* Tests of ngx_start_worker_processes() and ngx_worker_process_cycle(). */


#include "t_workers.h"

#include <sys/prctl.h>


static void
test_start(void)
{
    ngx_int_t             s;
    volatile t_worker_t  *w;

    t_master_init();
    t_workers_start(3, NGX_PROCESS_RESPAWN);

    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker processes"), 1);
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 3);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_check_channels(3);

    for (s = 0; s < 3; s++) {
        w = &t_common->workers[s];

        T_EQ(w->worker, s);
        T_EQ(w->process, NGX_PROCESS_WORKER);
        T_EQ(w->last, 3);
        T_EQ(w->inits, 1);
        T_EQ(ngx_processes[s].respawn, 1);
        T_EQ(ngx_processes[s].detached, 0);
        T_EQ(ngx_processes[s].just_spawn, 0);
        T_OK(ngx_processes[s].proc == ngx_worker_process_cycle);
        T_OK(strcmp(ngx_processes[s].name, "worker process") == 0);

        /* No worker has descriptors that belong to another worker. */

        T_EQ(w->open_fds, t_common->workers[0].open_fds);
    }

    T_EQ(ngx_process, NGX_PROCESS_MASTER);
    T_EQ(ngx_process_slot, 2);

    t_workers_stop();
}


/* Each worker has a sequence of its own, whatever the master had. */

static void
test_random(void)
{
    ngx_int_t  s, other;

    t_master_init();
    t_workers_start(3, NGX_PROCESS_RESPAWN);

    for (s = 0; s < 3; s++) {
        T_EQ(t_common->workers[s].inits, 1);

        for (other = 0; other < s; other++) {
            T_OK(t_common->workers[s].random != t_common->workers[other].random);
        }
    }

    t_workers_stop();
}


static void
test_start_types(void)
{
    t_master_init();

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_NORESPAWN);
    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_JUST_SPAWN);
    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_JUST_RESPAWN);

    T_EQ(ngx_last_process, 3);
    T_EQ(ngx_processes[0].respawn, 0);
    T_EQ(ngx_processes[0].just_spawn, 0);
    T_EQ(ngx_processes[1].respawn, 0);
    T_EQ(ngx_processes[1].just_spawn, 1);
    T_EQ(ngx_processes[2].respawn, 1);
    T_EQ(ngx_processes[2].just_spawn, 1);

    T_UNTIL(t_all_know_all(3));

    /* The first signal skips workers that were just spawned. */

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    T_UNTIL(ngx_processes[0].pid == -1);

    T_EQ(t_live, 1);
    T_EQ(ngx_processes[1].exiting, 0);
    T_EQ(ngx_processes[1].just_spawn, 0);
    T_EQ(ngx_processes[2].just_spawn, 0);
    T_EQ(t_exits(), 1);

    t_workers_stop();
    T_EQ(t_exits(), 3);
}


static void
test_start_none(void)
{
    t_master_init();

    ngx_start_worker_processes(t_cycle(), 0, NGX_PROCESS_RESPAWN);
    ngx_start_worker_processes(t_cycle(), -1, NGX_PROCESS_RESPAWN);

    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_reap_children(t_cycle()), 0);
}


static void
test_start_later(void)
{
    t_master_init();

    t_workers_start(2, NGX_PROCESS_RESPAWN);
    ngx_start_worker_processes(t_cycle(), 2, NGX_PROCESS_RESPAWN);
    T_UNTIL(t_all_know_all(4));

    t_check_channels(4);
    T_EQ(t_common->workers[3].worker, 1);

    t_workers_stop();
}


static void
test_many(void)
{
    ngx_int_t  s;

    t_master_init();
    t_workers_start(20, NGX_PROCESS_RESPAWN);
    t_check_channels(20);

    for (s = 1; s < 20; s++) {
        T_EQ(t_common->workers[s].open_fds, t_common->workers[0].open_fds);
        T_EQ(t_common->workers[s].last, 20);
    }

    t_workers_stop();
}


static void
test_no_modules(void)
{
    t_master_init();
    t_cycle()->modules = NULL;
    t_cycle()->modules_n = 0;

    ngx_start_worker_processes(t_cycle(), 2, NGX_PROCESS_RESPAWN);
    t_workers_stop();

    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


/*
 * The functions of the modules are called in order: init_process() of each
 * module, then exit_process() of each.  Those that belong to a master are not
 * called in a worker.
 */

static void
test_hooks(void)
{
    t_master_init();
    t_workers_start(1, NGX_PROCESS_RESPAWN);
    t_workers_stop();

    T_EQ(t_common->workers[0].norder, 4);
    T_EQ(t_common->workers[0].order[0], 1);
    T_EQ(t_common->workers[0].order[1], 2);
    T_EQ(t_common->workers[0].order[2], 3);
    T_EQ(t_common->workers[0].order[3], 4);
    T_EQ(t_common->masters, 0);
}


/*
 * The master blocks signals before it spawns a worker, and the worker unblocks
 * them.
 */

static void
test_signals_unblocked(void)
{
    sigset_t  set;

    t_master_init();

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, NULL);

    t_workers_start(1, NGX_PROCESS_RESPAWN);

    T_REQUIRE(kill(ngx_processes[0].pid, SIGTERM) == 0);
    ngx_processes[0].respawn = 0;
    t_wait_all_gone();

    T_EQ(t_exits(), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 1);
}


/* A module's init_process() fails in a worker. */

static void
test_init_fails(void)
{
    pid_t  pid;

    t_master_init();
    t_common->fail_init = 1;

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_RESPAWN);
    pid = ngx_processes[0].pid;
    t_wait_all_gone();

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "worker process %d exited with code 2",
                   (int) pid), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "worker process %d exited with fatal code 2"
                   " and cannot be respawned", (int) pid), 1);
    T_EQ(t_common->workers[0].inits, 1);
    T_EQ(t_common->workers[0].norder, 1);
    T_EQ(t_exits(), 0);
}


static void
test_init_fails_in_one(void)
{
    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    /*
     * init_process() fails once, in the worker that replaces the first worker.
     */

    t_common->fail_init = 1;
    t_kill_worker(0);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "cannot be respawned"));
    T_UNTIL(ngx_processes[0].pid == -1);

    T_EQ(t_live, 1);
    T_EQ(ngx_last_process, 2);
    T_UNTIL(t_all_know_all(2));

    t_workers_stop();
}


/*
 * The function of a master that starts a worker and is killed.  The worker
 * then shuts down.
 */

static void
killed_master(void)
{
    ngx_pid = getpid();

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_RESPAWN);

    T_UNTIL(t_all_know_all(1));

    raise(SIGKILL);
}


static void
test_orphan(void)
{
    int    status;
    pid_t  pid;

    t_master_init();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    /*
     * The library's handler of SIGCHLD would reap the process for which the
     * test waits.
     */

    signal(SIGCHLD, SIG_DFL);

    pid = fork();

    if (pid == 0) {
        T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
        killed_master();
    }

    status = t_wait(pid);
    T_OK(WIFSIGNALED(status));

    T_EQ(t_wait(t_common->workers[0].pid), 0);

    T_EQ(t_exits(), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 1);
}


int
main(void)
{
    t_begin();

    t_run("three workers", test_start);
    t_run("each worker has random numbers of its own", test_random);
    t_run("workers that are not respawned, or just spawned",
          test_start_types);
    t_run("no workers", test_start_none);
    t_run("two workers and two more", test_start_later);
    t_run("20 workers", test_many);
    t_run("workers without modules", test_no_modules);
    t_run("the modules' hooks", test_hooks);
    t_run("a worker has no signals blocked", test_signals_unblocked);
    t_run("a module's init_process() fails", test_init_fails);
    t_run("a module's init_process() fails in one of two",
          test_init_fails_in_one);

    t_run("a worker whose master has died", test_orphan);

    return t_end();
}
