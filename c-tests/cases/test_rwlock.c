
/* Tests of locks of processes that read or write. */


#include "t_os.h"

#include <stdio.h>


#define PROCESSES  4
#define ROUNDS     5000


typedef struct {
    ngx_atomic_t        lock;
    volatile int        step;
    volatile unsigned   plain[2];       /* both have the same value */
    ngx_atomic_t        wrong;
} shared_t;


static shared_t  *shared;


static void
start(void)
{
    t_os_init();
    ngx_pid = getpid();
    shared = t_shared(sizeof(shared_t));
}


static void
read_lock(void)
{
    ngx_rwlock_rlock(&shared->lock);
    shared->step++;
    ngx_rwlock_unlock(&shared->lock);
}


static void
write_lock(void)
{
    ngx_rwlock_wlock(&shared->lock);
    shared->step++;
    ngx_rwlock_unlock(&shared->lock);
}


static void
test_write(void)
{
    start();

    ngx_rwlock_wlock(&shared->lock);
    T_OK(shared->lock != 0);
    T_EQ(t_ends_in(t_fork_run(read_lock), 100), 0);
    T_EQ(t_ends_in(t_fork_run(write_lock), 100), 0);
    ngx_rwlock_unlock(&shared->lock);

    T_OK(t_ends(t_fork_run(read_lock)));
    T_OK(t_ends(t_fork_run(write_lock)));
    T_EQ(shared->step, 2);
    T_EQ(shared->lock, 0);
}


static void
test_read(void)
{
    start();

    ngx_rwlock_rlock(&shared->lock);
    T_OK(t_ends(t_fork_run(read_lock)));
    ngx_rwlock_rlock(&shared->lock);
    T_OK(t_ends(t_fork_run(read_lock)));
    T_EQ(t_ends_in(t_fork_run(write_lock), 100), 0);
    ngx_rwlock_unlock(&shared->lock);
    T_EQ(t_ends_in(t_fork_run(write_lock), 100), 0);
    T_EQ(shared->step, 2);
    ngx_rwlock_unlock(&shared->lock);

    T_OK(t_ends(t_fork_run(write_lock)));
    T_EQ(shared->lock, 0);
}


static void
test_downgrade(void)
{
    start();

    ngx_rwlock_wlock(&shared->lock);
    ngx_rwlock_downgrade(&shared->lock);
    T_OK(t_ends(t_fork_run(read_lock)));
    T_EQ(t_ends_in(t_fork_run(write_lock), 100), 0);
    ngx_rwlock_unlock(&shared->lock);

    T_OK(t_ends(t_fork_run(write_lock)));
    T_EQ(shared->lock, 0);
}


static void
use(void)
{
    int  i;

    for (i = 0; i < ROUNDS; i++) {

        if (i % 4 == 0) {
            ngx_rwlock_wlock(&shared->lock);
            shared->plain[0] = shared->plain[0] + 1;
            shared->plain[1] = shared->plain[1] + 1;

            if (i % 8 == 0) {
                ngx_rwlock_downgrade(&shared->lock);
            }

        } else {
            ngx_rwlock_rlock(&shared->lock);
        }

        if (shared->plain[0] != shared->plain[1]) {
            ngx_atomic_fetch_add(&shared->wrong, 1);
        }

        ngx_rwlock_unlock(&shared->lock);
    }
}


static void
use_together(ngx_int_t ncpu)
{
    int    i;
    pid_t  pid[PROCESSES];

    start();
    ngx_ncpu = ncpu;

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = t_fork_run(use);
    }

    for (i = 0; i < PROCESSES; i++) {
        T_EQ(t_wait(pid[i]), 0);
    }

    T_EQ(shared->plain[0], PROCESSES * ROUNDS / 4);
    T_EQ(shared->wrong, 0);
    T_EQ(shared->lock & 0x7ff, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "rwlock"), 0);
}


static void
test_processes(void)
{
    use_together(4);
}


static void
test_one_processor(void)
{
    use_together(1);
}


static void
write_and_die(void)
{
    ngx_rwlock_wlock(&shared->lock);
    (void) raise(SIGKILL);
}


static void
read_and_die(void)
{
    ngx_rwlock_rlock(&shared->lock);
    (void) raise(SIGKILL);
}


static void
test_writer_dies(void)
{
    pid_t  dead;

    if (t_under_valgrind()) {
        t_skip("valgrind does not know pidfd_open(2)");
    }

    start();
    dead = t_fork_run(write_and_die);
    t_exited(dead);                     /* it is a zombie */

    T_OK(t_ends(t_fork_run(read_lock)));
    T_EQ(t_loggedf(NGX_LOG_ALERT, "rwlock: process %d has exited", dead), 1);
    T_EQ(t_wait(dead), SIGKILL);

    T_EQ(t_wait(t_fork_run(write_and_die)), SIGKILL);
    T_OK(t_ends(t_fork_run(write_lock)));
    T_EQ(shared->step, 2);
}


static void
test_reader_dies(void)
{
    start();

    T_EQ(t_wait(t_fork_run(read_and_die)), SIGKILL);
    T_OK(t_ends(t_fork_run(write_lock)));
    T_EQ(shared->step, 1);
}


/* The process that waits gets the lock when the other ones have released it. */

static void
test_one_of_readers_dies(void)
{
    pid_t  pid;

    start();

    ngx_rwlock_rlock(&shared->lock);
    T_EQ(t_wait(t_fork_run(read_and_die)), SIGKILL);
    T_OK(t_ends(t_fork_run(read_lock)));

    pid = t_fork_run(write_lock);
    usleep(20000);
    T_EQ(shared->step, 1);
    ngx_rwlock_unlock(&shared->lock);

    T_OK(t_ends(pid));
    T_EQ(shared->step, 2);
}


static void
unlock(void)
{
    ngx_rwlock_unlock(&shared->lock);
}


static void
downgrade(void)
{
    ngx_rwlock_downgrade(&shared->lock);
}


static void
test_unlock_of_free(void)
{
    start();

    ngx_rwlock_unlock(&shared->lock);
    T_EQ(shared->lock, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "rwlock unlock: the lock is free"), 1);
    T_OK(t_ends(t_fork_run(read_lock)));
}


static void
test_unlock_of_other(void)
{
    ngx_atomic_uint_t  word;

    start();

    ngx_rwlock_rlock(&shared->lock);
    word = shared->lock;
    T_OK(t_ends(t_fork_run(unlock)));
    T_OK(shared->lock == word);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "rwlock unlock: process %d reads", getpid()), 1);
    ngx_rwlock_unlock(&shared->lock);

    ngx_rwlock_wlock(&shared->lock);
    word = shared->lock;
    T_OK(t_ends(t_fork_run(unlock)));
    T_OK(t_ends(t_fork_run(downgrade)));
    T_OK(shared->lock == word);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "lock: process %d writes", getpid()), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "rwlock downgrade: process"), 1);
}


static void
write_twice(void)
{
    ngx_rwlock_wlock(&shared->lock);
    ngx_rwlock_wlock(&shared->lock);
    ngx_rwlock_rlock(&shared->lock);
    ngx_rwlock_unlock(&shared->lock);

    ngx_rwlock_rlock(&shared->lock);
    ngx_rwlock_wlock(&shared->lock);
    shared->step = 1;
    ngx_rwlock_unlock(&shared->lock);
}


static void
test_lock_twice(void)
{
    start();

    T_OK(t_ends(t_fork_run(write_twice)));
    T_EQ(shared->step, 1);
    T_EQ(shared->lock, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "rwlock wlock: process"), 2);
    T_EQ(t_logged(NGX_LOG_ALERT, "rwlock rlock: process"), 1);
}


static void
read_always(void)
{
    for ( ;; ) {
        ngx_rwlock_rlock(&shared->lock);
        shared->step = 1;
        usleep(500);
        ngx_rwlock_unlock(&shared->lock);
    }
}


/* Processes that read do not keep others from writing. */

static void
test_no_starvation(void)
{
    int    i;
    pid_t  pid[PROCESSES];

    start();

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = t_fork_run(read_always);
    }

    while (shared->step == 0) {
        ngx_sched_yield();
    }

    for (i = 0; i < 5; i++) {
        T_OK(t_ends(t_fork_run(write_lock)));
    }

    for (i = 0; i < PROCESSES; i++) {
        (void) kill(pid[i], SIGKILL);
        T_EQ(t_wait(pid[i]), SIGKILL);
    }
}


/* A process that reads already can read again while another waits to write. */

static void
test_read_again(void)
{
    pid_t  pid;

    start();

    ngx_rwlock_rlock(&shared->lock);
    pid = t_fork_run(write_lock);
    usleep(20000);
    ngx_rwlock_rlock(&shared->lock);
    ngx_rwlock_unlock(&shared->lock);
    T_EQ(shared->step, 0);
    ngx_rwlock_unlock(&shared->lock);

    T_OK(t_ends(pid));
    T_EQ(shared->lock, 0);
}


/* A process that waits uses no processor time. */

static void
test_waits_without_cpu(void)
{
    pid_t          pid[2];
    struct rusage  usage;

    if (t_under_valgrind()) {
        t_skip("valgrind needs processor time itself");
    }

    start();
    ngx_rwlock_wlock(&shared->lock);
    pid[0] = t_fork_run(read_lock);
    pid[1] = t_fork_run(write_lock);

    usleep(1000000);
    ngx_rwlock_unlock(&shared->lock);
    T_OK(t_ends(pid[0]));
    T_OK(t_ends(pid[1]));

    T_REQUIRE(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    T_OK(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0);
    T_OK(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec < 100000);
}


int
main(void)
{
    t_begin();

    t_run("a process that writes excludes all others", test_write);
    t_run("several processes read at the same time", test_read);
    t_run("ngx_rwlock_downgrade()", test_downgrade);
    t_run("processes read and write", test_processes);
    t_run("a lock with one processor", test_one_processor);
    t_run("a process that reads can read again", test_read_again);
    t_run("D21 a process dies that writes", test_writer_dies);
    t_run("D21 the only process dies that reads", test_reader_dies);
    t_run("D21 one of several processes dies that read",
          test_one_of_readers_dies);
    t_run("D21 a process unlocks a free lock", test_unlock_of_free);
    t_run("D21 a process unlocks the lock of another one",
          test_unlock_of_other);
    t_run("D21 a process locks twice", test_lock_twice);
    t_run("D21 a process that waits uses no processor time",
          test_waits_without_cpu);
    t_run("D processes that read do not starve one that writes",
          test_no_starvation);

    return t_end();
}
