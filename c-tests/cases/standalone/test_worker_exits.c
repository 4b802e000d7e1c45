
/*
 * Tests of ngx_worker_process_cycle(): connections at QUIT, and a parent that
 * has died.
 */


#include "t_channel.h"

#include <sys/prctl.h>


typedef struct {
    pid_t  worker;
    pid_t  sibling;
} t_pids_t;


static volatile t_pids_t  *pids;


/* A worker that shuts down does not wait for a module's connection. */

static void
nothing(ngx_event_t *ev)
{
    (void) ev;
}


static void
connection_proc(ngx_cycle_t *cycle, void *data)
{
    int                fd[2];
    ngx_connection_t  *c;

    t_socketpair(fd);

    c = ngx_get_connection(fd[0], cycle->log);

    if (c == NULL) {
        _exit(1);
    }

    c->read->handler = nothing;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        _exit(1);
    }

    ngx_worker_process_cycle(cycle, data);
}


static void
test_own_connection(void)
{
    ngx_channel_t  ch;

    t_spawn(connection_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()),
         NGX_OK);

    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 1);

    t_end_processes();
}


/*
 * The parent dies before the worker asks the kernel for a signal at the
 * parent's death (PR_SET_PDEATHSIG), so the kernel sends none.  A sibling has
 * the other end of the worker's channel open, so the worker sees no end of
 * file.  So the worker must check itself whether its parent has died, and shut
 * down.
 */

static void
late_proc(ngx_cycle_t *cycle, void *data)
{
    while (getppid() == ngx_parent) {
        sched_yield();
    }

    ngx_worker_process_cycle(cycle, data);
}


static void
test_orphan(void)
{
    pid_t  parent, sibling, worker;

    pids = t_shared(sizeof(t_pids_t));

    /*
     * Processes whose parent has died become children of this process, so that
     * the test can wait for them.
     */

    T_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

    parent = fork();
    T_REQUIRE(parent != -1);

    if (parent == 0) {
        ngx_pid = getpid();

        pids->worker = t_spawn(late_proc, NULL, "worker",
                               NGX_PROCESS_NORESPAWN);
        pids->sibling = t_spawn(t_pause, NULL, "sibling",
                                NGX_PROCESS_NORESPAWN);
        _exit(0);
    }

    T_EQ(t_wait(parent), 0);

    worker = pids->worker;
    sibling = pids->sibling;

    T_EQ(t_wait(worker), 0);
    T_EQ(t_logged_by(worker, NGX_LOG_NOTICE, "gracefully shutting down"), 1);

    kill(sibling, SIGKILL);
    t_wait(sibling);
}


int
main(void)
{
    t_begin();

    t_run("a worker that quits leaves a module's connection",
          test_own_connection);
    t_run("a worker whose parent died before its cycle started", test_orphan);

    return t_end();
}
