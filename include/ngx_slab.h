/*
 * ngx_slab.h: pools: allocates pieces of a zone.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/slab.rs
 *   src/host/slab_evict.rs
 *   src/zone/slab/usage.rs
 *   include/generator/slab.h
 */

#ifndef _NGX_SLAB_H_INCLUDED_
#define _NGX_SLAB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


typedef struct ngx_slab_page_s  ngx_slab_page_t;

/*
 * The descriptor of a page.  The lower two bits of prev are the kind of the page.
 */
struct ngx_slab_page_s {
    uintptr_t         slab;
    ngx_slab_page_t  *next;
    uintptr_t         prev;
};

/*
 * The counters of chunks of one size: how many the pool has, how many of them are
 * in use, how many requests there were, and how many of them have failed.  A request
 * for whole pages that fails counts as a failure of the largest chunks.
 */
typedef struct {
    ngx_uint_t        total;
    ngx_uint_t        used;

    ngx_uint_t        reqs;
    ngx_uint_t        fails;
} ngx_slab_stat_t;

/*
 * The beginning of a zone from which a program allocates pieces.
 *
 * The program sets end, the end of the zone, min_shift, the size of the smallest
 * chunks as a power of two, 3 in nginx, and addr, the address of the zone.  Then it
 * calls ngx_shmtx_create() for mutex with the words lock, and ngx_slab_init().
 * Afterwards it may set data, log_ctx and log_nomem.
 *
 * log_ctx is a text for log lines, in memory of the pool.  It begins with a space,
 * such as " in zone \"one\"".  If log_nomem is 0, a request that finds no memory is
 * not logged.  pfree is the number of free pages.
 */
typedef struct {
    ngx_shmtx_sh_t    lock;

    size_t            min_size;
    size_t            min_shift;

    ngx_slab_page_t  *pages;
    ngx_slab_page_t  *last;
    ngx_slab_page_t   free;

    ngx_slab_stat_t  *stats;
    ngx_uint_t        pfree;

    u_char           *start;
    u_char           *end;

    ngx_shmtx_t       mutex;

    u_char           *log_ctx;
    u_char            zero;

    unsigned          log_nomem:1;

    void             *data;
    void             *addr;
} ngx_slab_pool_t;


/*
 * A function of the program that frees pieces of pool with ngx_slab_free_locked(), because
 * there is no memory for a request of size bytes. data is that of the request. Returns
 * NGX_OK if it has freed a piece, and NGX_DECLINED, or anything else, if it has not.
 *
 * This process holds the lock of the pool meanwhile. The function does not release it.
 */
typedef ngx_int_t (*ngx_slab_evict_pt)(ngx_slab_pool_t *pool,
                                       size_t size,
                                       void *data);

/* How much of a pool is in use. */
typedef struct {
    /* The size of the zone, in bytes. */
    size_t size;
    /* The number of pages. */
    ngx_uint_t pages;
    /* The number of free pages. */
    ngx_uint_t free;
    /* The number of runs that the free pages form. */
    ngx_uint_t runs;
    /* The number of pages of the longest free run. */
    ngx_uint_t longest;
    /*
     * The share of the free pages that are not in the longest free run, in percent. They are
     * of no use for a request of as many pages as are free.
     */
    ngx_uint_t fragmentation;
    /* The size of all chunks, in bytes. A page of chunks has chunks of one size. */
    size_t chunks;
    /* The size of the chunks that are in use, in bytes. */
    size_t used;
} ngx_slab_usage_t;

/*
 * Finds out the size of a page, on which the sizes of chunks depend. ngx_slab_init()
 * does the same if the program has not called this function.
 */
void ngx_slab_sizes_init(void);

/*
 * Makes a pool of a zone. The program has set end, min_shift and addr, and has
 * called ngx_shmtx_create() for mutex. The function does not change these fields,
 * nor lock and data.
 *
 * If the zone is too small for one page, the function writes an alert to the log of
 * ngx_cycle, and all requests fail. Does nothing if pool is NULL.
 *
 * Safety: pool is NULL, or the beginning of a zone that ends at end.
 *
 * References: nginx's src/core/ngx_slab.c.
 */
void ngx_slab_init(ngx_slab_pool_t *pool);

/*
 * Allocates a piece of size bytes. A piece of half a page or less is rounded up to a
 * power of two, and a larger one to whole pages.
 *
 * Takes the lock of the pool meanwhile. If a process has died in an operation of this
 * pool, the function first undoes this operation, and logs a notice. Returns the
 * piece, which is not cleared, or NULL. If there is no memory, and log_nomem of the
 * pool is set, the function writes a critical line to the log of ngx_cycle, once in a
 * second at most for each pool.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
 * hold the lock.
 */
void *ngx_slab_alloc(ngx_slab_pool_t *pool,
                     size_t size);

/*
 * Allocates a piece of size bytes as ngx_slab_alloc() does, in a pool whose lock this
 * process holds.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init(), and this process holds its lock.
 */
void *ngx_slab_alloc_locked(ngx_slab_pool_t *pool,
                            size_t size);

/*
 * Allocates a piece of size bytes as ngx_slab_alloc() does, and fills it with zeros.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
 * hold the lock.
 */
void *ngx_slab_calloc(ngx_slab_pool_t *pool,
                      size_t size);

/*
 * Allocates a piece of size bytes as ngx_slab_calloc() does, in a pool whose lock this
 * process holds.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init(), and this process holds its lock.
 */
void *ngx_slab_calloc_locked(ngx_slab_pool_t *pool,
                             size_t size);

/*
 * Allocates a piece of size bytes as ngx_slab_alloc() does. Whenever there is no memory, the
 * function calls evict, and tries again if evict returns NGX_OK.
 *
 * Returns the piece, which is not cleared. Returns NULL, with the line of ngx_slab_alloc() in
 * the log, if evict returns something else or is NULL; NULL, with an alert, if evict
 * returns NGX_OK and has freed nothing. If the process is killed in evict, what it has freed
 * is free, and nothing is lost.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
 * hold the lock. evict is NULL or a function for these arguments.
 */
void *ngx_slab_alloc_evict(ngx_slab_pool_t *pool,
                           size_t size,
                           ngx_slab_evict_pt evict,
                           void *data);

/*
 * Allocates a piece of size bytes as ngx_slab_alloc_evict() does, in a pool whose lock this
 * process holds.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init(), and this process holds its lock. evict is
 * NULL or a function for these arguments.
 */
void *ngx_slab_alloc_evict_locked(ngx_slab_pool_t *pool,
                                  size_t size,
                                  ngx_slab_evict_pt evict,
                                  void *data);

/*
 * Frees the piece p.
 *
 * Takes the lock of the pool meanwhile. If a process has died in an operation of this
 * pool, the function first undoes this operation, and logs a notice. If no piece
 * begins at p, the function writes an alert to the log of ngx_cycle, and changes
 * nothing.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
 * hold the lock. No process uses the piece afterwards.
 */
void ngx_slab_free(ngx_slab_pool_t *pool,
                   void *p);

/*
 * Frees the piece p as ngx_slab_free() does, in a pool whose lock this process holds.
 *
 * Safety: pool is NULL or a pool of ngx_slab_init(), and this process holds its lock. No process
 * uses the piece afterwards.
 */
void ngx_slab_free_locked(ngx_slab_pool_t *pool,
                          void *p);

/*
 * Checks all links, bits and counters of a pool, and changes nothing. The bytes of the
 * pool may be damaged in any way.
 *
 * Calls report, if it is not NULL, with a text for each finding, which is valid until
 * report returns. An operation in which
 * a process has died is a finding, because it is not undone yet. Returns NGX_OK if there
 * is no finding, else NGX_ERROR, also if pool is NULL.
 *
 * The function does not use the lock of the pool, which can be damaged, too. If other
 * processes use the pool, the caller holds this lock.
 *
 * Safety: pool is NULL or the beginning of a zone that ends at end.
 */
ngx_int_t ngx_slab_verify(ngx_slab_pool_t *pool,
                          void (*report)(ngx_slab_pool_t *pool,
                                         const char *text));

/*
 * Tells how much of a pool is in use, and how its free memory is divided.
 *
 * Writes to usage. Returns NGX_OK; NGX_ERROR, and writes nothing, if an argument is NULL or if
 * a number or a link in the pool is impossible. The bytes of the pool may be damaged in any
 * way.
 *
 * The function does not use the lock of the pool, and changes nothing. If other processes
 * use the pool and the caller does not hold the lock, the numbers can be of different
 * moments. stats of the pool has the counters of each size of chunks.
 *
 * Safety: pool is NULL or the beginning of a zone that ends at end. usage is NULL or points to
 * a structure.
 */
ngx_int_t ngx_slab_usage(ngx_slab_pool_t *pool,
                         ngx_slab_usage_t *usage);

/*
 * Returns the size in bytes of a zone in which n pieces of size bytes fit, if
 * nothing else is allocated in it and min_shift is 3. The size is a multiple of the
 * page size, and with one page less the pieces do not fit. Returns 0 if no zone can be
 * so large.
 */
size_t ngx_slab_zone_size(ngx_uint_t n,
                          size_t size);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SLAB_H_INCLUDED_ */
