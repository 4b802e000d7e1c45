/* Arrays that grow, in the memory of a pool. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_array_t *
ngx_array_create(ngx_pool_t *p, ngx_uint_t n, size_t size)
{
    ngx_array_t  *a;

    a = (ngx_array_t *) ngx_palloc(p, sizeof(ngx_array_t));

    if (a == NULL || ngx_array_init(a, p, n, size) != NGX_OK) {
        return NULL;
    }

    return a;
}


void
ngx_array_destroy(ngx_array_t *a)
{
    /* the pool takes no memory back before ngx_destroy_pool() */

    (void) a;
}


void *
ngx_array_push(ngx_array_t *a)
{
    return ngx_array_push_n(a, 1);
}


void *
ngx_array_push_n(ngx_array_t *a, ngx_uint_t n)
{
    u_char      *elts, *end;
    ngx_uint_t   nalloc;

    if (n > a->nalloc - a->nelts) {

        nalloc = 2 * ngx_max(n, a->nalloc);
        elts = (u_char *) ngx_palloc(a->pool, nalloc * a->size);

        if (elts == NULL) {
            return NULL;
        }

        ngx_memcpy(elts, a->elts, a->nelts * a->size);

        a->elts = elts;
        a->nalloc = nalloc;
    }

    end = (u_char *) a->elts + a->nelts * a->size;
    a->nelts += n;

    return end;
}
