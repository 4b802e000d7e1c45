
/*
 * Tests of ngx_spawn_process(): the slot that a process gets in the process
 * table.
 */


#include "test.h"


#define T_FILLED  1


static void
exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


static void
test_slot_order(void)
{
    ngx_int_t  i;

    for (i = 0; i < 4; i++) {
        t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
        T_EQ(ngx_process_slot, i);
    }

    T_EQ(ngx_last_process, 4);

    t_end_process(2);
    t_end_process(1);

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 1);
    T_EQ(ngx_last_process, 4);
    T_EQ(ngx_processes[1].respawn, 0);

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_DETACHED);
    T_EQ(ngx_process_slot, 2);
    T_EQ(ngx_last_process, 4);

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    T_EQ(ngx_process_slot, 4);
    T_EQ(ngx_last_process, 5);

    t_end_processes();
}


static void
test_slot_below_last(void)
{
    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    t_end_process(0);

    /*
     * nginx's master sets ngx_last_process to 0 when it has reaped the last
     * process.
     */

    ngx_last_process = 0;

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    T_EQ(ngx_process_slot, 0);
    T_EQ(ngx_last_process, 1);

    t_end_processes();
}


static void
test_respawn_in_slot(void)
{
    char       *name = "first name";
    ngx_pid_t   pid;

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    t_spawn(exit_proc, &pid, name, NGX_PROCESS_RESPAWN);
    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);

    t_reap_slot(1);
    t_close_slot(1);

    pid = t_spawn(t_pause, &ngx_argc, "second name", 1);

    T_EQ(ngx_process_slot, 1);
    T_EQ(ngx_last_process, 3);
    T_EQ(ngx_processes[1].pid, pid);
    T_EQ(ngx_processes[1].exited, 0);
    T_EQ(ngx_processes[1].respawn, 1);
    T_OK(ngx_processes[1].proc == exit_proc);
    T_OK(ngx_processes[1].data == &pid);
    T_OK(ngx_processes[1].name == name);
    T_OK(ngx_processes[1].channel[0] > 2);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, "start second name %d", (int) pid), 1);

    t_end_processes();
}


static void
test_respawn_out_of_range(void)
{
    ngx_int_t  last;

    last = ngx_last_process;

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_MAX_PROCESSES),
         NGX_INVALID_PID);
    T_EQ(t_spawn(t_pause, NULL, "worker", 5000), NGX_INVALID_PID);
    T_EQ(t_spawn(t_pause, NULL, "worker", INTPTR_MAX),
         NGX_INVALID_PID);
    T_EQ(ngx_last_process, last);
}


/* A slot at or behind the end of the table never had a process. */

static void
test_respawn_behind_last(void)
{
    ngx_int_t  n;

    T_EQ(t_spawn(t_pause, NULL, "worker", 0), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "slot 0 never had a process"), 1);

    for (n = 0; n < 2; n++) {
        T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    }

    T_EQ(t_spawn(t_pause, NULL, "worker", 2), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "slot 2 never had a process"), 1);
    T_EQ(t_spawn(t_pause, NULL, "worker", 3), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "slot 3 never had a process"), 1);
    T_EQ(ngx_last_process, 2);

    t_end_processes();
}


/* The process of the slot still runs. */

static void
test_respawn_of_running(void)
{
    pid_t  pid;

    pid = t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(pid > 0);

    T_EQ(t_spawn(t_pause, NULL, "worker", 0), NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "slot 0 has a process"), 1);
    T_EQ(ngx_processes[0].pid, pid);
    T_OK(ngx_processes[0].channel[0] > 2);

    t_end_processes();
}


/* Tests with a full process table. */

static void
fill_table(void)
{
    ngx_int_t  s;

    for (s = 0; s < NGX_MAX_PROCESSES; s++) {
        ngx_processes[s].pid = T_FILLED;
        ngx_processes[s].channel[0] = -1;
        ngx_processes[s].channel[1] = -1;
    }

    ngx_last_process = NGX_MAX_PROCESSES;
}


static void
test_full(void)
{
    fill_table();

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "no more than 1024 processes can be spawned"), 1);
    T_EQ(ngx_last_process, NGX_MAX_PROCESSES);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_DETACHED),
         NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "no more than 1024 processes can be spawned"), 2);
}


static void
test_full_but_one(void)
{
    fill_table();

    ngx_processes[1000].pid = -1;

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(ngx_process_slot, 1000);
    T_EQ(ngx_last_process, NGX_MAX_PROCESSES);

    t_end_process(1000);
}


static void
test_full_last_slot(void)
{
    fill_table();

    ngx_last_process = NGX_MAX_PROCESSES - 1;

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(ngx_process_slot, NGX_MAX_PROCESSES - 1);
    T_EQ(ngx_last_process, NGX_MAX_PROCESSES);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);

    t_end_process(NGX_MAX_PROCESSES - 1);
}


static void
test_full_slot(void)
{
    fill_table();

    ngx_processes[5].pid = -1;
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(ngx_process_slot, 5);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);

    /*
     * Callers announce the process in ngx_process_slot even if the call has
     * failed, so the slot must have no process.
     */

    T_EQ(ngx_processes[ngx_process_slot].pid, -1);
    T_EQ(ngx_processes[ngx_process_slot].channel[0], -1);

    t_end_process(5);
}


static void
test_real_fill(void)
{
    int            n;
    struct rlimit  rl;

    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);

    if (rl.rlim_max < 2 * NGX_MAX_PROCESSES + 64) {
        t_skip("RLIMIT_NOFILE is too low");
    }

    if (t_under_valgrind()) {
        t_skip("slow under valgrind");
    }

    rl.rlim_cur = 2 * NGX_MAX_PROCESSES + 64;
    T_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);

    for (n = 0; n < NGX_MAX_PROCESSES; n++) {
        T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
        T_REQUIRE(ngx_process_slot == n);
    }

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);

    t_end_process(700);

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(ngx_process_slot, 700);
    T_EQ(ngx_last_process, NGX_MAX_PROCESSES);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("the order in which slots are used", test_slot_order);
    t_run("a slot at the end is used again", test_slot_below_last);
    t_run("a respawn keeps the slot", test_respawn_in_slot);
    t_run("X respawn slot out of range", test_respawn_out_of_range);
    t_run("X respawn slot behind the last one", test_respawn_behind_last);
    t_run("X respawn slot of a process that runs", test_respawn_of_running);
    t_run("the table is full", test_full);
    t_run("the table is full but for one slot", test_full_but_one);
    t_run("the last slot of the table", test_full_last_slot);
    t_run("D3 a full table names no process", test_full_slot);
    t_run("1024 processes", test_real_fill);

    return t_end();
}
