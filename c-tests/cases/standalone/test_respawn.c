
/* Tests of a master that reaps workers and respawns them. */


#include "t_workers.h"

#include <sys/prctl.h>


/* How modules find the slot of the next process. */

static ngx_int_t
next_slot(void)
{
    ngx_int_t  s;

    s = 0;

    while (s < ngx_last_process && ngx_processes[s].pid != -1) {
        s++;
    }

    return s;
}


static void
test_respawn(void)
{
    pid_t  pid;

    t_master_init();
    t_workers_start(3, NGX_PROCESS_RESPAWN);

    pid = t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid != pid && ngx_processes[1].pid != -1);

    T_EQ(t_live, 1);
    T_EQ(ngx_last_process, 3);
    T_EQ(ngx_processes[1].exited, 0);
    T_EQ(ngx_processes[1].respawn, 1);
    T_EQ(ngx_process_slot, 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "pass close channel s:1 pid:%d to:",
                   (int) pid), 2);

    T_UNTIL(t_all_know_all(3));
    t_check_channels(3);
    T_EQ(t_common->workers[1].worker, 1);
    T_EQ(t_common->workers[1].open_fds, t_common->workers[0].open_fds);
    T_EQ(t_common->workers[2].open_fds, t_common->workers[0].open_fds);

    t_workers_stop();
}


static void
test_respawn_many(void)
{
    ngx_int_t   s;
    ngx_pid_t   pid[12];

    t_master_init();
    t_workers_start(12, NGX_PROCESS_RESPAWN);

    for (s = 0; s < 12; s += 2) {
        pid[s] = t_kill_worker(s);
    }

    for (s = 0; s < 12; s += 2) {
        T_UNTIL(ngx_processes[s].pid != pid[s] && ngx_processes[s].pid != -1);
    }

    T_EQ(ngx_last_process, 12);
    T_UNTIL(t_all_know_all(12));
    t_check_channels(12);

    for (s = 1; s < 12; s++) {
        T_EQ(t_common->workers[s].open_fds, t_common->workers[0].open_fds);
    }

    t_workers_stop();
}


/*
 * All workers exit at once, so the first one that is respawned can be
 * announced to no other worker.
 */

static void
test_respawn_all(void)
{
    ngx_int_t  s;
    ngx_pid_t  pid[3];

    t_master_init();
    t_workers_start(3, NGX_PROCESS_RESPAWN);

    for (s = 0; s < 3; s++) {
        pid[s] = t_kill_worker(s);
    }

    for (s = 0; s < 3; s++) {
        T_UNTIL(ngx_processes[s].pid != pid[s] && ngx_processes[s].pid != -1);
        T_EQ(t_live, 1);
    }

    T_UNTIL(t_all_know_all(3));
    t_check_channels(3);

    t_workers_stop();
}


/* A worker that the master has told to exit is not respawned. */

static void
test_no_respawn_of_exiting(void)
{
    ngx_pid_t  pid;

    t_master_init();
    t_workers_hold();

    pid = t_kill_worker(1);
    T_UNTIL(ngx_last_process == 1);

    T_EQ(t_live, 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid), 1);

    t_common->hold = 0;
    t_wait_all_gone();
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 2);
}


static void
test_no_respawn_while_quitting(void)
{
    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    ngx_quit = 1;
    t_kill_worker(0);
    T_UNTIL(ngx_processes[0].pid == -1);

    T_EQ(t_live, 1);
    T_EQ(ngx_last_process, 2);

    t_workers_stop();
}


/*
 * The slots of workers that are not respawned become free.  A free slot at the
 * end of the table is removed; another one is used again.
 */

static void
test_norespawn(void)
{
    t_master_init();
    t_workers_start(4, NGX_PROCESS_NORESPAWN);

    t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid == -1);
    T_EQ(t_live, 1);
    T_EQ(ngx_last_process, 4);
    T_EQ(ngx_processes[1].channel[0], -1);
    T_EQ(ngx_processes[1].channel[1], -1);
    T_UNTIL(t_all_know_all(4));

    t_kill_worker(3);
    T_UNTIL(ngx_last_process == 3);
    T_EQ(t_live, 1);

    /* The next process gets the first free slot. */

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 1);
    T_EQ(ngx_last_process, 3);

    T_UNTIL(t_all_know_all(3));
    t_check_channels(3);

    t_workers_stop();
}


static void
test_detached(void)
{
    pid_t  pid;

    t_master_init();
    t_workers_start(1, NGX_PROCESS_RESPAWN);

    pid = t_spawn(t_pause, NULL, "detached", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    /*
     * A detached process is not counted as a live worker, so the master does
     * not wait for it.
     */

    ngx_terminate = 1;
    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    T_UNTIL(t_live == 0);

    T_EQ(kill(pid, 0), 0);
    T_EQ(ngx_processes[1].pid, pid);

    T_REQUIRE(kill(pid, SIGKILL) == 0);
    T_UNTIL(ngx_last_process == 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    ngx_last_process = 0;
}


/*
 * Tests in which a respawn fails, because the user has reached the limit of
 * processes.
 */

static void
become_nobody(void)
{
    if (t_under_valgrind()) {
        t_skip("user nobody cannot use valgrind's files");
    }

    if (getuid() == 0 && setresuid(65534, 65534, 65534) == -1) {
        t_skip("no other user");
    }

    /*
     * After the change of user, /proc/self belongs to root unless the process
     * is dumpable (proc(5)).
     */

    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}


static void
no_more_processes(struct rlimit *before)
{
    struct rlimit  rl;

    T_REQUIRE(getrlimit(RLIMIT_NPROC, before) == 0);
    rl = *before;
    rl.rlim_cur = 0;
    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);
}


static void
test_respawn_fails(void)
{
    pid_t          pid;
    struct rlimit  rl;

    t_master_init();
    become_nobody();
    t_workers_start(3, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);

    pid = t_kill_worker(1);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed while spawning "
                                    "\"worker process\" (11: "));

    T_EQ(t_logged(NGX_LOG_ALERT, "could not respawn worker process"), 1);
    T_EQ(t_live, 1);
    T_OK(!t_runs(1));
    T_EQ(ngx_processes[1].channel[0], -1);
    T_EQ(ngx_processes[1].channel[1], -1);
    T_EQ(ngx_processes[1].exited, 0);
    T_EQ(ngx_last_process, 3);

    /* The other workers have read that this worker has exited. */

    T_UNTIL(t_all_know_all(3));

    /* The other workers also read that the worker was respawned. */

    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);
    T_UNTIL(t_runs(1));

    T_OK(ngx_processes[1].pid != pid);
    T_EQ(ngx_last_process, 3);
    T_UNTIL(t_all_know_all(3));
    t_check_channels(3);

    t_workers_stop();
}


/*
 * While the master retries a respawn, no other process gets the reserved slot.
 */

static void
test_respawn_fails_slot_reserved(void)
{
    pid_t          pid;
    ngx_int_t      next;
    struct rlimit  rl;

    t_master_init();
    become_nobody();
    t_workers_start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);
    t_kill_worker(0);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed"));
    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);

    next = next_slot();
    pid = t_spawn(t_pause, NULL, "another", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(ngx_process_slot, 2);
    T_EQ(next, 2);

    T_UNTIL(t_runs(0));
    T_EQ(t_common->workers[0].worker, 0);

    T_REQUIRE(kill(pid, SIGKILL) == 0);
    T_UNTIL(ngx_last_process == 2);

    t_workers_stop();
}


/* A master that shuts down does not retry a respawn that has failed. */

static void
test_respawn_fails_then_quit(void)
{
    struct rlimit  rl;

    t_master_init();
    become_nobody();
    t_workers_start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);
    t_kill_worker(0);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed"));

    ngx_quit = 1;
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    T_UNTIL(t_live == 0);

    T_EQ(t_exits(), 1);
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 2);

    ngx_last_process = 0;

    /* t_check_leaks() starts a process. */

    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);
}


/* All workers exit, and for a while none of them can be respawned. */

static void
test_respawn_all_fails(void)
{
    struct rlimit  rl;

    t_master_init();
    become_nobody();
    t_workers_start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);

    t_kill_worker(0);
    t_kill_worker(1);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed") >= 2);
    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);

    T_UNTIL(t_runs(0) && t_runs(1));
    T_EQ(ngx_last_process, 2);
    T_UNTIL(t_all_know_all(2));
    t_check_channels(2);

    t_workers_stop();
}


/* Kills the worker after each respawn, until the log has the line. */

static void
kill_until(ngx_int_t slot, const char *line)
{
    ngx_pid_t  pid;

    t_log_clear();

    while (!t_logged(NGX_LOG_WARN, line)) {
        T_UNTIL(t_runs(slot));
        pid = t_kill_worker(slot);
        T_UNTIL(ngx_processes[slot].pid != pid);
    }
}


/*
 * Two workers wait for their respawn.  The master wakes up when the first of
 * them is due, and the other continues to wait.
 */

static void
test_respawn_two_delays(void)
{
    t_master_init();
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    kill_until(0, "respawning in 1600 ms");
    kill_until(1, "respawning in 100 ms");

    while (!ngx_reap) {
        ngx_process_events_and_timers(t_cycle());
    }

    T_UNTIL(t_runs(1));
    T_OK(!t_runs(0));
    T_UNTIL(t_runs(0));

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("a worker is respawned", test_respawn);
    t_run("6 of 12 workers are respawned", test_respawn_many);
    t_run("all workers are respawned", test_respawn_all);
    t_run("a worker that quits is not respawned",
          test_no_respawn_of_exiting);
    t_run("no worker is respawned while the master quits",
          test_no_respawn_while_quitting);
    t_run("slots of workers that are not respawned", test_norespawn);
    t_run("a detached process is no worker", test_detached);

    t_run("a respawn that failed is retried, with workers",
          test_respawn_fails);
    t_run("a respawn fails, and its slot stays reserved",
          test_respawn_fails_slot_reserved);
    t_run("a respawn fails, and the master quits",
          test_respawn_fails_then_quit);
    t_run("all respawns fail, and are retried", test_respawn_all_fails);
    t_run("two workers wait with different delays", test_respawn_two_delays);

    return t_end();
}
