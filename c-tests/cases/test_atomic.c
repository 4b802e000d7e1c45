
/* Tests of atomic operations and spinlocks. */


#include "t_os.h"


#define PROCESSES  4
#define ROUNDS     20000


typedef struct {
    ngx_atomic_t        lock;
    ngx_atomic_t        sum;
    volatile unsigned   plain;          /* only the lock protects it */
} shared_t;


static shared_t  *shared;


static void
test_cmp_set(void)
{
    ngx_atomic_t  value = 5;

    T_EQ(ngx_atomic_cmp_set(&value, 4, 7), 0);
    T_EQ(value, 5);
    T_EQ(ngx_atomic_cmp_set(&value, 5, 7), 1);
    T_EQ(value, 7);
    T_EQ(ngx_atomic_cmp_set(&value, 7, (ngx_atomic_uint_t) -1), 1);
    T_OK(value == (ngx_atomic_uint_t) -1);
}


static void
test_fetch_add(void)
{
    ngx_atomic_t  value = 5;

    T_EQ(ngx_atomic_fetch_add(&value, 3), 5);
    T_EQ(ngx_atomic_fetch_add(&value, -9), 8);
    T_OK(value == (ngx_atomic_uint_t) -1);
    T_OK(ngx_atomic_fetch_add(&value, 1) == (ngx_atomic_uint_t) -1);
    T_EQ(value, 0);
}


static void
test_trylock(void)
{
    ngx_atomic_t  lock = 0;

    T_EQ(ngx_trylock(&lock), 1);
    T_EQ(ngx_trylock(&lock), 0);
    T_EQ(lock, 1);

    ngx_unlock(&lock);
    T_EQ(lock, 0);
    T_EQ(ngx_trylock(&lock), 1);

    ngx_memory_barrier();
    ngx_cpu_pause();
}


/*
 * The handler of SIGSEGV sees what the memory has when ngx_unlock() stores: the
 * page of the lock is read-only.
 */

static int            guarded;
static int            seen = -1;
static ngx_atomic_t  *lock_page;


static void
see_store(int signo)
{
    seen = guarded;
    (void) mprotect((void *) lock_page, 4096, PROT_READ|PROT_WRITE);
}


static void
test_release(void)
{
    lock_page = t_shared(4096);
    *lock_page = 1;
    T_REQUIRE(mprotect((void *) lock_page, 4096, PROT_READ) == 0);
    T_REQUIRE(signal(SIGSEGV, see_store) != SIG_ERR);

    guarded = 1;
    ngx_unlock(lock_page);
    guarded = 2;

    T_EQ(seen, 1);
    T_EQ(*lock_page, 0);
}


static void
test_spinlock_sets_value(void)
{
    ngx_atomic_t  lock = 0;

    t_os_init();

    ngx_spinlock(&lock, 4711, 0);
    T_EQ(lock, 4711);

    ngx_unlock(&lock);
    ngx_spinlock(&lock, 42, 2048);
    T_EQ(lock, 42);
}


static void
count(ngx_uint_t spin)
{
    int  i;

    for (i = 0; i < ROUNDS; i++) {
        ngx_spinlock(&shared->lock, getpid(), spin);
        shared->plain = shared->plain + 1;
        ngx_unlock(&shared->lock);

        ngx_atomic_fetch_add(&shared->sum, 2);
    }

    _exit(0);
}


static void
count_together(ngx_int_t ncpu, ngx_uint_t spin)
{
    int    i;
    pid_t  pid[PROCESSES];

    ngx_ncpu = ncpu;
    shared = t_shared(sizeof(shared_t));

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = fork();
        T_REQUIRE(pid[i] != -1);

        if (pid[i] == 0) {
            count(spin);
        }
    }

    for (i = 0; i < PROCESSES; i++) {
        T_EQ(t_wait(pid[i]), 0);
    }

    T_EQ(shared->plain, PROCESSES * ROUNDS);
    T_EQ(shared->sum, 2 * PROCESSES * ROUNDS);
    T_EQ(shared->lock, 0);
}


static void
test_processes(void)
{
    count_together(4, 1024);
}


static void
test_one_processor(void)
{
    count_together(1, 1024);
}


static void
test_no_spin(void)
{
    count_together(4, 0);
}


/* A process waits as long as the lock is taken. */

static void
test_waits(void)
{
    pid_t  pid;

    ngx_ncpu = 2;
    shared = t_shared(sizeof(shared_t));
    shared->lock = 1;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        shared->plain = 1;
        ngx_spinlock(&shared->lock, 3, 64);
        shared->plain = 2;
        _exit(0);
    }

    while (shared->plain == 0) {
        ngx_sched_yield();
    }

    usleep(20000);
    T_EQ(shared->plain, 1);

    ngx_unlock(&shared->lock);
    T_EQ(t_wait(pid), 0);
    T_EQ(shared->plain, 2);
    T_EQ(shared->lock, 3);
}


int
main(void)
{
    t_begin();

    t_run("ngx_atomic_cmp_set()", test_cmp_set);
    t_run("ngx_atomic_fetch_add()", test_fetch_add);
    t_run("ngx_trylock() and ngx_unlock()", test_trylock);
    t_run("X data is stored before ngx_unlock()", test_release);
    t_run("ngx_spinlock() sets the value of the caller",
          test_spinlock_sets_value);
    t_run("processes take a spinlock in turn", test_processes);
    t_run("a spinlock with one processor", test_one_processor);
    t_run("a spinlock without pauses", test_no_spin);
    t_run("a process waits for a spinlock", test_waits);

    return t_end();
}
