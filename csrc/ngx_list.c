/* Lists of arrays, in the memory of a pool. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_list_t *
ngx_list_create(ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    ngx_list_t  *list;

    list = (ngx_list_t *) ngx_palloc(pool, sizeof(ngx_list_t));

    if (list == NULL || ngx_list_init(list, pool, n, size) != NGX_OK) {
        return NULL;
    }

    return list;
}


static ngx_list_part_t *
ngx_list_add_part(ngx_list_t *list)
{
    ngx_list_part_t  *part;

    part = (ngx_list_part_t *) ngx_palloc(list->pool, sizeof(ngx_list_part_t));

    if (part == NULL) {
        return NULL;
    }

    part->elts = ngx_palloc(list->pool, list->nalloc * list->size);

    if (part->elts == NULL) {
        return NULL;
    }

    part->nelts = 0;
    part->next = NULL;

    list->last->next = part;
    list->last = part;

    return part;
}


void *
ngx_list_push(ngx_list_t *list)
{
    ngx_list_part_t  *part;

    part = list->last;

    if (part->nelts == list->nalloc) {
        part = ngx_list_add_part(list);
    }

    return part ? (u_char *) part->elts + list->size * part->nelts++ : NULL;
}
