/*
 * ngx_rwlock.h: locks of processes that read or write.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/rwlock.rs
 */

#ifndef _NGX_RWLOCK_H_INCLUDED_
#define _NGX_RWLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Takes a lock to write: waits until no other running process has it.
 *
 * If the process that writes, or the only one that reads, has exited, the function writes
 * an alert to the log of ngx_cycle, and releases the lock of that process. If this process
 * has the lock already, the function writes an alert, and returns at once. If this
 * process was the only one that reads, it writes now.
 *
 * Safety: lock is NULL, or shared memory that was 0 when the first process used it. One thread
 * of a process uses the lock.
 *
 * References: futex(2); nginx's src/core/ngx_rwlock.c.
 */
void ngx_rwlock_wlock(ngx_atomic_t *lock);

/*
 * Takes a lock to read: waits until no running process writes. At most 2047 processes read
 * at the same time.
 *
 * If another process waits to write, the function lets it go first for 15 milliseconds at
 * most. If the process that writes has exited, the function writes an alert to the log of
 * ngx_cycle, and releases the lock of that process. If this process has the lock to
 * write, the function writes an alert, and returns at once.
 *
 * Safety: lock is NULL or a lock, see ngx_rwlock_wlock().
 */
void ngx_rwlock_rlock(ngx_atomic_t *lock);

/*
 * Releases a lock that this process has taken to write or to read.
 *
 * If the lock is free, or if only one other process has it, the function writes an alert
 * to the log of ngx_cycle, and changes nothing.
 *
 * Safety: lock is NULL or a lock, see ngx_rwlock_wlock(). If several processes read, this
 * process is one of them.
 */
void ngx_rwlock_unlock(ngx_atomic_t *lock);

/*
 * Lets other processes read: this process has the lock to write, and has it to read
 * afterwards. Meanwhile no other process writes.
 *
 * If this process does not have the lock to write, the function writes an alert to the
 * log of ngx_cycle, and changes nothing.
 *
 * Safety: lock is NULL or a lock, see ngx_rwlock_wlock().
 */
void ngx_rwlock_downgrade(ngx_atomic_t *lock);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_RWLOCK_H_INCLUDED_ */
