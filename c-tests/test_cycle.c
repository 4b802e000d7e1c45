
/*
 * Master and workers: ngx_start_worker_processes(), the workers' cycle,
 * and what a master does with its workers until the last of them has gone.
 */


#include "test.h"

#include <sys/prctl.h>


#define SLOTS  32


/*
 * Two workers exit together, as in every shutdown, and the master has waited
 * for one of them only: nothing is wrong with that.
 */

static void
exited_unreaped(pid_t pid)
{
    siginfo_t  info;

    T_REQUIRE(kill(pid, SIGKILL) == 0);

    while (waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }
}


static void
test_exit_together(void)
{
    pid_t  pid[2];

    t_init_signals();

    pid[0] = t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);
    pid[1] = t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid[0] > 0 && pid[1] > 0);

    exited_unreaped(pid[0]);
    exited_unreaped(pid[1]);

    T_REQUIRE(t_wait(pid[0]) != -1);
    ngx_processes[0].exited = 1;

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed"), 0);

    t_exited(pid[1]);
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "sendmsg() failed"), 0);
}


/* nginx's worker cycle needs a configuration; the rest is for ours. */

#if !(T_NGINX)

/* What each worker tells, by its slot: it looks at its table now and then. */

typedef struct {
    ngx_pid_t    pid;
    ngx_uint_t   worker;
    ngx_uint_t   process;
    ngx_int_t    last;
    ngx_pid_t    pids[SLOTS];
    int          fds[SLOTS];
    int          own[2];
    int          channel;
    int          open_fds;
    int          inits;
    int          exits;
    int          order[4];
    int          norder;
    int          exiting;
    int          looks;
} worker_t;


typedef struct {
    worker_t     workers[SLOTS];
    int          fail_init;         /* how many workers are to fail */
    int          hold;              /* a worker's timer keeps it alive */
    int          masters;           /* hooks that are not a worker's */
} shared_t;


static volatile shared_t  *shared;
static ngx_event_t         look, held, tick;
static ngx_connection_t    no_connection;
static ngx_uint_t          live;


static volatile worker_t *
own(void)
{
    return &shared->workers[ngx_process_slot];
}


/* The modules of the program. */

static void
look_at_table(ngx_event_t *ev)
{
    ngx_int_t           s;
    volatile worker_t  *w;

    w = own();

    w->pid = ngx_pid;
    w->worker = ngx_worker;
    w->process = ngx_process;
    w->last = ngx_last_process;
    w->channel = ngx_channel;
    w->exiting = (int) ngx_exiting;

    w->own[0] = ngx_processes[ngx_process_slot].channel[0];
    w->own[1] = ngx_processes[ngx_process_slot].channel[1];

    for (s = 0; s < SLOTS; s++) {
        w->pids[s] = ngx_processes[s].pid;
        w->fds[s] = ngx_processes[s].channel[0];
    }

    w->open_fds = t_open_fds();
    w->looks++;

    ev->cancelable = 1;
    ngx_add_timer(ev, 5);
}


static void
let_go(ngx_event_t *ev)
{
    if (shared->hold) {
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
    own()->order[own()->norder++ % 4] = 1;

    if (shared->fail_init) {
        shared->fail_init--;
        return NGX_ERROR;
    }

    event_init(&look, look_at_table);
    ngx_add_timer(&look, 0);

    if (shared->hold) {
        event_init(&held, let_go);
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
    shared->masters++;

    return NGX_OK;
}


static void
masters_exit(ngx_cycle_t *cycle)
{
    shared->masters++;
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


/* The master. */

static void
setup(void)
{
    ngx_time_init();
    t_init_events();

    shared = t_shared(sizeof(shared_t));

    t_cycle()->modules = modules;
    t_cycle()->modules_n = 3;

    event_init(&tick, NULL);
    ngx_process = NGX_PROCESS_MASTER;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    live = 1;
}


/* It looks again after a while, since workers tell nobody what they see. */

static void
master_round(void)
{
    ngx_add_timer(&tick, 5);
    ngx_process_events_and_timers(t_cycle());

    if (ngx_reap) {
        ngx_reap = 0;
        live = ngx_reap_children(t_cycle());
    }
}


#define UNTIL(expr)                                                          \
    while (!(expr)) {                                                        \
        master_round();                                                      \
    }


/* Everybody in the table has looked, and knows everybody else. */

static int
knows(ngx_int_t i, ngx_int_t j)
{
    volatile worker_t  *w;

    w = &shared->workers[i];

    if (i == j) {
        return 1;
    }

    if (ngx_processes[j].pid == -1) {
        return w->pids[j] <= 0 && w->fds[j] <= 0;
    }

    return w->pids[j] == ngx_processes[j].pid && w->fds[j] > 0;
}


static int
all_know_all(ngx_int_t n)
{
    ngx_int_t  i, j;

    for (i = 0; i < n; i++) {

        if (ngx_processes[i].pid == -1) {
            continue;
        }

        if (shared->workers[i].pid != ngx_processes[i].pid) {
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


/* Everybody has looked, from its first line to its last, since now. */

static void
look_again(ngx_int_t n)
{
    int        looks[SLOTS];
    ngx_int_t  s;

    for (s = 0; s < n; s++) {
        looks[s] = shared->workers[s].looks;
    }

    for (s = 0; s < n; s++) {

        if (ngx_processes[s].pid != -1) {
            UNTIL(shared->workers[s].looks > looks[s] + 1);
        }
    }
}


/* ... and what it has is the channel that the master has. */

static void
check_channels(ngx_int_t n)
{
    ngx_int_t           i, j;
    volatile worker_t  *w;

    look_again(n);

    for (i = 0; i < n; i++) {
        w = &shared->workers[i];

        if (ngx_processes[i].pid == -1) {
            continue;
        }

        T_EQ(w->own[0], -1);
        T_EQ(w->own[1], w->channel);

        for (j = 0; j < n; j++) {

            if (j == i || ngx_processes[j].pid == -1) {
                continue;
            }

            T_OK(t_same_file(w->pid, w->fds[j], getpid(),
                             ngx_processes[j].channel[0]));
        }
    }
}


static void
start(ngx_int_t n, ngx_int_t type)
{
    ngx_start_worker_processes(t_cycle(), n, type);

    T_REQUIRE(ngx_last_process == n);
    UNTIL(all_know_all(n));
}


/* Slots at the end are given up one by one, those before them emptied. */

static void
wait_all_gone(void)
{
    ngx_int_t  s;

    UNTIL(live == 0);

    for (s = 0; s < ngx_last_process; s++) {
        T_EQ(ngx_processes[s].pid, -1);
        T_EQ(ngx_processes[s].channel[0], -1);
        T_EQ(ngx_processes[s].channel[1], -1);
    }
}


static void
stop(void)
{
    ngx_terminate = 1;
    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    wait_all_gone();
}


static pid_t
kill_worker(ngx_int_t slot)
{
    pid_t  pid;

    pid = ngx_processes[slot].pid;
    T_REQUIRE(kill(pid, SIGKILL) == 0);

    return pid;
}


static int
exits(void)
{
    int        n;
    ngx_int_t  s;

    for (n = 0, s = 0; s < SLOTS; s++) {
        n += shared->workers[s].exits;
    }

    return n;
}


/* Starting. */

static void
test_start(void)
{
    ngx_int_t           s;
    volatile worker_t  *w;

    setup();
    start(3, NGX_PROCESS_RESPAWN);

    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker processes"), 1);
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 3);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    check_channels(3);

    for (s = 0; s < 3; s++) {
        w = &shared->workers[s];

        T_EQ(w->worker, s);
        T_EQ(w->process, NGX_PROCESS_WORKER);
        T_EQ(w->last, 3);
        T_EQ(w->inits, 1);
        T_EQ(ngx_processes[s].respawn, 1);
        T_EQ(ngx_processes[s].detached, 0);
        T_EQ(ngx_processes[s].just_spawn, 0);
        T_OK(ngx_processes[s].proc == ngx_worker_process_cycle);
        T_OK(strcmp(ngx_processes[s].name, "worker process") == 0);

        /* nobody has what is not his */

        T_EQ(w->open_fds, shared->workers[0].open_fds);
    }

    T_EQ(ngx_process, NGX_PROCESS_MASTER);
    T_EQ(ngx_process_slot, 2);

    stop();
}


static void
test_start_types(void)
{
    setup();

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

    UNTIL(all_know_all(3));

    /* the first signal leaves out those that were just spawned */

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    UNTIL(ngx_processes[0].pid == -1);

    T_EQ(live, 1);
    T_EQ(ngx_processes[1].exiting, 0);
    T_EQ(ngx_processes[1].just_spawn, 0);
    T_EQ(ngx_processes[2].just_spawn, 0);
    T_EQ(exits(), 1);

    stop();
    T_EQ(exits(), 3);
}


static void
test_start_none(void)
{
    setup();

    ngx_start_worker_processes(t_cycle(), 0, NGX_PROCESS_RESPAWN);
    ngx_start_worker_processes(t_cycle(), -1, NGX_PROCESS_RESPAWN);

    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_reap_children(t_cycle()), 0);
}


static void
test_start_later(void)
{
    setup();

    start(2, NGX_PROCESS_RESPAWN);
    ngx_start_worker_processes(t_cycle(), 2, NGX_PROCESS_RESPAWN);
    UNTIL(all_know_all(4));

    check_channels(4);
    T_EQ(shared->workers[3].worker, 1);

    stop();
}


static void
test_many(void)
{
    ngx_int_t  s;

    setup();
    start(20, NGX_PROCESS_RESPAWN);
    check_channels(20);

    for (s = 1; s < 20; s++) {
        T_EQ(shared->workers[s].open_fds, shared->workers[0].open_fds);
        T_EQ(shared->workers[s].last, 20);
    }

    stop();
}


static void
test_no_modules(void)
{
    setup();
    t_cycle()->modules = NULL;
    t_cycle()->modules_n = 0;

    ngx_start_worker_processes(t_cycle(), 2, NGX_PROCESS_RESPAWN);
    stop();

    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


/* A worker is one as the module's init_process() sees it. */

static void
test_hooks(void)
{
    setup();
    start(1, NGX_PROCESS_RESPAWN);
    stop();

    T_EQ(shared->workers[0].norder, 4);
    T_EQ(shared->workers[0].order[0], 1);
    T_EQ(shared->workers[0].order[1], 2);
    T_EQ(shared->workers[0].order[2], 3);
    T_EQ(shared->workers[0].order[3], 4);
    T_EQ(shared->masters, 0);
}


/* Signals blocked in the master, while it waits for them, are not so here. */

static void
test_signals_unblocked(void)
{
    sigset_t  set;

    setup();

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, NULL);

    start(1, NGX_PROCESS_RESPAWN);

    T_REQUIRE(kill(ngx_processes[0].pid, SIGTERM) == 0);
    ngx_processes[0].respawn = 0;
    wait_all_gone();

    T_EQ(exits(), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 1);
}


/* A worker that cannot be set up. */

static void
test_init_fails(void)
{
    pid_t  pid;

    setup();
    shared->fail_init = 1;

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_RESPAWN);
    pid = ngx_processes[0].pid;
    wait_all_gone();

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "worker process %d exited with code 2",
                   (int) pid), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "worker process %d exited with fatal code 2"
                   " and cannot be respawned", (int) pid), 1);
    T_EQ(shared->workers[0].inits, 1);
    T_EQ(shared->workers[0].norder, 1);
    T_EQ(exits(), 0);
}


static void
test_init_fails_in_one(void)
{
    setup();
    start(2, NGX_PROCESS_RESPAWN);

    /* the one that is to replace the first */

    shared->fail_init = 1;
    kill_worker(0);
    UNTIL(t_logged(NGX_LOG_ALERT, "cannot be respawned"));
    UNTIL(ngx_processes[0].pid == -1);

    T_EQ(live, 1);
    T_EQ(ngx_last_process, 2);
    UNTIL(all_know_all(2));

    stop();
}


/* Signals to all workers. */

static void
test_terminate(void)
{
    ngx_int_t  s;

    setup();
    start(3, NGX_PROCESS_RESPAWN);

    /* not even by what it waits for */

    ngx_signal_worker_processes(t_cycle(), SIGTERM);

    for (s = 0; s < 3; s++) {
        T_EQ(ngx_processes[s].exiting, 1);
    }

    wait_all_gone();

    T_EQ(exits(), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 0);
    T_EQ(t_logged(NGX_LOG_NOTICE, ": exiting"), 3);
    T_EQ(t_logged(T_ANY, "(SIGTERM) received"), 0);
}


static void
test_quit(void)
{
    setup();
    start(3, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    wait_all_gone();

    T_EQ(exits(), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, ": exiting"), 3);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 3);
}


/* Timers that are not cancelable are waited for. */

static void
test_quit_waits(void)
{
    int  looks;

    setup();
    shared->hold = 1;
    start(2, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    UNTIL(shared->workers[0].exiting && shared->workers[1].exiting);

    looks = shared->workers[0].looks;
    UNTIL(shared->workers[0].looks > looks + 3);

    T_EQ(exits(), 0);
    T_EQ(live, 1);
    T_EQ(ngx_last_process, 2);

    /* it is told once */

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    shared->hold = 0;
    wait_all_gone();

    T_EQ(exits(), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 2);
}


/* ... unless it is told that this takes too long. */

static void
test_quit_then_terminate(void)
{
    setup();
    shared->hold = 1;
    start(2, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    UNTIL(shared->workers[0].exiting && shared->workers[1].exiting);

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    wait_all_gone();

    T_EQ(exits(), 2);
}


static void
test_reopen(void)
{
    ngx_pid_t  pid[2];

    setup();
    start(2, NGX_PROCESS_RESPAWN);

    pid[0] = ngx_processes[0].pid;
    pid[1] = ngx_processes[1].pid;

    ngx_signal_worker_processes(t_cycle(), SIGUSR1);

    UNTIL(t_logged_by(pid[0], NGX_LOG_NOTICE, "reopening logs")
          && t_logged_by(pid[1], NGX_LOG_NOTICE, "reopening logs"));

    T_EQ(ngx_processes[0].exiting, 0);
    T_EQ(ngx_processes[1].exiting, 0);
    T_EQ(ngx_processes[0].pid, pid[0]);
    T_EQ(t_logged(T_ANY, "(SIGUSR1) received"), 0);

    stop();
}


/* What has no command is sent as it is. */

static void
test_other_signal(void)
{
    ngx_pid_t  pid[2];

    setup();
    start(2, NGX_PROCESS_RESPAWN);

    pid[0] = ngx_processes[0].pid;
    pid[1] = ngx_processes[1].pid;

    ngx_signal_worker_processes(t_cycle(), SIGKILL);
    T_EQ(ngx_processes[0].exiting, 1);
    wait_all_gone();

    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid[0]), 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid[1]), 1);
    T_EQ(exits(), 0);
}


static void
test_without_channel(void)
{
    ngx_pid_t  pid;

    setup();
    start(2, NGX_PROCESS_RESPAWN);

    pid = ngx_processes[0].pid;
    ngx_close_channel(ngx_processes[0].channel, t_log());

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    wait_all_gone();

    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "signal 3 (SIGQUIT) received"), 1);
    T_EQ(t_logged(T_ANY, "(SIGQUIT) received"), 1);
    T_EQ(exits(), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


/* A worker that has stopped reads nothing. */

static void
test_full_channel(void)
{
    int            status;
    ngx_pid_t      pid;
    ngx_channel_t  ch;

    setup();
    start(2, NGX_PROCESS_RESPAWN);

    pid = ngx_processes[0].pid;
    T_REQUIRE(kill(pid, SIGSTOP) == 0);
    T_REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = 31;
    ch.fd = -1;

    while (ngx_write_channel(ngx_processes[0].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log())
           == NGX_OK)
    {
        /* void */
    }

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    T_REQUIRE(kill(pid, SIGCONT) == 0);
    wait_all_gone();

    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "signal 15 (SIGTERM) received"), 1);
    T_EQ(exits(), 2);
}


/* None of these is a process that may be signalled. */

static void
test_no_process(void)
{
    ngx_int_t  s;
    pid_t      pid;

    setup();

    pid = t_fork_exit(0);
    t_wait(pid);

    for (s = 0; s < 4; s++) {
        ngx_processes[s].channel[0] = -1;
        ngx_processes[s].channel[1] = -1;
    }

    ngx_processes[0].pid = -1;
    ngx_processes[1].pid = 0;
    ngx_processes[2].pid = pid;
    ngx_processes[2].exited = 1;
    ngx_processes[3].pid = getpid();
    ngx_processes[3].detached = 1;
    ngx_last_process = 4;

    /* a signal that harms nobody: -1 would be every process there is */

    ngx_signal_worker_processes(t_cycle(), SIGWINCH);

    T_EQ(t_logged(NGX_LOG_DEBUG, "kill ("), 0);
    T_EQ(t_logged(T_ANY, "(SIGWINCH) received"), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
    T_EQ(ngx_processes[3].exiting, 0);

    /* who has exited is not told, but not respawned either */

    T_EQ(ngx_processes[2].exiting, 1);

    ngx_last_process = 0;
}


/* Reaping. */

static void
test_respawn(void)
{
    pid_t  pid;

    setup();
    start(3, NGX_PROCESS_RESPAWN);

    pid = kill_worker(1);
    UNTIL(ngx_processes[1].pid != pid && ngx_processes[1].pid != -1);

    T_EQ(live, 1);
    T_EQ(ngx_last_process, 3);
    T_EQ(ngx_processes[1].exited, 0);
    T_EQ(ngx_processes[1].respawn, 1);
    T_EQ(ngx_process_slot, 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "pass close channel s:1 pid:%d to:",
                   (int) pid), 2);

    UNTIL(all_know_all(3));
    check_channels(3);
    T_EQ(shared->workers[1].worker, 1);
    T_EQ(shared->workers[1].open_fds, shared->workers[0].open_fds);
    T_EQ(shared->workers[2].open_fds, shared->workers[0].open_fds);

    stop();
}


static void
test_respawn_many(void)
{
    ngx_int_t   s;
    ngx_pid_t   pid[12];

    setup();
    start(12, NGX_PROCESS_RESPAWN);

    for (s = 0; s < 12; s += 2) {
        pid[s] = kill_worker(s);
    }

    for (s = 0; s < 12; s += 2) {
        UNTIL(ngx_processes[s].pid != pid[s] && ngx_processes[s].pid != -1);
    }

    T_EQ(ngx_last_process, 12);
    UNTIL(all_know_all(12));
    check_channels(12);

    for (s = 1; s < 12; s++) {
        T_EQ(shared->workers[s].open_fds, shared->workers[0].open_fds);
    }

    stop();
}


/* All at once: there is nobody left who could be told. */

static void
test_respawn_all(void)
{
    ngx_int_t  s;
    ngx_pid_t  pid[3];

    setup();
    start(3, NGX_PROCESS_RESPAWN);

    for (s = 0; s < 3; s++) {
        pid[s] = kill_worker(s);
    }

    for (s = 0; s < 3; s++) {
        UNTIL(ngx_processes[s].pid != pid[s] && ngx_processes[s].pid != -1);
        T_EQ(live, 1);
    }

    UNTIL(all_know_all(3));
    check_channels(3);

    stop();
}


/* One that was told to exit is not started again, however it exits. */

static void
test_no_respawn_of_exiting(void)
{
    ngx_pid_t  pid;

    setup();
    shared->hold = 1;
    start(2, NGX_PROCESS_RESPAWN);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    UNTIL(shared->workers[0].exiting && shared->workers[1].exiting);

    pid = kill_worker(1);
    UNTIL(ngx_last_process == 1);

    T_EQ(live, 1);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "%d exited on signal 9", (int) pid), 1);

    shared->hold = 0;
    wait_all_gone();
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 2);
}


static void
test_no_respawn_while_quitting(void)
{
    setup();
    start(2, NGX_PROCESS_RESPAWN);

    ngx_quit = 1;
    kill_worker(0);
    UNTIL(ngx_processes[0].pid == -1);

    T_EQ(live, 1);
    T_EQ(ngx_last_process, 2);

    stop();
}


/* A slot in the middle waits for the next process; one at the end goes. */

static void
test_norespawn(void)
{
    setup();
    start(4, NGX_PROCESS_NORESPAWN);

    kill_worker(1);
    UNTIL(ngx_processes[1].pid == -1);
    T_EQ(live, 1);
    T_EQ(ngx_last_process, 4);
    T_EQ(ngx_processes[1].channel[0], -1);
    T_EQ(ngx_processes[1].channel[1], -1);
    UNTIL(all_know_all(4));

    kill_worker(3);
    UNTIL(ngx_last_process == 3);
    T_EQ(live, 1);

    /* ... is the first that is taken */

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 1);
    T_EQ(ngx_last_process, 3);

    UNTIL(all_know_all(3));
    check_channels(3);

    stop();
}


static void
test_detached(void)
{
    pid_t  pid;

    setup();
    start(1, NGX_PROCESS_RESPAWN);

    pid = t_spawn(t_pause, NULL, "detached", NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    /* it is no worker, and does not count as one that is left */

    ngx_terminate = 1;
    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    UNTIL(live == 0);

    T_EQ(kill(pid, 0), 0);
    T_EQ(ngx_processes[1].pid, pid);

    T_REQUIRE(kill(pid, SIGKILL) == 0);
    UNTIL(ngx_last_process == 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    ngx_last_process = 0;
}


/* A respawn that fails: no process more for this user. */

static void
be_nobody(void)
{
    if (t_under_valgrind()) {
        t_skip("valgrind's files are not nobody's");
    }

    if (getuid() == 0 && setresuid(65534, 65534, 65534) == -1) {
        t_skip("no other user");
    }

    /* /proc would be closed to us as well */

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

    setup();
    be_nobody();
    start(3, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);

    pid = kill_worker(1);
    UNTIL(t_logged(NGX_LOG_ALERT,
                   "fork() failed while spawning \"worker process\" (11: "));

    T_EQ(t_logged(NGX_LOG_ALERT, "could not respawn worker process"), 1);
    T_EQ(live, 1);
    T_EQ(ngx_processes[1].pid, -1);
    T_EQ(ngx_processes[1].channel[0], -1);
    T_EQ(ngx_processes[1].channel[1], -1);
    T_EQ(ngx_processes[1].exited, 0);
    T_EQ(ngx_last_process, 3);

    /* the others have been told that it is gone */

    UNTIL(all_know_all(3));

    /* ... and of the one that is there at last */

    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);
    UNTIL(ngx_processes[1].pid > 0);

    T_OK(ngx_processes[1].pid != pid);
    T_EQ(ngx_last_process, 3);
    UNTIL(all_know_all(3));
    check_channels(3);

    stop();
}


/* Nobody else may take the slot meanwhile. */

static void
test_respawn_fails_slot_reserved(void)
{
    pid_t          pid;
    struct rlimit  rl;

    setup();
    be_nobody();
    start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);
    kill_worker(0);
    UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed"));
    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);

    pid = t_spawn(t_pause, NULL, "another", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(ngx_process_slot, 2);

    UNTIL(ngx_processes[0].pid > 0);
    T_EQ(shared->workers[0].worker, 0);

    T_REQUIRE(kill(pid, SIGKILL) == 0);
    UNTIL(ngx_last_process == 2);

    stop();
}


/* A master that shuts down has no use for it. */

static void
test_respawn_fails_then_quit(void)
{
    struct rlimit  rl;

    setup();
    be_nobody();
    start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);
    kill_worker(0);
    UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed"));

    ngx_quit = 1;
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    UNTIL(live == 0);

    T_EQ(exits(), 1);
    T_EQ(t_logged_by(getpid(), NGX_LOG_NOTICE, "start worker process "), 2);

    ngx_last_process = 0;
}


/* All of the workers, and none can be started again for a while. */

static void
test_respawn_all_fails(void)
{
    struct rlimit  rl;

    setup();
    be_nobody();
    start(2, NGX_PROCESS_RESPAWN);
    no_more_processes(&rl);

    kill_worker(0);
    kill_worker(1);
    UNTIL(t_logged(NGX_LOG_ALERT, "fork() failed") >= 2);
    T_REQUIRE(setrlimit(RLIMIT_NPROC, &rl) == 0);

    UNTIL(ngx_processes[0].pid > 0 && ngx_processes[1].pid > 0);
    T_EQ(ngx_last_process, 2);
    UNTIL(all_know_all(2));
    check_channels(2);

    stop();
}


/* Its master is gone, and can tell it nothing: it shuts down by itself. */

static void
killed_master(void)
{
    ngx_pid = getpid();

    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_RESPAWN);

    UNTIL(all_know_all(1));

    raise(SIGKILL);
}


static void
test_orphan(void)
{
    int    status;
    pid_t  pid;

    setup();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    /* the handler of SIGCHLD would take what is waited for here */

    signal(SIGCHLD, SIG_DFL);

    pid = fork();

    if (pid == 0) {
        T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
        killed_master();
    }

    status = t_wait(pid);
    T_OK(WIFSIGNALED(status));

    T_EQ(t_wait(shared->workers[0].pid), 0);

    T_EQ(exits(), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 1);
}


#endif


int
main(void)
{
    t_begin();

    t_run("workers that exit together", test_exit_together);

#if !(T_NGINX)

    t_run("three workers", test_start);
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

    t_run("workers are terminated", test_terminate);
    t_run("workers quit", test_quit);
    t_run("workers that quit wait for timers", test_quit_waits);
    t_run("workers that wait are terminated", test_quit_then_terminate);
    t_run("workers reopen logs", test_reopen);
    t_run("workers are killed", test_other_signal);
    t_run("a worker without a channel gets the signal", test_without_channel);
    t_run("a worker whose channel is full gets the signal",
          test_full_channel);
    t_run("what is no worker gets no signal", test_no_process);

    t_run("a worker is respawned", test_respawn);
    t_run("6 of 12 workers are respawned", test_respawn_many);
    t_run("all workers are respawned", test_respawn_all);
    t_run("a worker that quits is not respawned",
          test_no_respawn_of_exiting);
    t_run("no worker is respawned while the master quits",
          test_no_respawn_while_quitting);
    t_run("slots of workers that are not respawned", test_norespawn);
    t_run("a detached process is no worker", test_detached);

    t_run("a respawn fails, and is tried again", test_respawn_fails);
    t_run("a respawn fails, and its slot is kept",
          test_respawn_fails_slot_reserved);
    t_run("a respawn fails, and the master quits",
          test_respawn_fails_then_quit);
    t_run("all respawns fail, and are tried again", test_respawn_all_fails);

    t_run("a worker whose master has gone", test_orphan);

#endif

    return t_end();
}
