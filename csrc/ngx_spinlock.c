/* A lock that a process waits for without sleeping. */

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Pauses between attempts to take the lock: 1 step, then 2, 4 and so on, below
 * spin.  So processes that wait for a short time disturb each other little.
 * Returns 1 if the lock has been taken.
 */

static ngx_uint_t
ngx_spin(ngx_atomic_t *lock, ngx_atomic_int_t value, ngx_uint_t spin)
{
    ngx_uint_t  steps, left;

    for (steps = 1; steps < spin; steps *= 2) {

        for (left = steps; left != 0; left--) {
            ngx_cpu_pause();
        }

        if (*lock == 0 && ngx_atomic_cmp_set(lock, 0, value)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_spinlock(ngx_atomic_t *lock, ngx_atomic_int_t value, ngx_uint_t spin)
{
    while (*lock != 0 || !ngx_atomic_cmp_set(lock, 0, value)) {

        if (ngx_ncpu > 1 && ngx_spin(lock, value, spin)) {
            return;
        }

        (void) ngx_sched_yield();
    }
}
