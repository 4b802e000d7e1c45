/*
 * ngx_list.h: lists of arrays, in the memory of a pool.
 * Part of ngx-ipc; the names are nginx's.
 *
 * A list grows without moving its elements.  A loop over a list goes through
 * its parts, from part on, and through the nelts elements of each part.
 */

#ifndef _NGX_LIST_H_INCLUDED_
#define _NGX_LIST_H_INCLUDED_


#include <ngx_config.h>


typedef struct ngx_list_part_s  ngx_list_part_t;

/* A part of a list: an array of nelts elements. */
struct ngx_list_part_s {
    void             *elts;
    ngx_uint_t        nelts;
    ngx_list_part_t  *next;
};

/* A list: each part has room for nalloc elements of size bytes. */
typedef struct {
    ngx_list_part_t    *last;
    ngx_list_part_t     part;
    size_t              size;
    ngx_uint_t          nalloc;
    struct ngx_pool_s  *pool;
} ngx_list_t;


/*
 * The types stand before ngx_core.h, because the structures in headers that it
 * includes have members of these types.
 */

#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Makes an empty list in the pool, whose parts have room for n elements of size
 * bytes.
 *
 * Returns the list, or NULL, with an emergency in the log, if there is no
 * memory.
 *
 * Safety: pool is a pool that lives as long as the list.
 */
ngx_list_t *ngx_list_create(ngx_pool_t *pool, ngx_uint_t n, size_t size);

/*
 * Adds an element to a list.
 *
 * Returns the address of the new element, whose bytes the caller sets.  Returns
 * NULL, with an emergency in the log, if there is no memory; the list is then
 * unchanged.
 *
 * Safety: list is a list whose pool lives.
 */
void *ngx_list_push(ngx_list_t *list);


/*
 * Makes list an empty list in the pool, whose parts have room for n elements of
 * size bytes.
 *
 * Returns NGX_OK, or NGX_ERROR, with an emergency in the log, if there is no
 * memory.
 *
 * Safety: pool is a pool that lives as long as the list.
 */
static ngx_inline ngx_int_t
ngx_list_init(ngx_list_t *list, ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    /* declared here, because ngx_palloc.h can include this header */
    void *ngx_palloc(ngx_pool_t *pool, size_t size);

    list->pool = pool;
    list->size = size;
    list->nalloc = n;
    list->last = &list->part;
    list->part.next = NULL;
    list->part.nelts = 0;
    list->part.elts = ngx_palloc(pool, n * size);

    return list->part.elts ? NGX_OK : NGX_ERROR;
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_LIST_H_INCLUDED_ */
