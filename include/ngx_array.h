/*
 * ngx_array.h: arrays that grow, in the memory of a pool.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_ARRAY_H_INCLUDED_
#define _NGX_ARRAY_H_INCLUDED_


#include <ngx_config.h>


/* An array: elts has nelts elements of size bytes, and room for nalloc. */
typedef struct {
    void               *elts;
    ngx_uint_t          nelts;
    size_t              size;
    ngx_uint_t          nalloc;
    struct ngx_pool_s  *pool;
} ngx_array_t;


/*
 * The type stands before ngx_core.h, because the structures in headers that it
 * includes have members of this type.
 */

#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Makes an empty array in the pool p, with room for n elements of size bytes.
 *
 * Returns the array, or NULL, with an emergency in the log, if there is no
 * memory.
 *
 * Safety: p is a pool that lives as long as the array.
 */
ngx_array_t *ngx_array_create(ngx_pool_t *p, ngx_uint_t n, size_t size);

/*
 * Declares that an array is not used any more.  Its memory is freed together
 * with the pool.
 *
 * Safety: a is an array that the program does not use afterwards.
 */
void ngx_array_destroy(ngx_array_t *a);

/*
 * Adds an element to an array.  If the array is full, its elements move to a
 * new place with room for twice as many.
 *
 * Returns the address of the new element, whose bytes the caller sets.  Returns
 * NULL, with an emergency in the log, if there is no memory; the array is then
 * unchanged.
 *
 * Safety: a is an array whose pool lives.
 */
void *ngx_array_push(ngx_array_t *a);

/*
 * Adds n elements to an array, as ngx_array_push() adds one.
 *
 * Returns the address of the first new element, or NULL as ngx_array_push().
 *
 * Safety: a is an array whose pool lives.
 */
void *ngx_array_push_n(ngx_array_t *a, ngx_uint_t n);


/*
 * Makes array an empty array in the pool, with room for n elements of size
 * bytes.
 *
 * Returns NGX_OK, or NGX_ERROR, with an emergency in the log, if there is no
 * memory.
 *
 * Safety: pool is a pool that lives as long as the array.
 */
static ngx_inline ngx_int_t
ngx_array_init(ngx_array_t *array, ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    /* declared here, because ngx_palloc.h can include this header */
    void *ngx_palloc(ngx_pool_t *pool, size_t size);

    array->pool = pool;
    array->size = size;
    array->nalloc = n;
    array->nelts = 0;
    array->elts = ngx_palloc(pool, n * size);

    return array->elts ? NGX_OK : NGX_ERROR;
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_ARRAY_H_INCLUDED_ */
