/*
 * Builds a hash table, which does not change afterwards.  The elements of a
 * bucket lie side by side.  A pointer that is NULL, in place of a value, ends
 * the bucket.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The bytes that a name takes in a bucket: the pointer to the value, and the
 * length with the name, filled up to the size of a pointer.
 */

static size_t
ngx_hash_bytes(ngx_hash_key_t *name)
{
    return offsetof(ngx_hash_elt_t, len)
           + ngx_align(name->key.len + sizeof(u_short), sizeof(void *));
}


/* The largest bucket, in bytes, for cache lines of 64 bytes. */

#define NGX_HASH_MAX_BUCKET  (65536 - 64)


/* The log of the pool, as in nginx, or of ngx_cycle if the pool has no log. */

static ngx_log_t *
ngx_hash_log(ngx_hash_init_t *hinit)
{
    if (hinit->pool->log != NULL || ngx_cycle == NULL) {
        return hinit->pool->log;
    }

    return ngx_cycle->log;
}


static void
ngx_hash_failed(ngx_hash_init_t *hinit, const char *fmt, ngx_uint_t value)
{
    ngx_log_t  *log;

    log = ngx_hash_log(hinit);

    if (log != NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, fmt, hinit->name, hinit->name,
                      value);
    }
}


/* The names do not fit into buckets of the size that the caller wants. */

static void
ngx_hash_not_optimal(ngx_hash_init_t *hinit)
{
    ngx_log_t  *log;

    log = ngx_hash_log(hinit);

    if (log != NULL) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "could not build optimal %s, you should increase "
                      "either %s_max_size: %i or %s_bucket_size: %i; "
                      "ignoring %s_bucket_size",
                      hinit->name, hinit->name, hinit->max_size,
                      hinit->name, hinit->bucket_size, hinit->name);
    }
}


static ngx_int_t
ngx_hash_check(ngx_hash_init_t *hinit, ngx_hash_key_t *names, ngx_uint_t nelts)
{
    ngx_uint_t  n;

    if (hinit->max_size == 0) {
        ngx_hash_failed(hinit, "could not build %s, you should "
                        "increase %s_max_size: %i", hinit->max_size);
        return NGX_ERROR;
    }

    if (hinit->bucket_size > NGX_HASH_MAX_BUCKET) {
        ngx_hash_failed(hinit, "could not build %s, too large "
                        "%s_bucket_size: %i", hinit->bucket_size);
        return NGX_ERROR;
    }

    for (n = 0; n < nelts; n++) {

        if (names[n].key.data != NULL
            && ngx_hash_bytes(&names[n]) + sizeof(void *)
               > hinit->bucket_size)
        {
            ngx_hash_failed(hinit, "could not build %s, you should "
                            "increase %s_bucket_size: %i", hinit->bucket_size);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Computes the bytes that the names take in each of "size" buckets.  Returns
 * the bytes of the largest bucket.
 */

static size_t
ngx_hash_measure(size_t *used, ngx_uint_t size, ngx_hash_key_t *names,
    ngx_uint_t nelts)
{
    size_t      largest, *bucket;
    ngx_uint_t  n;

    ngx_memzero(used, size * sizeof(size_t));

    for (largest = 0, n = 0; n < nelts; n++) {

        if (names[n].key.data != NULL) {
            bucket = &used[names[n].key_hash % size];
            *bucket += ngx_hash_bytes(&names[n]);
            largest = ngx_max(largest, *bucket);
        }
    }

    return largest;
}


/*
 * The number of buckets with which the search for a good number begins.  An
 * element takes at least two pointers, so fewer buckets cannot be enough.  nginx
 * tries only the last 1000 numbers if the table may have more than 10000
 * buckets, but fewer than 100 for each name: the search would take too long.
 */

static ngx_uint_t
ngx_hash_fewest(ngx_hash_init_t *hinit, size_t room, ngx_uint_t nelts)
{
    ngx_uint_t  most, fewest;

    most = hinit->max_size;

    if (most > 10000 && nelts != 0 && most / nelts < 100) {
        return most - 1000;
    }

    fewest = nelts / (room / sizeof(void *[2]));

    return ngx_max(fewest, 1);
}


/* Returns the number of buckets, so that each one is small enough if possible. */

static ngx_uint_t
ngx_hash_buckets(ngx_hash_init_t *hinit, size_t *used, ngx_hash_key_t *names,
    ngx_uint_t nelts)
{
    size_t      room;
    ngx_uint_t  size;

    room = hinit->bucket_size - sizeof(void *);
    size = ngx_hash_fewest(hinit, room, nelts);

    for ( /* void */ ; size < hinit->max_size; size++) {

        if (ngx_hash_measure(used, size, names, nelts) <= room) {
            return size;
        }
    }

    return hinit->max_size;
}


/*
 * Divides a block of memory into the buckets.  Afterwards "used" is 0 for each
 * bucket.
 */

static ngx_int_t
ngx_hash_place(ngx_hash_init_t *hinit, size_t *used, ngx_uint_t size,
    ngx_hash_elt_t **buckets)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;

    for (len = 0, i = 0; i < size; i++) {
        len += used[i] ? used[i] + sizeof(void *) : 0;
    }

    p = (u_char *) ngx_pcalloc(hinit->pool, len);

    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < size; i++) {

        if (used[i]) {
            buckets[i] = (ngx_hash_elt_t *) (void *) p;
            p += used[i] + sizeof(void *);
            used[i] = 0;
        }
    }

    return NGX_OK;
}


/* The pcalloc() of the buckets has set the NULL behind the last element. */

static void
ngx_hash_fill(size_t *used, ngx_uint_t size, ngx_hash_elt_t **buckets,
    ngx_hash_key_t *names, ngx_uint_t nelts)
{
    ngx_uint_t       n, i;
    ngx_hash_elt_t  *elt;

    for (n = 0; n < nelts; n++) {

        if (names[n].key.data == NULL) {
            continue;
        }

        i = names[n].key_hash % size;
        elt = (ngx_hash_elt_t *) (void *) ((u_char *) buckets[i] + used[i]);
        used[i] += ngx_hash_bytes(&names[n]);

        elt->value = names[n].value;
        elt->len = (u_short) names[n].key.len;
        ngx_strlow(elt->name, names[n].key.data, names[n].key.len);
    }
}


static ngx_int_t
ngx_hash_build(ngx_hash_init_t *hinit, size_t *used, ngx_hash_key_t *names,
    ngx_uint_t nelts)
{
    size_t            largest;
    ngx_uint_t        size;
    ngx_hash_elt_t  **buckets;

    size = ngx_hash_buckets(hinit, used, names, nelts);
    largest = ngx_hash_measure(used, size, names, nelts);

    if (largest > hinit->bucket_size - sizeof(void *)) {
        ngx_hash_not_optimal(hinit);
    }

    if (largest > NGX_HASH_MAX_BUCKET - sizeof(void *)) {
        ngx_hash_failed(hinit, "could not build %s, you should "
                        "increase %s_max_size: %i", hinit->max_size);
        return NGX_ERROR;
    }

    buckets = (ngx_hash_elt_t **) ngx_pcalloc(hinit->pool,
                                              size * sizeof(*buckets));

    if (buckets == NULL
        || ngx_hash_place(hinit, used, size, buckets) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_hash_fill(used, size, buckets, names, nelts);

    if (hinit->hash == NULL) {
        hinit->hash = (ngx_hash_t *) ngx_pcalloc(hinit->pool,
                                                 sizeof(ngx_hash_wildcard_t));
    }

    if (hinit->hash == NULL) {
        return NGX_ERROR;
    }

    hinit->hash->buckets = buckets;
    hinit->hash->size = size;

    return NGX_OK;
}


ngx_int_t
ngx_hash_init(ngx_hash_init_t *hinit, ngx_hash_key_t *names, ngx_uint_t nelts)
{
    size_t      *used;
    ngx_int_t    rc;
    ngx_pool_t  *pool;

    if (ngx_hash_check(hinit, names, nelts) != NGX_OK) {
        return NGX_ERROR;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_hash_log(hinit));

    if (pool == NULL) {
        return NGX_ERROR;
    }

    used = (size_t *) ngx_palloc(pool, hinit->max_size * sizeof(size_t));
    rc = used ? ngx_hash_build(hinit, used, names, nelts) : NGX_ERROR;

    ngx_destroy_pool(pool);

    return rc;
}
