
/* Shared memory, for the tests of ngx_shmem.c. */


#include "t_shmem.h"


void
t_shm_init(ngx_shm_t *shm, size_t size)
{
    memset(shm, 0, sizeof(ngx_shm_t));

    shm->size = size;
    shm->log = t_log();
    ngx_str_set(&shm->name, "zone");
}


int
t_is_mapped(void *addr)
{
    unsigned char  vec;

    return mincore(addr, 1, &vec) == 0;
}
