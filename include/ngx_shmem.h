/*
 * ngx_shmem.h: shared memory.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/shmem.rs
 *   src/host/shmem.rs
 */

#include <ngx_config.h>
#include <ngx_core.h>

#ifndef _NGX_SHMEM_H_INCLUDED_
#define _NGX_SHMEM_H_INCLUDED_


#ifdef __cplusplus
extern "C" {
#endif


/*
 * A piece of shared memory. Children that are forked later share it with their
 * parent.
 */
typedef struct {
    /* The address of the memory; NULL if no memory is allocated. */
    u_char *addr;
    /* The size of the memory in bytes. */
    size_t size;
    /* A name for the memory. The library does not use it. */
    ngx_str_t name;
    /* The log to which failures are written. */
    ngx_log_t *log;
    /*
     * In the function init of an ngx_shm_zone_t: 1 if the memory has the content that
     * it had before the reload, 0 if it is new. ngx_shm_alloc() and ngx_shm_free() do
     * not use it.
     */
    ngx_uint_t exists;
} ngx_shm_t;

/*
 * Allocates shm->size bytes of shared memory, filled with zeros, and sets
 * shm->addr.
 *
 * Children that are forked afterwards share the memory with this process.
 * Returns NGX_OK, or NGX_ERROR with an alert in the log; then shm->addr is
 * NULL.
 *
 * If ngx_ipc_huge_pages is set, memory of 2 MiB or more uses huge pages, if
 * the system allows huge pages for shared memory. If the system does not, a
 * warning is logged.
 *
 * Safety: shm is NULL or valid. The log in shm is NULL or valid.
 *
 * References: mmap(2), zero(4), shmget(2), madvise(2); nginx's
 * src/os/unix/ngx_shmem.c.
 */
ngx_int_t ngx_shm_alloc(ngx_shm_t *shm);

/*
 * Allocates all pages of the shm->size bytes at shm->addr, so that no process gets
 * SIGBUS, or is killed for lack of memory, when it first uses a page later.
 *
 * Other processes can use the memory meanwhile: the function changes no byte. It is for memory
 * of ngx_shm_alloc() and for the memory of a zone, for example in the function init of the
 * zone. The pages are allocated once for all processes.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if a file system, or the huge
 * pages, have no room, or if the memory is not mapped for writing. Then some of the pages are
 * allocated. Returns NGX_ERROR also if shm or shm->addr is NULL. Without other memory, the
 * kernel can kill a process, as at a later access.
 *
 * Safety: shm is NULL or valid. The log in shm is NULL or valid. If shm->addr is not NULL,
 * shm->size bytes are mapped there.
 *
 * References: MADV_POPULATE_WRITE of madvise(2); on a kernel before Linux 5.14 FUTEX_WAKE_OP of
 * futex(2).
 */
ngx_int_t ngx_shm_prefault(ngx_shm_t *shm);

/*
 * Unmaps the shared memory in this process, and sets shm->addr to NULL.
 *
 * Does nothing if shm->addr is NULL. If the memory cannot be unmapped, an
 * alert is logged.
 *
 * Safety: shm is NULL or valid. The program has not changed addr and size since
 * ngx_shm_alloc(), and does not use the memory afterwards.
 *
 * References: munmap(2), shmdt(2); nginx's src/os/unix/ngx_shmem.c.
 */
void ngx_shm_free(ngx_shm_t *shm);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SHMEM_H_INCLUDED_ */
