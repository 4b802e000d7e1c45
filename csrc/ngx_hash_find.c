/* Looks up a name in a hash table. */

#include <ngx_config.h>
#include <ngx_core.h>


/* The element behind an element of the same bucket. */

static ngx_hash_elt_t *
ngx_hash_next(ngx_hash_elt_t *elt)
{
    u_char  *end;

    end = elt->name + elt->len;

    return (ngx_hash_elt_t *) ngx_align_ptr(end, sizeof(void *));
}


void *
ngx_hash_find(ngx_hash_t *hash, ngx_uint_t key, u_char *name, size_t len)
{
    ngx_hash_elt_t  *elt;

    elt = hash->buckets[key % hash->size];

    if (elt == NULL) {
        return NULL;
    }

    for ( /* void */ ; elt->value; elt = ngx_hash_next(elt)) {

        if (elt->len == len && ngx_memcmp(elt->name, name, len) == 0) {
            return elt->value;
        }
    }

    return NULL;
}
