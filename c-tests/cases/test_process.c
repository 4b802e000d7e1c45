
/* Tests of ngx_spawn_process(): the modes, and the spawned child. */


#include "test.h"


/* The observations of a child, in memory that the test shares. */

typedef struct {
    ngx_pid_t      pid;
    ngx_pid_t      ngx_pid;
    ngx_pid_t      parent;
    ngx_int_t      slot;
    ngx_int_t      last;
    ngx_socket_t   channel;
    ngx_process_t  self;
    int            channel_fl;
    int            channel_fd;
    void          *data;
} t_child_t;


static t_child_t  *child;


static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));
}


/* The functions that the spawned processes of these tests run. */

static void
report_proc(ngx_cycle_t *cycle, void *data)
{
    child->pid = getpid();
    child->ngx_pid = ngx_pid;
    child->parent = ngx_parent;
    child->slot = ngx_process_slot;
    child->last = ngx_last_process;
    child->channel = ngx_channel;
    child->self = ngx_processes[ngx_process_slot];
    child->channel_fl = fcntl(ngx_channel, F_GETFL);
    child->channel_fd = fcntl(ngx_channel, F_GETFD);
    child->data = data;

    _exit(0);
}


static void
return_proc(ngx_cycle_t *cycle, void *data)
{
}


/* Tests of the modes. */

static void
mode(ngx_int_t respawn, int respawns, int just_spawned, int detached)
{
    char            *name = "some process";
    ngx_pid_t        pid;
    ngx_process_t   *process;

    setup();

    pid = t_spawn(t_pause, &child, name, respawn);
    process = &ngx_processes[0];

    T_REQUIRE(pid > 0);
    T_EQ(ngx_process_slot, 0);
    T_EQ(ngx_last_process, 1);
    T_EQ(process->pid, pid);
    T_OK(process->proc == t_pause);
    T_OK(process->data == &child);
    T_OK(process->name == name);
    T_EQ(process->respawn, respawns);
    T_EQ(process->just_spawn, just_spawned);
    T_EQ(process->detached, detached);
    T_EQ(process->exiting, 0);
    T_EQ(process->exited, 0);
    T_EQ(ngx_pid, getpid());

    if (detached) {
        T_EQ(process->channel[0], -1);
        T_EQ(process->channel[1], -1);
        T_EQ(t_logged(NGX_LOG_DEBUG, "channel "), 0);

    } else {
        T_OK(process->channel[0] > 2);
        T_EQ(t_loggedf(NGX_LOG_DEBUG, "channel %d:", process->channel[0]), 1);
    }

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "start some process %d", (int) pid), 1);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


static void
test_norespawn(void)
{
    mode(NGX_PROCESS_NORESPAWN, 0, 0, 0);
}


static void
test_just_spawn(void)
{
    mode(NGX_PROCESS_JUST_SPAWN, 0, 1, 0);
}


static void
test_respawn(void)
{
    mode(NGX_PROCESS_RESPAWN, 1, 0, 0);
}


static void
test_just_respawn(void)
{
    mode(NGX_PROCESS_JUST_RESPAWN, 1, 1, 0);
}


static void
test_detached(void)
{
    mode(NGX_PROCESS_DETACHED, 0, 0, 1);
}


static void
test_modes_in_one_slot(void)
{
    /*
     * A slot that is used again must not keep a flag of its previous process.
     */

    mode(NGX_PROCESS_JUST_RESPAWN, 1, 1, 0);
    ngx_last_process = 0;
    t_log_clear();
    mode(NGX_PROCESS_DETACHED, 0, 0, 1);
    ngx_last_process = 0;
    t_log_clear();
    mode(NGX_PROCESS_NORESPAWN, 0, 0, 0);
}


/* Tests of the spawned child. */

static void
test_child(void)
{
    ngx_pid_t  pid;

    setup();

    pid = t_spawn(report_proc, &pid, "worker", NGX_PROCESS_RESPAWN);
    t_reap_slot(0);

    T_EQ(child->pid, pid);
    T_EQ(child->ngx_pid, pid);
    T_EQ(child->parent, getpid());
    T_EQ(child->slot, 0);
    T_OK(child->data == &pid);
    T_OK(child->channel > 2);
    T_OK(child->channel_fl & O_NONBLOCK);
    T_EQ(child->channel_fd, FD_CLOEXEC);

    t_end_processes();
}


static void
test_child_own_slot(void)
{
    ngx_pid_t  pid;

    setup();

    pid = t_spawn(report_proc, &pid, "worker", NGX_PROCESS_JUST_RESPAWN);
    t_reap_slot(0);

    T_EQ(child->slot, 0);
    T_EQ(child->last, 1);
    T_EQ(child->self.pid, pid);
    T_OK(child->self.proc == report_proc);
    T_OK(child->self.data == &pid);
    T_OK(child->self.name && strcmp(child->self.name, "worker") == 0);
    T_EQ(child->self.respawn, 1);
    T_EQ(child->self.just_spawn, 1);
    T_EQ(child->self.detached, 0);
    T_EQ(child->self.exited, 0);

    t_end_processes();
}


static void
test_child_own_slot_respawned(void)
{
    ngx_pid_t  pid;

    setup();

    t_spawn(report_proc, NULL, "worker", NGX_PROCESS_RESPAWN);
    t_reap_slot(0);
    t_close_slot(0);
    memset(child, 0, sizeof(t_child_t));

    pid = t_spawn(report_proc, NULL, "worker", 0);
    t_reap_slot(0);

    T_EQ(child->slot, 0);
    T_EQ(child->last, 1);
    T_EQ(child->self.pid, pid);
    T_EQ(child->self.respawn, 1);
    T_EQ(child->self.exited, 0);

    t_end_processes();
}


static void
test_child_returns(void)
{
    int        status;
    ngx_pid_t  pid;

    setup();

    pid = t_spawn(return_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);

    status = t_wait(pid);
    ngx_processes[0].exited = 1;

    T_OK(WIFEXITED(status));
    T_OK(t_logged_by(pid, T_ANY, "") > 0);

    t_end_processes();
}


static void
test_child_returns_respawned(void)
{
    ngx_pid_t  pid;

    setup();

    t_spawn(t_exit_proc, NULL, "worker", NGX_PROCESS_RESPAWN);
    t_reap_slot(0);
    t_close_slot(0);

    pid = t_spawn(return_proc, NULL, "worker", 0);
    T_REQUIRE(pid > 0);
    t_reap_slot(0);

    T_OK(WIFEXITED(ngx_processes[0].status));
    T_OK(t_logged_by(pid, T_ANY, "") > 0);

    t_end_processes();
}


/* The function of a worker that spawns a process itself. */

static void
nested_proc(ngx_cycle_t *cycle, void *data)
{
    int        status;
    ngx_pid_t  pid;

    /*
     * The nested process writes to the shared memory, and its parent checks
     * the values.
     */

    pid = ngx_spawn_process(cycle, report_proc, data, "nested",
                            NGX_PROCESS_NORESPAWN);

    status = t_wait(pid);

    _exit(status == 0 && child->pid == pid && child->parent == getpid()
          ? 0 : 1);
}


static void
test_nested(void)
{
    setup();

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);
    T_OK(t_spawn(nested_proc, &child, "worker", NGX_PROCESS_NORESPAWN) > 0);
    t_reap_slot(1);

    T_EQ(ngx_processes[1].status, 0);
    T_OK(child->data == &child);
    T_EQ(ngx_last_process, 2);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("NGX_PROCESS_NORESPAWN", test_norespawn);
    t_run("NGX_PROCESS_JUST_SPAWN", test_just_spawn);
    t_run("NGX_PROCESS_RESPAWN", test_respawn);
    t_run("NGX_PROCESS_JUST_RESPAWN", test_just_respawn);
    t_run("NGX_PROCESS_DETACHED", test_detached);
    t_run("one mode after another in a slot", test_modes_in_one_slot);
    t_run("the variables of a child", test_child);
    t_run("D11 a child knows its own slot", test_child_own_slot);
    t_run("D11 a respawned child knows its own slot",
          test_child_own_slot_respawned);
    t_run("D8 a child whose proc() returns exits", test_child_returns);
    t_run("D8 a respawned child whose proc() returns exits",
          test_child_returns_respawned);
    t_run("a worker spawns a process of its own", test_nested);

    return t_end();
}
