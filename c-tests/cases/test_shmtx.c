
/* Tests of locks in shared memory. */


#include "t_os.h"

#include <stdio.h>


#define PROCESSES  4
#define ROUNDS     20000

#define OTHER_PID  4194305              /* larger than any pid of Linux */


typedef struct {
    ngx_shmtx_sh_t      words;
    volatile int        step;
    volatile unsigned   plain;          /* only the lock protects it */
} shared_t;


static shared_t     *shared;
static ngx_shmtx_t   mtx;


static void
start(void)
{
    t_os_init();
    ngx_pid = getpid();

    shared = t_shared(sizeof(shared_t));
    memset(&mtx, 0, sizeof(ngx_shmtx_t));
    T_EQ(ngx_shmtx_create(&mtx, &shared->words, (u_char *) "name"), NGX_OK);
}


/* Starts a child that runs the function. */

static pid_t
start_child(void (*run)(void))
{
    pid_t  pid;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = getpid();
        run();
        _exit(0);
    }

    return pid;
}


/* The pid of the process that holds the lock. */

static ngx_pid_t
owner(void)
{
    return (ngx_pid_t) (shared->words.lock & 0xffffffff);
}


static void
test_create(void)
{
    start();

    T_OK(mtx.lock == &shared->words.lock);
    T_OK(mtx.wait == &shared->words.wait);
    T_EQ(mtx.semaphore, 1);
    T_EQ(mtx.spin, 2048);
    T_EQ(shared->words.lock, 0);

    ngx_shmtx_destroy(&mtx);
}


static void
test_create_without_sleep(void)
{
    start();

    memset(&mtx, 0, sizeof(ngx_shmtx_t));
    mtx.spin = (ngx_uint_t) -1;
    T_EQ(ngx_shmtx_create(&mtx, &shared->words, (u_char *) "name"), NGX_OK);

    T_OK(mtx.lock == &shared->words.lock);
    T_OK(mtx.wait == NULL);
    T_EQ(mtx.semaphore, 0);
    T_OK(mtx.spin == (ngx_uint_t) -1);

    T_EQ(ngx_shmtx_trylock(&mtx), 1);
    T_EQ(ngx_shmtx_trylock(&mtx), 0);
    t_log_clear();
    ngx_shmtx_unlock(&mtx);
    T_EQ(t_logged(T_ANY, "shmtx unlock"), 0);
    T_EQ(ngx_shmtx_trylock(&mtx), 1);
}


static void
test_lock(void)
{
    start();

    ngx_shmtx_lock(&mtx);
    T_EQ(owner(), getpid());
    T_EQ(t_logged(NGX_LOG_DEBUG, "shmtx lock"), 1);
    T_EQ(ngx_shmtx_trylock(&mtx), 0);

    ngx_shmtx_unlock(&mtx);
    T_EQ(shared->words.lock, 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, "shmtx unlock"), 1);

    T_EQ(ngx_shmtx_trylock(&mtx), 1);
    T_EQ(owner(), getpid());
    ngx_shmtx_unlock(&mtx);
    T_EQ(shared->words.lock, 0);
}


static void
test_force_unlock(void)
{
    start();

    ngx_shmtx_lock(&mtx);
    T_EQ(ngx_shmtx_force_unlock(&mtx, OTHER_PID), 0);
    T_EQ(owner(), getpid());
    T_EQ(ngx_shmtx_force_unlock(&mtx, getpid()), 1);
    T_EQ(shared->words.lock, 0);
    T_EQ(ngx_shmtx_force_unlock(&mtx, getpid()), 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, "shmtx forced unlock"), 3);
}


static void
lock_and_exit(void)
{
    ngx_shmtx_lock(&mtx);
}


static void
test_force_unlock_of_dead(void)
{
    pid_t  pid;

    start();

    pid = start_child(lock_and_exit);
    T_EQ(t_wait(pid), 0);
    T_EQ(owner(), pid);
    T_EQ(ngx_shmtx_force_unlock(&mtx, pid), 1);
    T_EQ(shared->words.lock, 0);
}


static void
lock_and_count(void)
{
    int  i;

    for (i = 0; i < ROUNDS; i++) {
        ngx_shmtx_lock(&mtx);
        shared->plain = shared->plain + 1;
        ngx_shmtx_unlock(&mtx);
    }
}


static void
count_together(ngx_int_t ncpu)
{
    int    i;
    pid_t  pid[PROCESSES];

    start();
    t_log()->log_level = NGX_LOG_NOTICE;
    ngx_ncpu = ncpu;

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = start_child(lock_and_count);
    }

    for (i = 0; i < PROCESSES; i++) {
        T_EQ(t_wait(pid[i]), 0);
    }

    T_EQ(shared->plain, PROCESSES * ROUNDS);
    T_EQ(shared->words.lock, 0);
    T_EQ(t_logged(T_ANY, "shmtx"), 0);
}


static void
test_processes(void)
{
    count_together(4);
}


static void
test_one_processor(void)
{
    count_together(1);
}


static void
wait_for_lock(void)
{
    shared->step = 1;
    ngx_shmtx_lock(&mtx);
    shared->step = 2;
    ngx_shmtx_unlock(&mtx);
}


/* A process sleeps as long as another one holds the lock. */

static void
test_waits(void)
{
    pid_t  pid;

    start();
    ngx_shmtx_lock(&mtx);

    pid = start_child(wait_for_lock);

    while (t_logged_by(pid, NGX_LOG_DEBUG, "shmtx wait") == 0) {
        ngx_sched_yield();
    }

    T_EQ(shared->step, 1);
    ngx_shmtx_unlock(&mtx);
    T_EQ(t_wait(pid), 0);

    T_EQ(shared->step, 2);
    T_EQ(shared->words.lock, 0);
    T_OK(t_logged(NGX_LOG_DEBUG, "shmtx awoke") > 0);
}


int
main(void)
{
    t_begin();

    t_run("ngx_shmtx_create()", test_create);
    t_run("ngx_shmtx_create() of a lock without sleep",
          test_create_without_sleep);
    t_run("ngx_shmtx_lock() and ngx_shmtx_unlock()", test_lock);
    t_run("ngx_shmtx_force_unlock()", test_force_unlock);
    t_run("ngx_shmtx_force_unlock() for a process that has exited",
          test_force_unlock_of_dead);
    t_run("processes take a lock in turn", test_processes);
    t_run("a lock with one processor", test_one_processor);
    t_run("a process waits for a lock", test_waits);

    return t_end();
}
