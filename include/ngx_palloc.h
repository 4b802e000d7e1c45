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


/* A pool of a size that is enough for most uses. */
#define NGX_DEFAULT_POOL_SIZE 16384

/* The handler of a cleanup: ngx_destroy_pool() calls it. */
typedef void (*ngx_pool_cleanup_pt)(void *data);

/* A cleanup: a function to call when a pool is destroyed. */
struct ngx_pool_cleanup_s {
    /* The function, which the program sets; NULL: none. */
    ngx_pool_cleanup_pt handler;
    /* The argument of the function. */
    void *data;
    /* The cleanup that was added before this one. */
    ngx_pool_cleanup_t *next;
};

/*
 * Makes a memory pool.
 *
 * The pool gets memory from malloc() in blocks of size bytes; a piece larger
 * than half of that gets a block of its own. log gets an emergency whenever
 * there is no memory. Returns the pool, or NULL if there is no memory for it.
 *
 * Safety: log is NULL or a log that is valid as long as the pool.
 *
 * References: nginx's src/core/ngx_palloc.c.
 */
ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);

/*
 * Destroys a pool: calls its cleanup handlers, the last one that was added
 * first, and frees all its memory. Does nothing if pool is NULL.
 *
 * Safety: pool is NULL or a pool, which is not used any more.
 */
void ngx_destroy_pool(ngx_pool_t *pool);

/*
 * Allocates size bytes from a pool, aligned as by malloc().
 *
 * Returns NULL, with an emergency in the log, if there is no memory; NULL if
 * pool is NULL.
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_palloc(ngx_pool_t *pool, size_t size);

/*
 * Allocates size bytes from a pool without alignment, for strings.
 *
 * Returns NULL in the same cases as ngx_palloc().
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_pnalloc(ngx_pool_t *pool, size_t size);

/*
 * Allocates size bytes from a pool, aligned and filled with zeros.
 *
 * Returns NULL in the same cases as ngx_palloc().
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_pcalloc(ngx_pool_t *pool, size_t size);

/*
 * Adds a cleanup to a pool: a function that is called when the pool is
 * destroyed.
 *
 * Returns the cleanup, whose handler the caller sets. Its data points to
 * size bytes of the pool; it is NULL if size is 0. Returns NULL in the same
 * cases as ngx_palloc().
 *
 * Safety: p is NULL or a pool.
 */
ngx_pool_cleanup_t *ngx_pool_cleanup_add(ngx_pool_t *p, size_t size);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PALLOC_H_INCLUDED_ */
