/*
 * ngx_shmem.h: shared memory.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/shmem.rs
 */

#ifndef _NGX_SHMEM_H_INCLUDED_
#define _NGX_SHMEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* A piece of memory that forked children share. */
typedef struct {
    /* The address; NULL if there is no memory. */
    u_char *addr;
    /* The size in bytes. */
    size_t size;
    /* A name, which only the program uses. */
    ngx_str_t name;
    /* The log for failures. */
    ngx_log_t *log;
    /* For the program to use. */
    ngx_uint_t exists;
} ngx_shm_t;

/*
 * Allocates shm->size bytes of zeroed memory, and sets shm->addr.
 *
 * Children that are forked afterwards share the memory. Returns NGX_OK, or
 * NGX_ERROR with an alert in the log and shm->addr NULL.
 *
 * If ngx_ipc_huge_pages is set, 2 MiB or more get huge pages if the system
 * allows them for shared memory; if it does not, a warning is logged.
 *
 * Safety: shm is NULL or valid, and so is its log.
 *
 * References: mmap(2), zero(4), shmget(2), madvise(2); nginx's
 * src/os/unix/ngx_shmem.c.
 */
ngx_int_t ngx_shm_alloc(ngx_shm_t *shm);

/*
 * Frees the memory in this process, and sets shm->addr to NULL.
 *
 * Does nothing if that is NULL already. A failure is an alert in the log.
 *
 * Safety: shm is NULL or valid. addr and size are as ngx_shm_alloc() has left
 * them, and nothing uses the memory any more.
 *
 * References: munmap(2), shmdt(2); nginx's src/os/unix/ngx_shmem.c.
 */
void ngx_shm_free(ngx_shm_t *shm);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SHMEM_H_INCLUDED_ */
