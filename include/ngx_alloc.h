/*
 * ngx_alloc.h: memory of malloc(3).
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_ALLOC_H_INCLUDED_
#define _NGX_ALLOC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Allocates size bytes, which are not initialised.
 *
 * Returns the address of the bytes, which ngx_free() frees.  Returns NULL, with
 * an emergency in the log, if there is no memory.
 *
 * Safety: log is a log.
 *
 * References: malloc(3); nginx's src/os/unix/ngx_alloc.c.
 */
void *ngx_alloc(size_t size, ngx_log_t *log);

/* Allocates size bytes and fills them with zeros.  Fails as ngx_alloc() does. */
void *ngx_calloc(size_t size, ngx_log_t *log);

/*
 * Allocates size bytes at an address that is a multiple of alignment, which
 * is a power of two and a multiple of sizeof(void *).
 *
 * Returns the address of the bytes, which ngx_free() frees.  Returns NULL, with
 * an emergency in the log, if there is no memory or the alignment is invalid.
 *
 * Safety: log is a log.
 *
 * References: posix_memalign(3).
 */
void *ngx_memalign(size_t alignment, size_t size, ngx_log_t *log);

#define ngx_free  free


/*
 * The size of a page of memory in bytes, and of a line in the processor's
 * cache.  ngx_pagesize is 1 << ngx_pagesize_shift.  The variables are 0 before
 * ngx_os_init(), which ngx_ipc_main() and ngx_ipc_init() call.
 */
extern ngx_uint_t  ngx_pagesize;
extern ngx_uint_t  ngx_pagesize_shift;
extern ngx_uint_t  ngx_cacheline_size;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_ALLOC_H_INCLUDED_ */
