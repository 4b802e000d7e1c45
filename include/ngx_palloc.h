/*
 * ngx_palloc.h: memory pools.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/palloc.rs
 *   src/host/standalone/palloc.rs
 *   src/host/standalone/types.rs
 */

#ifndef _NGX_PALLOC_H_INCLUDED_
#define _NGX_PALLOC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* The size of the blocks, in bytes, of a pool for most uses. */
#define NGX_DEFAULT_POOL_SIZE 16384

/*
 * The handler of a cleanup. ngx_destroy_pool() calls the handler with the data
 * of the cleanup.
 */
typedef void (*ngx_pool_cleanup_pt)(void *data);

/* A cleanup of a pool: a function that is called when the pool is destroyed. */
struct ngx_pool_cleanup_s {
    /* The function, which the program sets; NULL: no function is called. */
    ngx_pool_cleanup_pt handler;
    /* The argument of the function. */
    void *data;
    /* The cleanup that was added before this one. */
    ngx_pool_cleanup_t *next;
};

/*
 * Makes a memory pool.
 *
 * The pool allocates blocks of size bytes with malloc(3). A piece that is
 * larger than half of a block gets a block of its own. Whenever there is no
 * memory, an emergency is written to log. Returns the pool, or NULL if there
 * is no memory for the pool.
 *
 * Safety: log is NULL or a log that is valid as long as the pool.
 *
 * References: nginx's src/core/ngx_palloc.c.
 */
ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);

/*
 * Destroys a pool: calls the cleanup handlers, in the reverse order of their
 * addition, and frees all memory of the pool. Does nothing if pool is NULL.
 *
 * Safety: pool is NULL or a pool. The program uses neither the pool nor its
 * memory afterwards.
 */
void ngx_destroy_pool(ngx_pool_t *pool);

/*
 * Allocates size bytes from a pool, aligned as memory from malloc(3).
 *
 * Returns the address of the bytes. Returns NULL if pool is NULL, or, with
 * an emergency in the log, if there is no memory.
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_palloc(ngx_pool_t *pool, size_t size);

/*
 * Allocates size bytes from a pool without alignment, for strings.
 *
 * Returns the address of the bytes. Returns NULL if pool is NULL, or, with
 * an emergency in the log, if there is no memory.
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_pnalloc(ngx_pool_t *pool, size_t size);

/*
 * Allocates size bytes from a pool, aligned as memory from malloc(3) and
 * filled with zeros.
 *
 * Returns the address of the bytes. Returns NULL if pool is NULL, or, with
 * an emergency in the log, if there is no memory.
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_pcalloc(ngx_pool_t *pool, size_t size);

/*
 * Adds a cleanup to a pool. A cleanup is a function that ngx_destroy_pool()
 * calls.
 *
 * Returns the cleanup, whose handler the caller sets. data of the cleanup
 * points to size bytes of the pool, or is NULL if size is 0. Returns NULL
 * if p is NULL, or, with an emergency in the log, if there is no memory.
 *
 * Safety: p is NULL or a pool.
 */
ngx_pool_cleanup_t *ngx_pool_cleanup_add(ngx_pool_t *p, size_t size);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PALLOC_H_INCLUDED_ */
