/*
 * ngx_atomic.h: atomic operations and spinlocks.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_ATOMIC_H_INCLUDED_
#define _NGX_ATOMIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define NGX_HAVE_ATOMIC_OPS  1

#define NGX_ATOMIC_T_LEN     NGX_INT_T_LEN


/*
 * Sets *lock to set if *lock is old.  Returns 1 if *lock was old, else 0.  The
 * operation is a full barrier, as all operations of this header that change
 * *lock or *value, apart from ngx_unlock().
 */
#define ngx_atomic_cmp_set(lock, old, set)                                    \
    __sync_bool_compare_and_swap(lock, old, set)

/* Adds add to *value.  Returns the value before the addition. */
#define ngx_atomic_fetch_add(value, add)  __sync_fetch_and_add(value, add)

/* Orders all loads and stores before it before those after it. */
#define ngx_memory_barrier()  __sync_synchronize()

/* Tells the processor that the program waits in a loop. */
#if defined(__i386__) || defined(__x86_64__)
#define ngx_cpu_pause()  __asm__ ("pause")
#else
#define ngx_cpu_pause()
#endif


/* Takes a lock whose value is 0.  Returns 1, or 0 if the lock is taken. */
#define ngx_trylock(lock)  (*(lock) == 0 && ngx_atomic_cmp_set(lock, 0, 1))

/*
 * Releases a lock.  Loads and stores before it are done when another process
 * takes the lock.
 */
#define ngx_unlock(lock)  __atomic_store_n(lock, 0, __ATOMIC_RELEASE)

/*
 * Takes a lock: sets *lock to value when *lock is 0.
 *
 * While the lock is taken, the function pauses between two attempts, each time
 * longer, until a pause has spin steps or more.  Then it yields the processor,
 * and begins again with a short pause.  A program with one processor, ngx_ncpu,
 * only yields.
 *
 * References: sched_yield(2); nginx's src/core/ngx_spinlock.c.
 */
void ngx_spinlock(ngx_atomic_t *lock, ngx_atomic_int_t value, ngx_uint_t spin);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_ATOMIC_H_INCLUDED_ */
