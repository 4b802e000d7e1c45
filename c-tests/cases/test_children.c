
/* Tests of a forked child's role, its process table and its own children. */


#include "test.h"

#include <stdio.h>


typedef struct {
    ngx_uint_t     role;
    ngx_uint_t     live;
    ngx_int_t      children;
    int            code;
    int            reap;
    ngx_process_t  table[8];
} t_child_t;


static volatile t_child_t  *child;


static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));
}


/*
 * The function of a child that calls popen().  The shell that popen() starts
 * is not in the child's process table.
 */

static void
popen_proc(ngx_cycle_t *cycle, void *data)
{
    int        status;
    FILE      *f;
    sigset_t   set;
    siginfo_t  info;

    f = popen("exit 3", "r");

    if (f == NULL || waitid(P_ALL, 0, &info, WEXITED|WNOWAIT) == -1) {
        _exit(1);
    }

    /*
     * The pending SIGCHLD is delivered here, so its handler runs before
     * pclose().
     */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);

    status = pclose(f);

    child->code = status == -1 ? -1 : WEXITSTATUS(status);
    child->reap = (int) ngx_reap;

    _exit(0);
}


static void
test_popen(void)
{
    setup();
    t_init_signals();

    t_spawn(popen_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(child->code, 3);

    t_end_processes();
}


#if !(T_NGINX)


static void
test_popen_not_in_table(void)
{
    pid_t  pid;

    setup();
    t_init_signals();

    /*
     * The child that calls popen() inherits a table that contains this
     * sibling, but the sibling is not its child.
     */

    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    pid = t_spawn(popen_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(1);

    T_EQ(child->code, 3);
    T_EQ(child->reap, 0);
    T_EQ(t_logged_by(pid, T_ANY, "unknown process"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "waitpid() failed"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "exited"), 0);

    t_end_processes();
}


/* Tests of a child's role. */

static void
role_proc(ngx_cycle_t *cycle, void *data)
{
    child->role = ngx_process;
    _exit(0);
}


static void
role(ngx_uint_t parent, ngx_uint_t of_child)
{
    setup();

    ngx_process = parent;

    t_spawn(role_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_EQ(child->role, of_child);
    T_EQ(ngx_process, parent);

    t_end_processes();
}


static void
test_role_of_master(void)
{
    role(NGX_PROCESS_MASTER, NGX_PROCESS_WORKER);
}


static void
test_role_of_single(void)
{
    role(NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER);
}


static void
test_role_of_worker(void)
{
    role(NGX_PROCESS_WORKER, NGX_PROCESS_WORKER);
}


static void
test_role_of_helper(void)
{
    role(NGX_PROCESS_HELPER, NGX_PROCESS_HELPER);
}


/* Tests of the flags that a child's table has for other processes. */

static void
look(void)
{
    size_t  n;

    for (n = 0; n < t_nitems(child->table); n++) {
        child->table[n] = ngx_processes[n];
    }
}


/*
 * The function of a child that calls ngx_reap_children(), as a worker does
 * that has children of its own.
 */

static void
reap_proc(ngx_cycle_t *cycle, void *data)
{
    look();

    child->live = ngx_reap_children(cycle);
    child->children = waitpid(-1, NULL, WNOHANG);

    _exit(0);
}


/*
 * Checks that the child has neither respawned nor announced a process of its
 * parent, although its table contains these processes.
 */

static void
expect_no_children(ngx_int_t slot)
{
    pid_t  pid;

    pid = ngx_processes[slot].pid;

    t_reap_slot(slot);

    T_EQ(ngx_processes[slot].status, 0);
    T_EQ(child->children, -1);
    T_EQ(t_logged_by(pid, T_ANY, "start "), 0);
    T_EQ(t_logged_by(pid, T_ANY, "pass c"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "exits too often"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "could not respawn"), 0);
}


static void
expect_no_flags(ngx_int_t slot)
{
    T_EQ(child->table[slot].respawn, 0);
    T_EQ(child->table[slot].just_spawn, 0);
    T_EQ(child->table[slot].detached, 0);
    T_EQ(child->table[slot].exiting, 0);
    T_EQ(child->table[slot].exited, 0);
    T_EQ(child->table[slot].pid, ngx_processes[slot].pid);
}


static void
test_flags(void)
{
    int  i;

    setup();
    t_init_signals();

    for (i = 0; i < 4; i++) {
        T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_JUST_RESPAWN) > 0);
    }

    ngx_processes[1].exiting = 1;
    ngx_processes[2].detached = 1;

    kill(ngx_processes[3].pid, SIGKILL);
    t_exited(ngx_processes[3].pid);
    T_EQ(ngx_processes[3].exited, 1);

    t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_JUST_RESPAWN);
    expect_no_children(4);

    for (i = 0; i < 4; i++) {
        expect_no_flags(i);
    }

    /*
     * The child's own slot has the flags that belong to the mode of
     * ngx_spawn_process().
     */

    T_EQ(child->table[4].respawn, 1);
    T_EQ(child->table[4].just_spawn, 1);
    T_EQ(child->table[4].exited, 0);
    T_EQ(child->live, 1);

    /*
     * The child has cleared flags in its own copy of the table, so the
     * parent's table has not changed.
     */

    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(ngx_processes[0].just_spawn, 1);
    T_EQ(ngx_processes[1].exiting, 1);
    T_EQ(ngx_processes[2].detached, 1);
    T_EQ(ngx_processes[3].exited, 1);

    t_end_processes();
}


/*
 * A child is respawned in a lower slot than its sibling, and calls
 * ngx_reap_children().  It must not respawn the sibling, which has exited too.
 */

static void
test_flags_respawned(void)
{
    int  i;

    setup();
    t_init_signals();

    T_OK(t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    t_exited(ngx_processes[0].pid);
    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    kill(ngx_processes[1].pid, SIGKILL);
    t_exited(ngx_processes[1].pid);

    for (i = 0; i < 2; i++) {
        T_EQ(ngx_processes[i].exited, 1);
    }

    t_log_clear();
    T_EQ(ngx_reap_children(t_cycle()), 1);

    /* The parent forked this child before it respawned the sibling. */

    expect_no_children(0);
    T_EQ(child->table[0].respawn, 1);
    T_EQ(child->table[1].exited, 0);
    T_EQ(child->table[1].respawn, 0);

    t_end_processes();
}


/*
 * The parent could not respawn a process, and keeps its slot reserved.  A
 * child of the parent must not respawn that process.
 */

static void
test_reserved(void)
{
    setup();
    t_init_signals();

    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_NORESPAWN) > 0);
    kill(ngx_processes[0].pid, SIGKILL);
    t_exited(ngx_processes[0].pid);

    t_no_more_fds();
    T_EQ(ngx_reap_children(t_cycle()), 1);
    t_more_fds();
    T_EQ(t_logged(NGX_LOG_ALERT, "could not respawn sibling"), 1);

    t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 2);
    expect_no_children(2);

    /* The parent retries the respawn. */

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_OK(ngx_processes[0].pid > 0);

    t_end_processes();
}


#endif


int
main(void)
{
    t_begin();

    t_run("D7 a child uses popen() and pclose()", test_popen);

#if !(T_NGINX)

    t_run("the shell of popen() is not in a child's table",
          test_popen_not_in_table);
    t_run("the child of a master is a worker", test_role_of_master);
    t_run("the child of a single process is a worker", test_role_of_single);
    t_run("the child of a worker is a worker", test_role_of_worker);
    t_run("the child of a helper is a helper", test_role_of_helper);
    t_run("a child's table has no flags of other processes", test_flags);
    t_run("a respawned child's table has no flags of other processes",
          test_flags_respawned);
    t_run("a child does not respawn processes of its parent", test_reserved);

#endif

    return t_end();
}
