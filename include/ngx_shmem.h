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
    /* Where it is; NULL if there is none. */
    u_char *addr;
    /* Its size in bytes. */
    size_t size;
    /* What its owner calls it. */
    ngx_str_t name;
    /* Where failures are logged. */
    ngx_log_t *log;
    /* For its owner to use. */
    ngx_uint_t exists;
} ngx_shm_t;

/*
 * Makes shm->size bytes of zeroed memory and sets shm->addr.
 *
 * Children that are forked afterwards share it. Returns NGX_OK, or NGX_ERROR
 * with an alert in the log and shm->addr NULL.
 *
 * If ngx_ipc_huge_pages is set, 2 MiB and more are made of huge pages where
 * the system allows that for shared memory; a warning says that it does not.
 *
 * Safety: shm is NULL or valid, as is its log.
 *
 * References: mmap(2), zero(4), shmget(2), madvise(2); nginx's
 * src/os/unix/ngx_shmem.c.
 */
ngx_int_t ngx_shm_alloc(ngx_shm_t *shm);

/*
 * Takes the memory away from this process and sets shm->addr to NULL.
 *
 * Does nothing if that is NULL already. A failure is an alert in the log.
 *
 * Safety: shm is NULL or valid; addr and size are as ngx_shm_alloc() left
 * them, and nothing uses the memory any more.
 *
 * References: munmap(2), shmdt(2); nginx's src/os/unix/ngx_shmem.c.
 */
void ngx_shm_free(ngx_shm_t *shm);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SHMEM_H_INCLUDED_ */
