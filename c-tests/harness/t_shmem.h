
/* Shared memory, for the tests of ngx_shmem.c. */


#ifndef _T_SHMEM_H_INCLUDED_
#define _T_SHMEM_H_INCLUDED_


#include "test.h"


/*
 * T_ALLOC is the log text of a failed allocation.  The text depends on the
 * backend of shared memory with which the object under test was compiled.  A
 * new backend needs its own text here.
 */

#if defined(T_SHMEM_map_devzero)

#define T_ALLOC    "mmap(/dev/zero, MAP_SHARED, %lu) failed"

#elif defined(T_SHMEM_sysvshm)

#define T_ALLOC    "shmget(%lu) failed"
#define T_SYSV     1

#elif (NGX_HAVE_MAP_ANON)

#define T_ALLOC    "mmap(MAP_ANON|MAP_SHARED, %lu) failed"

#elif (NGX_HAVE_MAP_DEVZERO)

#define T_ALLOC    "mmap(/dev/zero, MAP_SHARED, %lu) failed"

#else

#define T_ALLOC    "shmget(%lu) failed"
#define T_SYSV     1

#endif


#define T_SIZE     65536


void t_shm_init(ngx_shm_t *shm, size_t size);
int t_is_mapped(void *addr);


#endif /* _T_SHMEM_H_INCLUDED_ */
