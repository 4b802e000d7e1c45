
/* A child that starts processes itself. */


#include "test.h"


static volatile sig_atomic_t  *reap;


static void
spawn_proc(ngx_cycle_t *cycle, void *data)
{
    sigset_t  set;

    (void) data;

    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);

    if (ngx_spawn_process(cycle, t_exit_proc, NULL, "grandchild",
                          NGX_PROCESS_NORESPAWN)
        == NGX_INVALID_PID)
    {
        _exit(1);
    }

    while (!ngx_reap) {
        usleep(10000);
    }

    *reap = ngx_reap;
    _exit(0);
}


static void
test_reap(void)
{
    reap = t_shared(sizeof(sig_atomic_t));

    t_init_signals();
    t_exited(t_spawn(spawn_proc, NULL, "child", NGX_PROCESS_NORESPAWN));

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(*reap, 1);

    t_end_processes();
}


/* The program has reaped the process of a slot itself, with waitpid(). */

static void
test_respawn_of_reaped(void)
{
    ngx_pid_t  pid;

    pid = t_spawn(t_exit_proc, NULL, "worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);

    ngx_close_channel(ngx_processes[0].channel, t_log());

    pid = t_spawn(t_pause, NULL, "worker", 0);
    T_OK(pid > 0);
    T_EQ(ngx_process_slot, 0);
    T_EQ(ngx_processes[0].pid, pid);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("a child learns that its own child has exited", test_reap);
    t_run("a respawn in the slot of a process that the caller has reaped",
          test_respawn_of_reaped);

    return t_end();
}
