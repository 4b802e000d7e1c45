
/*
 * Tests of peer_up and peer_down over reloads.  The master, the workers, and a
 * process that outlives all workers record what they are told.
 */


#include "t_messages.h"


#define EVENTS     128
#define OBSERVERS  64
#define WORKERS    3


/* What one process is told, in the order in which it is told. */

typedef struct {
    ngx_pid_t       pid;
    int             n;
    int             is_up[EVENTS];
    ngx_ipc_peer_t  peers[EVENTS];
} t_told_t;


/* The master is the first observer. The others take the next place. */

static struct {
    int       n;
    t_told_t  of[OBSERVERS];
} *volatile  told;

static t_told_t  *own;


static void
add_event(const ngx_ipc_peer_t *peer, int is_up)
{
    T_REQUIRE(own->n < EVENTS);
    own->is_up[own->n] = is_up;
    own->peers[own->n] = *peer;
    __atomic_fetch_add(&own->n, 1, __ATOMIC_RELEASE);
}


static void
peer_up(void *ctx, const ngx_ipc_peer_t *peer)
{
    add_event(peer, 1);
}


static void
peer_down(void *ctx, const ngx_ipc_peer_t *peer)
{
    add_event(peer, 0);
}


static ngx_ipc_message_watch_t  watch = {
    .peer_up = peer_up, .peer_down = peer_down
};


static ngx_int_t
observe(ngx_cycle_t *cycle)
{
    int  i;

    i = __atomic_fetch_add(&told->n, 1, __ATOMIC_RELAXED);
    T_REQUIRE(i < OBSERVERS);
    own = &told->of[i];
    own->pid = ngx_pid;

    return ngx_ipc_message_watch(&watch);
}


static ngx_module_t   module = { .init_process = observe };
static ngx_module_t  *modules[] = { &module, NULL };


/* The process that outlives all workers. */

static void
survivor(ngx_cycle_t *cycle, void *data)
{
    int            timeout;
    struct pollfd  fds;

    T_EQ(observe(cycle), NGX_OK);

    fds.fd = ngx_ipc_message_fd();
    fds.events = POLLIN;

    for ( ;; ) {
        timeout = (int) ngx_ipc_message_process();
        (void) poll(&fds, 1, timeout);
    }
}


static void
start(void)
{
    t_messages_init();
    told = t_shared(sizeof(*told));

    t_cycle()->modules = modules;
    T_EQ(observe(t_cycle()), NGX_OK);
    (void) t_spawn(survivor, NULL, "survivor", NGX_PROCESS_NORESPAWN);
    T_UNTIL(told->of[0].n == 1);
    ngx_start_worker_processes(t_cycle(), WORKERS, NGX_PROCESS_RESPAWN);
}


static const t_told_t *
told_of(ngx_pid_t pid)
{
    int  i;

    for (i = 0; i < told->n; i++) {
        if (told->of[i].pid == pid) {
            return &told->of[i];
        }
    }

    return NULL;
}


/* How often an observer was told that a process is up, or down. */

static int
times(const t_told_t *t, const ngx_ipc_peer_t *peer, int is_up)
{
    int  i, n;

    for (n = 0, i = 0; i < t->n; i++) {
        n += t->peers[i].to == peer->to && t->is_up[i] == is_up;
    }

    return n;
}


/* The workers that the master was told of, by their order. */

static const ngx_ipc_peer_t *
worker(int n)
{
    int  i;

    for (i = 0; i < told->of[0].n; i++) {
        if (told->of[0].is_up[i] && told->of[0].peers[i].worker != -1
            && n-- == 0)
        {
            return &told->of[0].peers[i];
        }
    }

    return NULL;
}


/* Whether an observer was told of the first n workers, and of dead deaths. */

static int
knows(const t_told_t *t, int n, int dead)
{
    int  i, downs;

    downs = 0;

    for (i = 0; i < n; i++) {
        if (worker(i) == NULL) {
            return 0;
        }

        if (times(t, worker(i), 1) == 0) {
            return 0;
        }

        downs += times(t, worker(i), 0) != 0;
    }

    return downs == dead;
}


/* Checks that an observer was told of each process once, or once up and once down. */

static void
check_once(const t_told_t *t)
{
    int  i;

    for (i = 0; i < t->n; i++) {
        T_EQ(times(t, &t->peers[i], 1), 1);
        T_OK(times(t, &t->peers[i], 0) <= 1);
    }
}


/*
 * Waits until the master and the survivor know that n workers have been started,
 * of which so many are dead, and checks that they were told once.
 */

static void
check(int n, int dead)
{
    int              i, k, ups, downs;
    const t_told_t  *observers[2];

    observers[0] = &told->of[0];
    observers[1] = told_of(ngx_processes[0].pid);
    T_REQUIRE(observers[1] != NULL);

    for (k = 0; k < 2; k++) {
        T_UNTIL(knows(observers[k], n, dead));
        ups = 0;
        downs = 0;

        for (i = 0; i < observers[k]->n; i++) {
            ups += observers[k]->is_up[i];
            downs += !observers[k]->is_up[i];
        }

        check_once(observers[k]);

        /* Each of the two was told of the other one, too. */

        T_EQ(ups, n + 1);
        T_EQ(downs, dead);
        T_OK(worker(n) == NULL);
    }
}


/*
 * Checks what the workers that run were told: of each other once, and of each dead
 * worker either nothing or that it was up and is down.
 */

static void
check_workers(void)
{
    int              i;
    ngx_int_t        s, other;
    const t_told_t  *t;

    for (s = 1; s < ngx_last_process; s++) {

        if (!t_runs(s)) {
            continue;
        }

        T_UNTIL(told_of(ngx_processes[s].pid) != NULL);
        t = told_of(ngx_processes[s].pid);

        /* The other workers, the master and the survivor. */

        do {
            t_master_round();

            for (other = 0, i = 0; i < t->n; i++) {
                other += t->is_up[i] ? 1 : -1;
            }
        } while (other != WORKERS + 1);

        check_once(t);
    }
}


/* Starts new workers, and ends the old ones. */

static void
reload(int workers)
{
    ngx_start_worker_processes(t_cycle(), WORKERS, NGX_PROCESS_JUST_RESPAWN);
    check(workers + WORKERS, workers - WORKERS);
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
}


/* The slot of a worker that the master was told of. */

static ngx_int_t
slot_of(int n)
{
    return worker(n)->slot;
}


/* Ends all processes. The master is told of each death. */

static void
stop(int n)
{
    t_kill_worker(0);
    T_UNTIL(!t_runs(0));
    t_workers_stop();
    T_UNTIL(told->of[0].n == 2 * n + 2);
    check_once(&told->of[0]);
}


static void
test_reloads(void)
{
    int  round, n;

    start();
    n = WORKERS;
    check(n, 0);
    check_workers();

    for (round = 0; round < 4; round++) {

        /* A worker is killed, and its replacement starts. */

        t_kill_worker(slot_of(n - 1));
        n++;
        check(n, n - WORKERS);
        check_workers();

        reload(n);
        n += WORKERS;
        check(n, n - WORKERS);
        check_workers();
    }

    stop(n);
}


/* An old worker is killed while it shuts down, and a new one when it is up. */

static void
test_kills(void)
{
    pid_t      pid;
    ngx_int_t  slot;

    start();
    check(3, 0);

    /* The old worker in this slot is stopped, so it does not exit itself. */

    slot = slot_of(1);
    pid = ngx_processes[slot].pid;
    t_stop_pid(pid);
    reload(3);
    check(6, 2);
    t_kill_worker(slot_of(4));
    check(7, 3);
    kill(pid, SIGKILL);
    check(7, 4);
    check_workers();

    stop(7);
}


/* A process is not told of itself, also when it sends to itself. */

static void
note_itself(ngx_ipc_message_t *m, int arg)
{
    T_EQ(t_note(NGX_IPC_TO_WORKER(ngx_worker), 1), NGX_OK);
}


static void
test_itself(void)
{
    t_messages_start(2);
    T_UNTIL(t_of(0)->up == 2 && t_of(1)->up == 2);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), note_itself, 0), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->up, 2);

    T_EQ(t_of(0)->down, 0);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("a process is not told of itself", test_itself);

    t_run("processes are reported once over reloads", test_reloads);
    t_run("processes that are killed in a reload are reported once",
          test_kills);

    return t_end();
}
