/*
 * ngx_shmtx.h: locks in shared memory.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/shmtx.rs
 *   include/generator/shmtx.h
 */

#include <ngx_config.h>
#include <ngx_core.h>

#ifndef _NGX_SHMTX_H_INCLUDED_
#define _NGX_SHMTX_H_INCLUDED_


#ifdef __cplusplus
extern "C" {
#endif


/*
 * The part of a lock that is in shared memory.  lock is 0, or has the pid of the
 * process that holds the lock in its lower 32 bits.
 */
typedef struct {
    ngx_atomic_t   lock;
#if (NGX_HAVE_POSIX_SEM)
    ngx_atomic_t   wait;
#endif
} ngx_shmtx_sh_t;

/*
 * A lock.  The program sets spin to -1 before ngx_shmtx_create() if processes
 * only try to take the lock, and else to any other value.
 */
typedef struct {
    ngx_atomic_t  *lock;
#if (NGX_HAVE_POSIX_SEM)
    ngx_atomic_t  *wait;
    ngx_uint_t     semaphore;
    sem_t          sem;
#endif
    ngx_uint_t     spin;
} ngx_shmtx_t;


/*
 * Makes a lock of the words at addr. Each process can make the lock, or inherit it.
 *
 * The words must be 0 when the first process uses the lock. The function does not change
 * them, so a process can make a lock that another process holds.
 *
 * A process that waits first pauses some times, mtx->spin is 2048, and then sleeps. If
 * mtx->spin was -1, as for a lock that processes only try to take, the lock uses only
 * the first word at addr, and a process that waits looks at the lock each millisecond.
 *
 * Returns NGX_OK, or NGX_ERROR if mtx or addr is NULL. name is not used.
 *
 * Safety: mtx is NULL or valid. addr is NULL or shared memory that stays valid as long as the
 * lock is used.
 *
 * References: nginx's src/core/ngx_shmtx.c.
 */
ngx_int_t ngx_shmtx_create(ngx_shmtx_t *mtx,
                           ngx_shmtx_sh_t *addr,
                           u_char *name);

/*
 * Ends the use of a lock in this process. A lock has nothing to release, so the function
 * does nothing. It exists because programs for nginx call it.
 *
 * Safety: mtx is NULL or a lock.
 */
void ngx_shmtx_destroy(ngx_shmtx_t *mtx);

/*
 * Takes a lock if it is free, and does not wait.
 *
 * If the process that holds the lock has exited, the function takes the lock over, and
 * writes an alert to the log of ngx_cycle. A function that fails looks for this process
 * ten times in a second at most.
 *
 * Returns 1 if this process has the lock now, else 0.
 *
 * Safety: mtx is NULL or a lock.
 */
ngx_uint_t ngx_shmtx_trylock(ngx_shmtx_t *mtx);

/*
 * Takes a lock, and waits as long as another running process holds it.
 *
 * If the process that holds the lock has exited, a process that waits takes the lock over,
 * and writes an alert to the log of ngx_cycle. If this process holds the lock already,
 * the function writes an alert, and returns at once.
 *
 * Safety: mtx is NULL or a lock. One thread of a process uses the lock.
 *
 * References: futex(2); nginx's src/core/ngx_shmtx.c.
 */
void ngx_shmtx_lock(ngx_shmtx_t *mtx);

/*
 * Releases a lock, and wakes up a process that waits for it.
 *
 * If this process does not hold the lock, the function writes an alert to the log of
 * ngx_cycle, and changes nothing.
 *
 * Safety: mtx is NULL or a lock.
 */
void ngx_shmtx_unlock(ngx_shmtx_t *mtx);

/*
 * Releases a lock that the process pid holds, if this process has exited or is the
 * caller. nginx's master calls it for each worker that has exited.
 *
 * Returns 1 if the function has released the lock. Returns 0 if another process holds the
 * lock, also a later process with the same pid, or no process.
 *
 * Safety: mtx is NULL or a lock.
 */
ngx_uint_t ngx_shmtx_force_unlock(ngx_shmtx_t *mtx,
                                  ngx_pid_t pid);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SHMTX_H_INCLUDED_ */
