
/*
 * A master of the library's host and its workers, which record what they have
 * in their process tables.
 */


#include "t_workers.h"


#if !(T_NGINX)

volatile t_common_t       *t_common;
ngx_uint_t               t_live;

static ngx_event_t       look, held, tick;
static ngx_connection_t  no_connection;


static volatile t_worker_t *
own(void)
{
    return &t_common->workers[ngx_process_slot];
}


/*
 * The functions that the modules of these tests have for init_process() and
 * the other callbacks.
 */

static void
copy_table(ngx_event_t *ev)
{
    ngx_int_t             s;
    volatile t_worker_t  *w;

    w = own();

    w->pid = ngx_pid;
    w->worker = ngx_worker;
    w->process = ngx_process;
    w->last = ngx_last_process;
    w->channel = ngx_channel;
    w->exiting = (int) ngx_exiting;

    w->own[0] = ngx_processes[ngx_process_slot].channel[0];
    w->own[1] = ngx_processes[ngx_process_slot].channel[1];

    for (s = 0; s < T_SLOTS; s++) {
        w->pids[s] = ngx_processes[s].pid;
        w->fds[s] = ngx_processes[s].channel[0];
    }

    w->open_fds = t_open_fds();
    w->looks++;

    ev->cancelable = 1;
    ngx_add_timer(ev, 5);
}


static void
stay_alive(ngx_event_t *ev)
{
    if (t_common->hold) {
        ngx_add_timer(ev, 5);
    }
}


static void
event_init(ngx_event_t *ev, ngx_event_handler_pt handler)
{
    memset(ev, 0, sizeof(ngx_event_t));

    no_connection.fd = -1;
    ev->data = &no_connection;
    ev->log = t_log();
    ev->handler = handler;
}


static ngx_int_t
first_init(ngx_cycle_t *cycle)
{
    T_OK(cycle == t_cycle());

    own()->inits++;
    own()->random = ngx_random();
    own()->order[own()->norder++ % 4] = 1;

    if (t_common->fail_init) {
        t_common->fail_init--;
        return NGX_ERROR;
    }

    event_init(&look, copy_table);
    ngx_add_timer(&look, 0);

    if (t_common->hold) {
        event_init(&held, stay_alive);
        ngx_add_timer(&held, 0);
    }

    return NGX_OK;
}


static ngx_int_t
last_init(ngx_cycle_t *cycle)
{
    own()->order[own()->norder++ % 4] = 2;

    return NGX_OK;
}


static void
first_exit(ngx_cycle_t *cycle)
{
    own()->exits++;
    own()->order[own()->norder++ % 4] = 3;
}


static void
last_exit(ngx_cycle_t *cycle)
{
    own()->order[own()->norder++ % 4] = 4;
}


static ngx_int_t
masters_hook(ngx_cycle_t *cycle)
{
    t_common->masters++;

    return NGX_OK;
}


static void
masters_exit(ngx_cycle_t *cycle)
{
    t_common->masters++;
}


static ngx_module_t  first_module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CORE_MODULE,
    NULL,
    masters_hook,
    first_init,
    masters_hook,
    masters_exit,
    first_exit,
    masters_exit,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t  empty_module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CORE_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t  last_module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CORE_MODULE,
    NULL,
    NULL,
    last_init,
    NULL,
    NULL,
    last_exit,
    NULL,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t  *modules[] = {
    &first_module, &empty_module, &last_module, NULL
};


/* Functions that the test calls as the master. */

void
t_master_init(void)
{
    ngx_time_init();
    t_init_events();

    t_common = t_shared(sizeof(t_common_t));

    t_cycle()->modules = modules;
    t_cycle()->modules_n = 3;

    event_init(&tick, NULL);
    ngx_process = NGX_PROCESS_MASTER;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    t_live = 1;
}


/*
 * Runs the master's event loop once.  The timer ends the call after 5 ms,
 * because a worker that has copied its table sends no signal to the master.
 */

void
t_master_round(void)
{
    ngx_add_timer(&tick, 5);
    ngx_process_events_and_timers(t_cycle());

    if (ngx_reap) {
        ngx_reap = 0;
        t_live = ngx_reap_children(t_cycle());
    }
}


/*
 * Returns 1 if slot s has a process.  Returns 0 for a slot that is reserved
 * for a process that is started later.
 */

int
t_runs(ngx_int_t s)
{
    return ngx_processes[s].pid > 0 && kill(ngx_processes[s].pid, 0) == 0;
}


/*
 * Returns 1 if worker i has the pid and the channel of worker j in its table,
 * or has no process there if worker j has exited.
 */

static int
knows(ngx_int_t i, ngx_int_t j)
{
    volatile t_worker_t  *w;

    w = &t_common->workers[i];

    if (i == j) {
        return 1;
    }

    if (!t_runs(j)) {
        return w->pids[j] <= 0 && w->fds[j] <= 0;
    }

    return w->pids[j] == ngx_processes[j].pid && w->fds[j] > 0;
}


int
t_all_know_all(ngx_int_t n)
{
    ngx_int_t  i, j;

    for (i = 0; i < n; i++) {

        if (!t_runs(i)) {
            continue;
        }

        if (t_common->workers[i].pid != ngx_processes[i].pid) {
            return 0;
        }

        for (j = 0; j < n; j++) {

            if (!knows(i, j)) {
                return 0;
            }
        }
    }

    return 1;
}


/*
 * Waits until each worker has copied its table at least once more, so that the
 * copy is not older than this call.
 */

static void
look_again(ngx_int_t n)
{
    int        looks[T_SLOTS];
    ngx_int_t  s;

    for (s = 0; s < n; s++) {
        looks[s] = t_common->workers[s].looks;
    }

    for (s = 0; s < n; s++) {

        if (t_runs(s)) {
            T_UNTIL(t_common->workers[s].looks > looks[s] + 1);
        }
    }
}


/*
 * Checks that the channels in the table of each worker are the same sockets as
 * those in the master's table.
 */

void
t_check_channels(ngx_int_t n)
{
    ngx_int_t             i, j;
    volatile t_worker_t  *w;

    look_again(n);

    for (i = 0; i < n; i++) {
        w = &t_common->workers[i];

        if (!t_runs(i)) {
            continue;
        }

        T_EQ(w->own[0], -1);
        T_EQ(w->own[1], w->channel);

        for (j = 0; j < n; j++) {

            if (j == i || !t_runs(j)) {
                continue;
            }

            T_OK(t_same_file(w->pid, w->fds[j], getpid(),
                             ngx_processes[j].channel[0]));
        }
    }
}


void
t_workers_start(ngx_int_t n, ngx_int_t type)
{
    ngx_start_worker_processes(t_cycle(), n, type);

    T_REQUIRE(ngx_last_process == n);
    T_UNTIL(t_all_know_all(n));
}


/*
 * Starts two workers and sends QUIT to them.  The workers shut down, but do
 * not exit, because their timers still run.
 */

void
t_workers_hold(void)
{
    t_common->hold = 1;
    t_workers_start(2, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    T_UNTIL(t_common->workers[0].exiting && t_common->workers[1].exiting);
}


/*
 * Waits until the master has reaped all workers, and checks that their slots
 * are free.
 */

void
t_wait_all_gone(void)
{
    ngx_int_t  s;

    T_UNTIL(t_live == 0);

    for (s = 0; s < ngx_last_process; s++) {
        T_EQ(ngx_processes[s].pid, -1);
        T_EQ(ngx_processes[s].channel[0], -1);
        T_EQ(ngx_processes[s].channel[1], -1);
    }
}


void
t_workers_stop(void)
{
    ngx_terminate = 1;
    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    t_wait_all_gone();
}


pid_t
t_kill_worker(ngx_int_t slot)
{
    pid_t  pid;

    pid = ngx_processes[slot].pid;
    T_REQUIRE(kill(pid, SIGKILL) == 0);

    return pid;
}


int
t_exits(void)
{
    int        n;
    ngx_int_t  s;

    for (n = 0, s = 0; s < T_SLOTS; s++) {
        n += t_common->workers[s].exits;
    }

    return n;
}

#endif
