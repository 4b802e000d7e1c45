/*
 * ngx_palloc.h: memory pools.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/palloc.rs
 *   src/host/standalone/palloc.rs
 *   src/host/standalone/types.rs
 *   include/generator/palloc.h
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
 * A pool. The fields with a name of nginx are where nginx has them.
 *
 * A pool is a list of blocks. Memory is taken from the first block of the list.
 * The pool itself is in the block that was allocated first.
 */
struct ngx_pool_s {
    /* The blocks of the pool; only the library uses them. */
    void *blocks;
    /* The size of a block in bytes. */
    size_t block_size;
    /* Not used. */
    size_t spare1[2];
    /* The largest piece that the pool takes from a block, in bytes. */
    size_t max;
    /* Not used. */
    size_t spare2[3];
    /* The cleanup that was added last. */
    ngx_pool_cleanup_t *cleanup;
    /* The log to which the pool writes. */
    ngx_log_t *log;
};

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
 * larger than the field max of the pool gets a block of its own. Whenever there is no
 * memory, an emergency is written to log. Returns the pool, or NULL if there
 * is no memory for the pool.
 *
 * Safety: log is NULL or a log that is valid as long as the pool.
 *
 * References: nginx's src/core/ngx_palloc.c.
 */
ngx_pool_t *ngx_create_pool(size_t size,
                            ngx_log_t *log);

/*
 * Destroys a pool: calls the cleanup handlers, in the reverse order of their
 * addition, and frees all memory of the pool. Does nothing if pool is NULL.
 *
 * Safety: pool is NULL or a pool. The program uses neither the pool nor its
 * memory afterwards.
 */
void ngx_destroy_pool(ngx_pool_t *pool);

/*
 * Frees all memory of a pool but its cleanups.
 *
 * The cleanups and their data stay in the pool, and ngx_destroy_pool() calls
 * their handlers later. Does nothing if pool is NULL.
 *
 * Safety: pool is NULL or a pool. The program, and the handlers of the cleanups, use
 * no other memory of the pool afterwards.
 */
void ngx_reset_pool(ngx_pool_t *pool);

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
 * Allocates size bytes for a pool, at an address that is a multiple of
 * alignment, which is a power of two and at least the size of a pointer.
 *
 * Returns the address of the bytes, which ngx_pfree() can free. Returns NULL
 * if pool is NULL, or, with an emergency in the log, if there is no memory or
 * the alignment is invalid.
 *
 * Safety: pool is NULL or a pool.
 */
void *ngx_pmemalign(ngx_pool_t *pool, size_t size, size_t alignment);

/*
 * Frees a piece of memory of a pool before the pool is destroyed. The piece is
 * larger than the field max of the pool, or ngx_pmemalign() has returned it.
 *
 * Returns NGX_OK, or NGX_DECLINED if p is not such a piece; then the memory
 * stays in the pool.
 *
 * Safety: pool is NULL or a pool. The program does not use the piece afterwards.
 */
ngx_int_t ngx_pfree(ngx_pool_t *pool, void *p);

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


/* The data of the cleanups of files. */
typedef struct {
    ngx_fd_t    fd;
    u_char     *name;
    ngx_log_t  *log;
} ngx_pool_cleanup_file_t;


#define NGX_POOL_ALIGNMENT       16
#define NGX_MIN_POOL_SIZE        112
#define NGX_MAX_ALLOC_FROM_POOL  (ngx_pagesize - 1)


/*
 * A handler of a cleanup that closes a file.
 *
 * Logs an alert to the log of the data if close() fails.
 *
 * Safety: data is a ngx_pool_cleanup_file_t.
 *
 * References: close(2); nginx's src/core/ngx_palloc.c.
 */
void ngx_pool_cleanup_file(void *data);

/*
 * A handler of a cleanup that removes a file and closes it.
 *
 * Logs a critical line if unlink() fails, unless there is no file with the
 * name, and an alert if close() fails.
 *
 * Safety: data is a ngx_pool_cleanup_file_t.
 */
void ngx_pool_delete_file(void *data);

/*
 * Closes the file fd now, if a cleanup of the pool with the handler
 * ngx_pool_cleanup_file() would close it later.  The cleanup then does nothing.
 *
 * Safety: p is a pool.
 */
void ngx_pool_run_cleanup_file(ngx_pool_t *p, ngx_fd_t fd);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_PALLOC_H_INCLUDED_ */
