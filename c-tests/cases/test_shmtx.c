
/* Tests of locks in shared memory. */


#include "t_os.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>


#define PROCESSES  4
#define ROUNDS     20000

#define OTHER_PID  4194305              /* larger than any pid of Linux */


/* nginx's lock has a semaphore, so the lock itself must be in shared memory. */

typedef struct {
    ngx_shmtx_sh_t      words;
    ngx_shmtx_t         mtx;
    volatile int        step;
    volatile unsigned   plain;          /* only the lock protects it */
} shared_t;


static shared_t     *shared;
static ngx_shmtx_t  *mtx;


static void
start(void)
{
    t_os_init();
    ngx_pid = getpid();

    shared = t_shared(sizeof(shared_t));
    mtx = &shared->mtx;
    T_EQ(ngx_shmtx_create(mtx, &shared->words, (u_char *) "name"), NGX_OK);
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

    T_OK(mtx->lock == &shared->words.lock);
    T_OK(mtx->wait == &shared->words.wait);
    T_EQ(mtx->semaphore, 1);
    T_EQ(mtx->spin, 2048);
    T_EQ(shared->words.lock, 0);

    ngx_shmtx_destroy(mtx);
}


static void
test_create_without_sleep(void)
{
    start();

    memset(mtx, 0, sizeof(ngx_shmtx_t));
    mtx->spin = (ngx_uint_t) -1;
    T_EQ(ngx_shmtx_create(mtx, &shared->words, (u_char *) "name"), NGX_OK);

    T_OK(mtx->lock == &shared->words.lock);
    T_OK(mtx->wait == NULL);
    T_EQ(mtx->semaphore, 0);
    T_OK(mtx->spin == (ngx_uint_t) -1);

    T_EQ(ngx_shmtx_trylock(mtx), 1);
    T_EQ(ngx_shmtx_trylock(mtx), 0);
    ngx_shmtx_unlock(mtx);
    T_EQ(ngx_shmtx_trylock(mtx), 1);
}


static void
test_lock(void)
{
    start();

    ngx_shmtx_lock(mtx);
    T_EQ(owner(), getpid());
    T_EQ(ngx_shmtx_trylock(mtx), 0);

    ngx_shmtx_unlock(mtx);
    T_EQ(shared->words.lock, 0);

    T_EQ(ngx_shmtx_trylock(mtx), 1);
    T_EQ(owner(), getpid());
    ngx_shmtx_unlock(mtx);
    T_EQ(shared->words.lock, 0);
}


static void
test_force_unlock(void)
{
    start();

    ngx_shmtx_lock(mtx);
    T_EQ(ngx_shmtx_force_unlock(mtx, OTHER_PID), 0);
    T_EQ(owner(), getpid());
    T_EQ(ngx_shmtx_force_unlock(mtx, getpid()), 1);
    T_EQ(shared->words.lock, 0);
    T_EQ(ngx_shmtx_force_unlock(mtx, getpid()), 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, "shmtx forced unlock"), 3);
}


static void
lock_and_exit(void)
{
    ngx_shmtx_lock(mtx);
}


static void
test_force_unlock_of_dead(void)
{
    pid_t  pid;

    start();

    pid = t_fork_run(lock_and_exit);
    T_EQ(t_wait(pid), 0);
    T_EQ(owner(), pid);
    T_EQ(ngx_shmtx_force_unlock(mtx, pid), 1);
    T_EQ(shared->words.lock, 0);
}


static void
lock_and_count(void)
{
    int  i;

    for (i = 0; i < ROUNDS; i++) {
        ngx_shmtx_lock(mtx);
        shared->plain = shared->plain + 1;
        ngx_shmtx_unlock(mtx);
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
        pid[i] = t_fork_run(lock_and_count);
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
    ngx_shmtx_lock(mtx);
    shared->step = 2;
    ngx_shmtx_unlock(mtx);
}


/* A process sleeps as long as another one holds the lock. */

static void
test_waits(void)
{
    pid_t  pid;

    start();
    ngx_shmtx_lock(mtx);

    pid = t_fork_run(wait_for_lock);

    while (t_logged_by(pid, NGX_LOG_DEBUG, "shmtx wait") == 0) {
        ngx_sched_yield();
    }

    T_EQ(shared->step, 1);
    ngx_shmtx_unlock(mtx);
    T_EQ(t_wait(pid), 0);

    T_EQ(shared->step, 2);
    T_EQ(shared->words.lock, 0);
    T_EQ(t_logged_by(pid, NGX_LOG_DEBUG, "shmtx lock"), 1);
    T_OK(t_logged_by(pid, NGX_LOG_DEBUG, "shmtx awoke") > 0);
    T_EQ(t_logged_by(getpid(), NGX_LOG_DEBUG, "shmtx wake 1"), 1);
}


static void
lock_and_die(void)
{
    ngx_shmtx_lock(mtx);
    (void) raise(SIGKILL);
}


/* Without a master that calls ngx_shmtx_force_unlock(). */

static void
test_owner_dies(void)
{
    pid_t  pid, dead;

    if (t_under_valgrind()) {
        t_skip("valgrind does not know pidfd_open(2)");
    }

    start();

    dead = t_fork_run(lock_and_die);
    t_exited(dead);                     /* it is a zombie */

    pid = t_fork_run(wait_for_lock);
    T_OK(t_ends(pid));

    T_EQ(shared->step, 2);
    T_EQ(shared->words.lock, 0);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "shmtx lock: process %d has exited", dead), 1);
    T_EQ(t_wait(dead), SIGKILL);
}


static void
lock_and_pause(void)
{
    ngx_shmtx_lock(mtx);
    shared->step = 1;
    t_pause(NULL, NULL);
}


static void
wait_with_signals(void)
{
    struct itimerval  often = { { 0, 5000 }, { 0, 5000 } };

    t_wake_on(SIGALRM);
    setitimer(ITIMER_REAL, &often, NULL);
    ngx_shmtx_lock(mtx);
}


/*
 * Signals end each sleep of the process that waits.  When the owner dies, the sleeps
 * are already longer than the time between two signals.
 */

static void
test_owner_dies_with_signals(void)
{
    pid_t      pid, dead;
    long long  limit;

    if (t_under_valgrind()) {
        t_skip("valgrind does not know pidfd_open(2)");
    }

    start();

    dead = t_fork_run(lock_and_pause);

    while (shared->step == 0) {
        ngx_sched_yield();
    }

    pid = t_fork_run(wait_with_signals);

    limit = t_msec() + 1000;

    while (t_logged_by(pid, NGX_LOG_DEBUG, "shmtx awoke") < 20
           && t_msec() < limit)
    {
        ngx_sched_yield();
    }

    T_EQ(kill(dead, SIGKILL), 0);
    T_OK(t_ends(pid));
    T_EQ(t_wait(dead), SIGKILL);
}


static void
try_lock(void)
{
    shared->step = ngx_shmtx_trylock(mtx);
}


static void
test_owner_dies_trylock(void)
{
    pid_t  dead;

    start();

    dead = t_fork_run(lock_and_die);
    T_EQ(t_wait(dead), SIGKILL);

    T_OK(t_ends(t_fork_run(try_lock)));
    T_EQ(shared->step, 1);
}


/* The pid of the dead owner belongs to this process now. */

static void
test_pid_is_reused(void)
{
    start();

    ngx_shmtx_lock(mtx);
    shared->words.lock ^= (ngx_atomic_uint_t) 1 << 32;
    T_EQ(owner(), getpid());

    ngx_shmtx_unlock(mtx);
    T_OK(shared->words.lock != 0);

    T_OK(t_ends(t_fork_run(wait_for_lock)));
    T_EQ(shared->words.lock, 0);
}


static void
force_unlock_parent(void)
{
    shared->step = 1 + ngx_shmtx_force_unlock(mtx, getppid());
}


static void
test_force_unlock_of_running(void)
{
    start();

    ngx_shmtx_lock(mtx);
    T_EQ(t_wait(t_fork_run(force_unlock_parent)), 0);
    T_EQ(shared->step, 1);
    T_EQ(owner(), getpid());
}


static void
lock_twice(void)
{
    ngx_shmtx_lock(mtx);
    ngx_shmtx_lock(mtx);
    shared->step = 1;
    ngx_shmtx_unlock(mtx);
}


static void
test_lock_twice(void)
{
    pid_t  pid;

    start();

    pid = t_fork_run(lock_twice);
    T_OK(t_ends(pid));
    T_EQ(shared->step, 1);
    T_EQ(shared->words.lock, 0);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "shmtx lock: process %d holds the lock already",
                   pid), 1);
}


static void
unlock(void)
{
    ngx_shmtx_unlock(mtx);
}


static void
test_unlock_of_other(void)
{
    start();

    ngx_shmtx_unlock(mtx);
    T_EQ(t_logged(NGX_LOG_ALERT, "shmtx unlock: the lock is free"), 1);

    ngx_shmtx_lock(mtx);
    T_EQ(t_wait(t_fork_run(unlock)), 0);
    T_EQ(owner(), getpid());
    T_EQ(t_loggedf(NGX_LOG_ALERT, "shmtx unlock: process %d holds the lock",
                   getpid()), 1);
}


/* A program need not set ngx_pid in its children. */

static void
lock_with_stale_pid(void)
{
    ngx_pid = getppid();
    ngx_shmtx_lock(mtx);
}


static void
test_stale_pid(void)
{
    pid_t  pid;

    start();
    ngx_shmtx_lock(mtx);
    ngx_shmtx_unlock(mtx);

    pid = t_fork_run(lock_with_stale_pid);
    T_EQ(t_wait(pid), 0);
    T_EQ(owner(), pid);
}


/*
 * Two processes wait.  The first is killed when the release has woken it up and
 * before it runs.  With nginx's semaphore the second sleeps on, but not each time.
 */

static void
wait_traced(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    ngx_shmtx_lock(mtx);
}


/* Lets a traced child run until it enters or leaves a futex. */

static void
run_to_futex(pid_t pid)
{
#if defined(__x86_64__)

    int                      status;
    struct user_regs_struct  regs;

    do {
        T_REQUIRE(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
        T_REQUIRE(waitpid(pid, &status, __WALL) == pid);
        T_REQUIRE(WIFSTOPPED(status));
        T_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
    } while (regs.orig_rax != SYS_futex);

#else

    t_skip("the registers of the processor are not known");

#endif
}


static void
test_waiter_dies(void)
{
    int    status;
    pid_t  first, second;

    if (t_under_valgrind()) {
        t_skip("valgrind makes other system calls");
    }

    start();
    ngx_shmtx_lock(mtx);

    first = t_fork_run(wait_traced);
    T_REQUIRE(waitpid(first, &status, __WALL) == first);
    T_REQUIRE(WIFSTOPPED(status));
    run_to_futex(first);
    T_REQUIRE(ptrace(PTRACE_SYSCALL, first, NULL, NULL) == 0);

    second = t_fork_run(wait_for_lock);

    while (t_logged_by(second, NGX_LOG_DEBUG, "shmtx wait") == 0) {
        ngx_sched_yield();
    }

    usleep(20000);                      /* for nginx: until it sleeps */

    ngx_shmtx_unlock(mtx);
    T_REQUIRE(waitpid(first, &status, __WALL) == first);
    (void) kill(first, SIGKILL);
    (void) t_wait(first);

    T_OK(t_ends(second));
    T_EQ(shared->step, 2);
    T_EQ(shared->words.lock, 0);
}


/* A process that takes the lock all the time does not keep others from it. */

static void
lock_always(void)
{
    for ( ;; ) {
        ngx_shmtx_lock(mtx);
        shared->plain = shared->plain + 1;
        ngx_shmtx_unlock(mtx);
    }
}


static void
test_no_starvation(void)
{
    int        i;
    pid_t      greedy;
    long long  begin;

    start();
    t_log()->log_level = NGX_LOG_NOTICE;
    greedy = t_fork_run(lock_always);

    while (shared->plain == 0) {
        ngx_sched_yield();
    }

    begin = t_msec();

    for (i = 0; i < 20; i++) {
        T_OK(t_ends(t_fork_run(wait_for_lock)));
    }

    T_OK(t_msec() - begin < 10000);
    (void) kill(greedy, SIGKILL);
    T_EQ(t_wait(greedy), SIGKILL);
}


/* A process that waits uses no processor time. */

static void
test_waits_without_cpu(void)
{
    pid_t          pid;
    struct rusage  usage;

    if (t_under_valgrind()) {
        t_skip("valgrind needs processor time itself");
    }

    start();
    ngx_shmtx_lock(mtx);
    pid = t_fork_run(wait_for_lock);

    usleep(1000000);
    ngx_shmtx_unlock(mtx);
    T_OK(t_ends(pid));

    T_REQUIRE(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    T_OK(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0);
    T_OK(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec < 50000);
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

    t_run("a process that waits uses no processor time",
          test_waits_without_cpu);
    t_run("a process that always takes a lock does not starve others",
          test_no_starvation);
    t_run("D a process that dies releases its lock", test_owner_dies);
    t_run("D a process dies, and the one that waits gets signals",
          test_owner_dies_with_signals);
    t_run("D ngx_shmtx_trylock() takes the lock of a dead process",
          test_owner_dies_trylock);
    t_run("D a later process with the pid of a dead owner", test_pid_is_reused);
    t_run("D ngx_shmtx_force_unlock() of a running process",
          test_force_unlock_of_running);
    t_run("D a process locks twice", test_lock_twice);
    t_run("D a process unlocks the lock of another one",
          test_unlock_of_other);
    t_run("D a child with the ngx_pid of its parent", test_stale_pid);
    t_run("X D20 a process that waits dies when it is woken up",
          test_waiter_dies);

    return t_end();
}
