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
