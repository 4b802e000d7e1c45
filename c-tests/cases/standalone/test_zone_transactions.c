
/*
 * Tests of transactions: ngx_ipc_zone_begin(), ngx_ipc_zone_save(),
 * ngx_ipc_zone_alloc(), ngx_ipc_zone_calloc(), ngx_ipc_zone_free(),
 * ngx_ipc_zone_commit() and ngx_ipc_zone_abort().
 */


#include "t_zone.h"


#define ACCOUNTS  16
#define MONEY     1000


/* The accounts have MONEY together.  A list contains the last transfers. */

typedef struct transfer_s  transfer_t;

struct transfer_s {
    ngx_uint_t   n;
    transfer_t  *next;
};

typedef struct {
    ngx_int_t    account[ACCOUNTS];
    ngx_uint_t   transfers;
    transfer_t  *last;
    ngx_uint_t   length;
} accounts_t;


static ngx_uint_t  told;
static ngx_pid_t   told_pid;
static ngx_uint_t  dies;


static ngx_int_t
init_accounts(ngx_shm_zone_t *z, void *data)
{
    accounts_t  *accounts = data;

    accounts->account[0] = MONEY;

    return NGX_OK;
}


static void
on_owner_died(ngx_shm_zone_t *z, void *data, ngx_pid_t pid)
{
    accounts_t  *accounts = data;

    T_OK(z == zone);
    T_OK(data == zone->data);

    told++;
    told_pid = pid;

    if (dies) {
        T_EQ(ngx_ipc_zone_save(z, &accounts->transfers, sizeof(ngx_uint_t)), NGX_OK);
        accounts->transfers = 77;
        kill(ngx_getpid(), SIGKILL);
    }
}


static void
start(void)
{
    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "accounts");
    type.version = 1;
    type.root_size = sizeof(accounts_t);
    type.init = init_accounts;
    type.on_owner_died = on_owner_died;
    size = SIZE;
    told = 0;
    dies = 0;
}


static ngx_int_t
sum(accounts_t *accounts)
{
    int        i;
    ngx_int_t  n;

    for (n = 0, i = 0; i < ACCOUNTS; i++) {
        n += accounts->account[i];
    }

    return n;
}


/* The length of the list. */

static ngx_uint_t
length(accounts_t *accounts)
{
    ngx_uint_t   n;
    transfer_t  *t;

    for (n = 0, t = accounts->last; t != NULL && n < 100; t = t->next) {
        n++;
    }

    return n;
}


/* One transaction: a transfer of money.  The list keeps the last three. */

static ngx_int_t
transfer(int from, int to, ngx_int_t amount)
{
    transfer_t  *t, *old;
    accounts_t  *accounts = zone->data;

    if (ngx_ipc_zone_begin(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_ipc_zone_save(zone, &accounts->account[from], sizeof(ngx_int_t));
    accounts->account[from] -= amount;
    (void) ngx_ipc_zone_save(zone, &accounts->account[to], sizeof(ngx_int_t));
    accounts->account[to] += amount;
    (void) ngx_ipc_zone_save(zone, &accounts->transfers,
                             sizeof(accounts_t) - offsetof(accounts_t, transfers));

    t = ngx_ipc_zone_alloc(zone, sizeof(transfer_t));
    if (t == NULL) {
        (void) ngx_ipc_zone_abort(zone);
        return NGX_ERROR;
    }

    t->n = ++accounts->transfers;
    t->next = accounts->last;
    accounts->last = t;
    accounts->length++;

    if (accounts->length > 3) {
        t = t->next->next;
        old = t->next;

        if (ngx_ipc_zone_save(zone, &t->next, sizeof(t->next)) == NGX_OK) {
            t->next = NULL;
        }

        (void) ngx_ipc_zone_free(zone, old);
        accounts->length--;
    }

    return ngx_ipc_zone_commit(zone);
}


static void
verify(void)
{
    accounts_t  *accounts = zone->data;

    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    T_EQ(sum(accounts), MONEY);
    T_EQ(length(accounts), accounts->length);
    T_EQ(pool_of(zone)->stats[1].used, accounts->length);
    T_OK(accounts->last == NULL || accounts->last->n == accounts->transfers);
    T_EQ(pool_of(zone)->lock.lock, 0);
}


static ngx_int_t
check_commit(ngx_cycle_t *cycle)
{
    int          i;
    accounts_t  *accounts = zone->data;

    T_OK(accounts->account[0] == MONEY && accounts->last == NULL);

    for (i = 0; i < 100; i++) {
        T_EQ(transfer(i % ACCOUNTS, (i + 1) % ACCOUNTS, i), NGX_OK);
        verify();
    }

    T_EQ(accounts->transfers, 100);
    T_EQ(accounts->length, 3);
    T_EQ(told, 0);

    _exit(0);
}


static void
test_commit(void)
{
    start();
    T_EQ(run(check_commit), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
}


/* All bytes of the zone are as before, but for the log and counters of requests. */

static ngx_int_t
check_abort(ngx_cycle_t *cycle)
{
    u_char      *p, *q;
    accounts_t   before, *accounts = zone->data;
    ngx_uint_t   pfree;

    T_EQ(transfer(0, 1, 5), NGX_OK);

    before = *accounts;
    pfree = pool_of(zone)->pfree;

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(pool_of(zone)->lock.lock != 0);
    T_EQ(ngx_ipc_zone_save(zone, accounts, sizeof(accounts_t)), NGX_OK);
    memset(accounts, 7, sizeof(accounts_t));
    p = ngx_ipc_zone_alloc(zone, 3 * 4096);
    q = ngx_ipc_zone_calloc(zone, 100);
    T_OK(p != NULL && q != NULL && q[0] == 0 && q[99] == 0);
    memset(p, 7, 3 * 4096);
    T_EQ(ngx_ipc_zone_free(zone, before.last), NGX_OK);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

    T_OK(memcmp(&before, accounts, sizeof(accounts_t)) == 0);
    T_EQ(pool_of(zone)->pfree, pfree);
    verify();

    T_EQ(transfer(1, 2, 5), NGX_OK);
    verify();

    _exit(0);
}


static void
test_abort(void)
{
    start();
    T_EQ(run(check_abort), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
}


static ngx_int_t
check_misuse(ngx_cycle_t *cycle)
{
    int              local;
    accounts_t      *accounts = zone->data;
    ngx_shm_zone_t   other;

    T_EQ(ngx_ipc_zone_begin(NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(NULL, &local, 4), NGX_ERROR);
    T_OK(ngx_ipc_zone_alloc(NULL, 4) == NULL);
    T_OK(ngx_ipc_zone_calloc(NULL, 4) == NULL);
    T_EQ(ngx_ipc_zone_free(NULL, &local), NGX_ERROR);
    T_EQ(ngx_ipc_zone_commit(NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_abort(NULL), NGX_ERROR);

    /* A zone without memory, as in create_conf. */

    memset(&other, 0, sizeof(other));
    T_EQ(ngx_ipc_zone_begin(&other), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(&other, &local, 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_commit(&other), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);

    /* Without a transaction: one line each. */

    T_EQ(ngx_ipc_zone_save(zone, accounts, 8), NGX_ERROR);
    T_OK(ngx_ipc_zone_alloc(zone, 8) == NULL);
    T_OK(ngx_ipc_zone_calloc(zone, 8) == NULL);
    T_EQ(ngx_ipc_zone_free(zone, accounts), NGX_ERROR);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_ERROR);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 6);
    T_OK(logged("shared memory zone \"accounts\": this process has not begun a"
                " transaction\n"));

    /* The lock is not released by a process that has it for something else. */

    ngx_shmtx_lock(&pool_of(zone)->mutex);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_ERROR);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_ERROR);
    T_OK(pool_of(zone)->lock.lock != 0);
    ngx_shmtx_unlock(&pool_of(zone)->mutex);

    /* A transaction in a transaction. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_ERROR);
    T_OK(logged("holds the lock already"));
    T_EQ(ngx_ipc_zone_save(zone, accounts, 8), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    verify();

    /* A pool without a header. */

    pool_of(zone)->data = NULL;
    T_EQ(ngx_ipc_zone_begin(zone), NGX_ERROR);
    T_OK(logged("it is no typed zone, or its header is damaged\n"));
    T_EQ(pool_of(zone)->lock.lock, 0);

    _exit(0);
}


static void
test_misuse(void)
{
    start();
    T_EQ(run(check_misuse), 0);
}


/* A function has failed, and the program goes on: nothing of it takes effect. */

static ngx_int_t
check_failed(ngx_cycle_t *cycle)
{
    int          local;
    u_char      *end;
    accounts_t  *accounts = zone->data;

    /* The log has room for a save of 64 bytes less 16. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, accounts, 49), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, accounts, 48), NGX_OK);
    T_OK(logged("shared memory zone \"accounts\": the undo log is full\n"));
    accounts->account[0] = 1;
    T_EQ(ngx_ipc_zone_commit(zone), NGX_ERROR);
    T_OK(logged("shared memory zone \"accounts\": a function of the transaction"
                " has failed, it is undone\n"));
    verify();

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, accounts, 48), NGX_OK);
    accounts->account[0] = 1;
    T_OK(ngx_ipc_zone_alloc(zone, 8) == NULL);
    T_EQ(ngx_ipc_zone_free(zone, accounts), NGX_ERROR);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
    verify();

    end = pool_of(zone)->end;

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, &local, 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, pool_of(zone), 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, header_of(zone), 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, header_of(zone)->log, 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, end - 4, 5), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, accounts, (size_t) -1), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, NULL, 1), NGX_ERROR);
    T_EQ(ngx_ipc_zone_save(zone, NULL, 0), NGX_OK);
    T_EQ(ngx_ipc_zone_free(zone, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_free(zone, &local), NGX_ERROR);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_ERROR);
    T_OK(logged("the bytes are not in the pool\n"));
    verify();

    /* A request for which there is no memory ends nothing. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(ngx_ipc_zone_alloc(zone, 100 * 4096) == NULL);
    T_OK(logged("ngx_slab_alloc() failed: no memory, 409600 bytes requested"));
    T_EQ(ngx_ipc_zone_save(zone, accounts, 8), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    verify();

    /* A pointer that is no piece is refused when the transaction is final. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_free(zone, &accounts->account[1]), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    T_OK(logged("ngx_slab_free(): pointer to wrong chunk"));
    verify();

    _exit(0);
}


static void
test_failed(void)
{
    start();
    type.log_size = 64;
    T_EQ(run(check_failed), 0);
}


/* What a process does before it is killed. */

static void
die_in_transaction(void)
{
    accounts_t  *accounts = zone->data;

    (void) ngx_ipc_zone_begin(zone);
    (void) ngx_ipc_zone_save(zone, accounts, sizeof(accounts_t));
    memset(accounts, 7, sizeof(accounts_t));
    accounts->last = ngx_ipc_zone_alloc(zone, sizeof(transfer_t));
    (void) ngx_ipc_zone_alloc(zone, 3 * 4096);
    kill(ngx_getpid(), SIGKILL);
}


static void
die_with_lock(void)
{
    ngx_shmtx_lock(&pool_of(zone)->mutex);
    kill(ngx_getpid(), SIGKILL);
}


static void
die_when_told(void)
{
    dies = 1;
    (void) ngx_ipc_zone_begin(zone);
    _exit(3);
}


/* Runs a function in a child that it kills.  Returns the pid of the child. */

static ngx_pid_t
killed(void (*function)(void))
{
    int        status;
    sigset_t   set;
    ngx_pid_t  pid;

    /* The handler of SIGCHLD must not take the status of the child. */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        function();
    }

    T_EQ(waitpid(pid, &status, 0), pid);
    T_EQ(WTERMSIG(status), SIGKILL);

    return pid;
}


static ngx_int_t
check_killed(ngx_cycle_t *cycle)
{
    ngx_pid_t    pid;
    accounts_t   before, *accounts = zone->data;

    T_EQ(transfer(0, 1, 5), NGX_OK);
    before = *accounts;

    pid = killed(die_in_transaction);

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(memcmp(&before, accounts, sizeof(accounts_t)) == 0);
    T_EQ(told, 1);
    T_EQ(told_pid, pid);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    verify();
    T_OK(logged("shared memory zone \"accounts\": undid the transaction in which"
                " process "));

    /* It is told once. */

    T_EQ(transfer(0, 1, 5), NGX_OK);
    T_EQ(told, 1);

    /* Another function takes the lock over before the next transaction. */

    pid = killed(die_in_transaction);
    T_OK(ngx_slab_alloc(pool_of(zone), 2000) != NULL);
    T_EQ(transfer(0, 1, 5), NGX_OK);
    T_EQ(told, 2);
    T_EQ(told_pid, pid);
    verify();

    /* Without a transaction. */

    pid = killed(die_with_lock);
    T_EQ(transfer(0, 1, 5), NGX_OK);
    T_EQ(told, 3);
    T_EQ(told_pid, pid);

    pid = killed(die_with_lock);
    T_OK(ngx_slab_alloc(pool_of(zone), 2000) != NULL);
    T_EQ(transfer(0, 1, 5), NGX_OK);
    T_EQ(told, 4);
    T_EQ(told_pid, pid);
    verify();

    /* A process dies in on_owner_died: what it has changed there is undone. */

    before = *accounts;
    pid = killed(die_in_transaction);
    (void) killed(die_when_told);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(memcmp(&before, accounts, sizeof(accounts_t)) == 0);
    T_EQ(told, 5);
    T_EQ(told_pid, pid);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
    verify();

    _exit(0);
}


static void
test_killed(void)
{
    start();
    T_EQ(run(check_killed), 0);
}


static void
killed_proc(ngx_cycle_t *cycle, void *function)
{
    (*(void (**)(void)) function)();
    _exit(3);
}


/* The master releases the lock when it reaps the process. */

static ngx_int_t
check_reaped(ngx_cycle_t *cycle)
{
    size_t       i;
    ngx_pid_t    pid;
    accounts_t   before, *accounts = zone->data;

    static void (*const functions[])(void) = { die_in_transaction, die_with_lock };

    before = *accounts;

    for (i = 0; i < t_nitems(functions); i++) {
        ngx_reap = 0;
        pid = ngx_spawn_process(cycle, killed_proc, (void *) &functions[i],
                                "killed", NGX_PROCESS_NORESPAWN);
        T_REQUIRE(pid != NGX_INVALID_PID);

        while (!ngx_reap) {
            ngx_process_events_and_timers(cycle);
        }

        T_EQ(pool_of(zone)->lock.lock, 0);
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        T_OK(memcmp(&before, accounts, sizeof(accounts_t)) == 0);
        T_EQ(told, i + 1);
        T_EQ(told_pid, pid);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
        verify();
    }

    _exit(0);
}


static void
test_reaped(void)
{
    start();
    T_EQ(run(check_reaped), 0);
}


/* Another process writes to the log or to the header. */

static ngx_int_t
check_hostile(ngx_cycle_t *cycle)
{
    size_t            i, j;
    ngx_uint_t        alerts;
    t_zone_header_t  *header = header_of(zone);

    static const uintptr_t  values[] = {
        0, 1, 2, 8, 15, 16, 17, 24, 4096, (uintptr_t) -1, (uintptr_t) -8,
        (uintptr_t) 1 << 40
    };
    static u_char           before[SIZE];

    (void) killed(die_in_transaction);
    memcpy(before, zone->shm.addr, SIZE);
    alerts = 0;

    /* The words of the header but its name, and the log. */

    for (i = 0; i < 96; i++) {
        if (i > 9 && i < 18) {
            continue;
        }

        for (j = 0; j < t_nitems(values); j++) {
            ((uintptr_t *) header)[i] = values[j];

            if (ngx_ipc_zone_begin(zone) == NGX_OK) {
                (void) ngx_ipc_zone_save(zone, zone->data, 16);
                (void) ngx_ipc_zone_alloc(zone, 16);
                (void) ngx_ipc_zone_abort(zone);

            } else {
                alerts++;
            }

            T_EQ(pool_of(zone)->lock.lock, 0);
            memcpy(zone->shm.addr, before, SIZE);
        }
    }

    T_OK(alerts > 20);
    T_OK(logged("the undo log is damaged\n"));

    /* The words of the header, while this process is in a transaction. */

    for (i = 0; i < 10; i++) {
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        ((uintptr_t *) header)[i] += 8;
        (void) ngx_ipc_zone_commit(zone);
        T_EQ(pool_of(zone)->lock.lock, 0);
        memcpy(zone->shm.addr, before, SIZE);
    }

    /* The bytes of before are a good zone. */

    T_EQ(transfer(0, 1, 5), NGX_OK);
    verify();

    _exit(0);
}


static void
test_hostile(void)
{
    start();
    T_EQ(run(check_hostile), 0);
}


/* Three processes transfer money, and one after the other is killed at any moment. */

static void
transfer_for_ever(ngx_uint_t seed)
{
    ngx_pid = ngx_getpid();
    srandom(seed);

    for ( ;; ) {
        if (transfer(random() % ACCOUNTS, random() % ACCOUNTS, random() % 100)
            != NGX_OK)
        {
            _exit(3);
        }
    }
}


static ngx_int_t
check_killed_often(ngx_cycle_t *cycle)
{
    int              i, n, status;
    pid_t            pids[3];
    sigset_t         set;
    accounts_t      *accounts = zone->data;
    struct timespec  pause = { 0, 0 };

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    memset(pids, 0, sizeof(pids));

    for (i = 0; i < 300; i++) {
        n = i % 3;

        if (pids[n]) {
            T_EQ(kill(pids[n], SIGKILL), 0);
            T_EQ(waitpid(pids[n], &status, 0), pids[n]);
            T_OK(WIFSIGNALED(status));
        }

        pids[n] = fork();
        T_REQUIRE(pids[n] != -1);

        if (pids[n] == 0) {
            transfer_for_ever(i);
        }

        pause.tv_nsec = 100000 + i * 9973 % 2000000;
        nanosleep(&pause, NULL);

        if (i % 10 == 0) {
            T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
            T_EQ(sum(accounts), MONEY);
            T_EQ(length(accounts), accounts->length);
            T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
            T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
        }
    }

    for (n = 0; n < 3; n++) {
        T_EQ(kill(pids[n], SIGKILL), 0);
        T_EQ(waitpid(pids[n], &status, 0), pids[n]);
    }

    T_EQ(transfer(0, 1, 1), NGX_OK);
    T_OK(accounts->transfers > 300);
    verify();

    _exit(0);
}


static void
test_killed_often(void)
{
    if (t_under_valgrind()) {
        t_skip("too slow under valgrind");
    }

    start();
    type.on_owner_died = NULL;
    T_EQ(run(check_killed_often), 0);
}


int
main(void)
{
    t_begin();

    t_run("transactions are committed", test_commit);
    t_run("a transaction is undone", test_abort);
    t_run("misuse is reported", test_misuse);
    t_run("a transaction with a failure is undone", test_failed);
    t_run("a process is killed with the lock", test_killed);
    t_run("the master reaps a process that was killed with the lock", test_reaped);
    t_run("another process overwrites header and log", test_hostile);
    t_run("processes are killed again and again", test_killed_often);

    return t_end();
}
