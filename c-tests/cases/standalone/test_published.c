
/*
 * The data about processes that all processes can read.  Only the master can
 * change this data, and the master does not use it for its decisions (D38).
 */


#include "t_attack.h"
#include "t_workers.h"

#include <sys/syscall.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS  1033
#endif


#define WORKERS  3


static const int  bytes[] = { 0xff, 0x7f, 0x01 };


static void
start_workers(void)
{
    t_attacks_init();

    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
    t_master_init();
    t_workers_start(WORKERS, NGX_PROCESS_RESPAWN);
}


/* Starts a process that overwrites shared memory as long as the test runs. */

static pid_t
start_attacker(void)
{
    size_t  i;
    pid_t   pid;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid) {
        t_await(&t_attacks->begun, 1);
        return pid;
    }

    for (i = 0; !t_attacks->over; i++) {
        t_overwrite_shared(bytes[i % t_nitems(bytes)]);
        t_attacks->begun = 1;
    }

    _exit(0);
}


static void
stop_attacker(pid_t pid)
{
    t_attacks->over = 1;
    T_UNTIL(waitpid(pid, NULL, WNOHANG) != 0);
}


static void
test_respawn(void)
{
    pid_t      pid, attacker;
    unsigned   rounds;
    long long  start;

    start_workers();

    pid = t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid != pid && t_runs(1));

    /* the second failure in a second: the respawn has to wait for 0.1 s */

    attacker = start_attacker();
    pid = t_kill_worker(1);
    start = t_msec();
    rounds = 0;

    while ((ngx_processes[1].pid == pid || !t_runs(1))
           && t_msec() - start < 5000)
    {
        t_master_round();
        rounds++;
    }

    T_OK(t_runs(1));
    T_OK(rounds < 1000);

    stop_attacker(attacker);
    t_workers_stop();
}


static void
check_list(const pid_t *pid, ngx_uint_t respawns)
{
    ngx_int_t          n;
    ngx_ipc_process_t  p;

    n = 0;
    p.slot = -1;

    while (ngx_ipc_next_process(&p) == NGX_OK) {
        T_REQUIRE(n < WORKERS);
        T_EQ(p.slot, n);
        T_EQ(p.pid, pid[n]);
        T_EQ(p.state, NGX_IPC_RUNNING);
        T_EQ(p.worker, n);
        T_EQ(p.role, NGX_PROCESS_WORKER);
        T_EQ(p.respawns, n == 1 ? respawns : 0);
        T_EQ(p.queued_max, 0);
        T_EQ(p.dropped, 0);
        T_OK(p.started > 1000000000);
        n++;
    }

    T_EQ(n, WORKERS);
}


static void
test_list(void)
{
    int    i;
    pid_t  pid[WORKERS], old, attacker;

    start_workers();

    old = t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid != old && t_runs(1));

    attacker = start_attacker();

    for (i = 0; i < WORKERS; i++) {
        pid[i] = ngx_processes[i].pid;
    }

    check_list(pid, 1);

    /* a process that the master has forked sees the same list */

    old = fork();
    T_REQUIRE(old != -1);

    if (old == 0) {
        check_list(pid, 1);
        _exit(0);
    }

    T_UNTIL(kill(old, 0) == -1);
    check_list(pid, 1);

    stop_attacker(attacker);
    t_workers_stop();
}


/* Linux before 5.1 has no F_SEAL_FUTURE_WRITE. */

static void
test_no_seal(void)
{
    t_need_seccomp();
    t_fail_syscall_arg(SYS_fcntl, EINVAL, 1, F_ADD_SEALS);
    test_list();
}


/* Without shared memory, each process has data of its own. */

static void
test_no_memory(void)
{
    int    i;
    pid_t  old, pid[WORKERS];

    t_need_seccomp();
    t_fail_syscall(SYS_memfd_create, ENOSYS);
    start_workers();

    old = t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid != old && t_runs(1));

    for (i = 0; i < WORKERS; i++) {
        pid[i] = ngx_processes[i].pid;
    }

    check_list(pid, 1);
    t_workers_stop();
}


/* A signal goes to all workers, whatever role a worker writes. */

static void
test_role(void)
{
    pid_t  attacker;

    start_workers();

    attacker = start_attacker();
    ngx_quit = 1;
    ngx_ipc_signal_role(t_cycle(), SIGQUIT, NGX_PROCESS_WORKER);
    t_wait_all_gone();

    stop_attacker(attacker);
}


int
main(void)
{
    t_begin();

    t_run("D38 a worker cannot keep another one from its respawn",
          test_respawn);
    t_run("D38 a worker cannot change what is shown of others", test_list);
    t_run("D38 a worker cannot change the roles of others", test_role);
    t_run("the list of processes without F_SEAL_FUTURE_WRITE", test_no_seal);
    t_run("the list of processes without shared memory", test_no_memory);

    return t_end();
}
