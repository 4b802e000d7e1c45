
/* Tests of ngx_slab_alloc_evict(), with the cache that docs/slab.md shows. */


#include "test.h"

#include <ngx_slab.h>


#define PAGE   4096
#define PAGES  16


typedef struct {
    ngx_rbtree_t       tree;
    ngx_rbtree_node_t  sentinel;
    ngx_queue_t        used;            /* the entry used last is the first */
} cache_t;

typedef struct {
    ngx_str_node_t     node;
    ngx_queue_t        queue;
    u_char             key[];
} entry_t;

static ngx_int_t
evict_oldest(ngx_slab_pool_t *pool, size_t size, void *data)
{
    cache_t  *cache = data;
    entry_t  *entry;

    if (ngx_queue_empty(&cache->used)) { return NGX_DECLINED; }

    entry = ngx_queue_data(ngx_queue_last(&cache->used), entry_t, queue);
    ngx_queue_remove(&entry->queue);
    ngx_rbtree_delete(&cache->tree, &entry->node.node);
    ngx_slab_free_locked(pool, entry);
    return NGX_OK;
}

static entry_t *                        /* the caller has locked the pool */
use_key(ngx_slab_pool_t *pool, ngx_str_t *key)
{
    cache_t   *cache = pool->data;
    uint32_t   hash = ngx_crc32_short(key->data, key->len);
    entry_t   *entry = (entry_t *) ngx_str_rbtree_lookup(&cache->tree, key, hash);

    if (entry != NULL) {
        ngx_queue_remove(&entry->queue);
    } else {
        entry = ngx_slab_alloc_evict_locked(pool, sizeof(entry_t) + key->len,
                                            evict_oldest, cache);
        if (entry == NULL) { return NULL; }
        entry->node.node.key = hash;
        entry->node.str.len = key->len;
        entry->node.str.data = entry->key;
        ngx_memcpy(entry->key, key->data, key->len);
        ngx_rbtree_insert(&cache->tree, &entry->node.node);
    }
    ngx_queue_insert_head(&cache->used, &entry->queue);
    return entry;
}


/* The pool, and its pieces in the order in which evict() frees them. */

static ngx_slab_pool_t  *pool;
static u_char           *pieces[PAGES];
static ngx_uint_t        pieces_n;

/* What evict() has been called with, and how often. */

static struct {
    ngx_uint_t   calls;
    ngx_uint_t   freed;
    ngx_uint_t   die_at;         /* the call in which the process dies */
    ngx_uint_t   wrong;
    size_t       size;
} seen;


static void
start(void)
{
    ngx_pid = getpid();

    pool = t_shared(PAGES * PAGE);
    pool->end = (u_char *) pool + PAGES * PAGE;
    pool->min_shift = 3;
    pool->addr = pool;

    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);
    t_log_clear();
    ngx_memzero(&seen, sizeof(seen));
}


/* The number of lines in the log, other than debug lines. */

static ngx_uint_t
logged(void)
{
    ngx_uint_t  n, level;

    for (n = 0, level = NGX_LOG_EMERG; level < NGX_LOG_DEBUG; level++) {
        n += t_logged(level, "");
    }

    return n;
}


/* Takes all memory, one page at a time. */

static void
start_full(void)
{
    u_char  *p;

    start();
    pool->log_nomem = 0;

    for (pieces_n = 0; (p = ngx_slab_alloc(pool, PAGE)) != NULL; pieces_n++) {
        T_REQUIRE(pieces_n < PAGES);
        pieces[pieces_n] = p;
    }

    pool->log_nomem = 1;
    T_OK(pieces_n > 8 && pool->pfree == 0);
}


/* Frees one more piece in each call. */

static ngx_int_t
evict(ngx_slab_pool_t *p, size_t size, void *data)
{
    seen.calls++;
    seen.size = size;
    seen.wrong += (p != pool || data != &seen || (pid_t) pool->lock.lock != ngx_pid);

    if (seen.calls == seen.die_at) {
        raise(SIGKILL);
    }

    if (seen.freed == pieces_n) {
        return NGX_DECLINED;
    }

    ngx_slab_free_locked(p, pieces[seen.freed++]);

    return NGX_OK;
}


static void
test_evict(void)
{
    start_full();

    /* Free memory is used first. */

    ngx_slab_free(pool, pieces[--pieces_n]);
    T_OK(ngx_slab_alloc_evict(pool, PAGE, evict, &seen) == pieces[pieces_n]);
    T_EQ(seen.calls, 0);

    T_OK(ngx_slab_alloc_evict(pool, 3 * PAGE - 1, evict, &seen) == pieces[0]);
    T_EQ(seen.calls, 3);
    T_EQ(seen.size, 3 * PAGE - 1);

    T_OK(ngx_slab_alloc_evict(pool, 100, evict, &seen) == pieces[3]);
    T_EQ(seen.calls, 4);

    T_EQ(seen.wrong, 0);
    T_EQ(pool->lock.lock, 0);
    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
    T_EQ(logged(), 0);
}


static void
test_locked(void)
{
    start_full();

    ngx_shmtx_lock(&pool->mutex);
    T_OK(ngx_slab_alloc_evict_locked(pool, 2 * PAGE, evict, &seen) == pieces[0]);
    T_EQ(seen.calls, 2);
    T_EQ(seen.wrong, 0);
    T_OK(pool->lock.lock != 0);
    ngx_shmtx_unlock(&pool->mutex);
    T_EQ(logged(), 0);
}


/* The program wants no lines about missing memory. */

static void
test_quiet(void)
{
    start_full();
    pool->log_nomem = 0;

    T_OK(ngx_slab_alloc_evict(pool, 2 * PAGE, evict, &seen) == pieces[0]);
    T_EQ(seen.calls, 2);
    T_OK(ngx_slab_alloc_evict(pool, 100, evict, &seen) == pieces[2]);
    T_EQ(seen.calls, 3);

    ngx_shmtx_lock(&pool->mutex);
    T_OK(ngx_slab_alloc_evict_locked(pool, PAGE, evict, &seen) == pieces[3]);
    ngx_shmtx_unlock(&pool->mutex);
    T_EQ(seen.calls, 4);

    T_OK(ngx_slab_alloc_evict(pool, 100 * PAGE, evict, &seen) == NULL);
    T_EQ(seen.calls, pieces_n + 1);
    T_EQ(logged(), 0);
}


/* Chunks of one page are freed until the page is free. */

static void
test_chunks(void)
{
    u_char      *first;
    ngx_uint_t   i;

    start_full();

    first = pieces[0];
    ngx_slab_free(pool, first);

    for (i = 0; i < 8; i++) {
        pieces[i] = ngx_slab_alloc(pool, PAGE / 8);
        T_REQUIRE(pieces[i] != NULL);
    }

    pieces_n = 8;
    T_OK(ngx_slab_alloc_evict(pool, PAGE, evict, &seen) == first);
    T_EQ(seen.calls, 8);
    T_EQ(logged(), 0);
}


static void
test_declined(void)
{
    start_full();

    T_OK(ngx_slab_alloc_evict(pool, 100 * PAGE, evict, &seen) == NULL);
    T_EQ(seen.calls, pieces_n + 1);
    T_EQ(pool->pfree, pieces_n);
    T_EQ(pool->lock.lock, 0);

    T_EQ(t_logged(NGX_LOG_CRIT, "ngx_slab_alloc() failed: no memory, "
                                "409600 bytes requested"), 1);
    T_EQ(logged(), 1);

    T_OK(ngx_slab_alloc_evict(pool, 100 * PAGE, NULL, NULL) == NULL);
    T_OK(ngx_slab_alloc_evict(NULL, 100, evict, NULL) == NULL);
    T_OK(ngx_slab_alloc_evict_locked(NULL, 100, evict, NULL) == NULL);
    T_EQ(seen.calls, pieces_n + 1);
}


static ngx_int_t
evict_nothing(ngx_slab_pool_t *p, size_t size, void *data)
{
    seen.calls++;

    return NGX_OK;
}


/* Frees a piece, and takes it again. */

static ngx_int_t
evict_and_take(ngx_slab_pool_t *p, size_t size, void *data)
{
    seen.calls++;
    ngx_slab_free_locked(p, pieces[0]);
    T_OK(ngx_slab_alloc_locked(p, PAGE) == pieces[0]);

    return NGX_OK;
}


/* A second lock of the same process is refused. */

static ngx_int_t
evict_with_lock(ngx_slab_pool_t *p, size_t size, void *data)
{
    seen.calls++;
    ngx_slab_free(p, pieces[0]);

    return NGX_OK;
}


static void
test_nothing_freed(void)
{
    ngx_uint_t  i;

    static const ngx_slab_evict_pt  functions[] = {
        evict_nothing, evict_and_take, evict_with_lock
    };

    for (i = 0; i < t_nitems(functions); i++) {
        start_full();

        T_OK(ngx_slab_alloc_evict(pool, PAGE, functions[i], NULL) == NULL);
        T_EQ(seen.calls, 1);
        T_EQ(pool->lock.lock, 0);
        T_EQ(pool->pfree, 0);
        T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_alloc_evict(): "
                                     "evict has freed nothing"), 1);
        T_EQ(t_logged(NGX_LOG_CRIT, ""), 0);
        T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
    }
}


static void
evict_and_die(void)
{
    ngx_pid = getpid();
    (void) ngx_slab_alloc_evict(pool, PAGES * PAGE, evict, &seen);
}


/* A process is killed between two evictions. */

static void
test_killed(void)
{
    ngx_uint_t  n;

    for (n = 1; n <= 8; n++) {
        start_full();
        seen.die_at = n;

        T_EQ(t_wait(t_fork_run(evict_and_die)), SIGKILL);

        /* The others get the lock, and find the pages that were freed. */

        T_OK(ngx_slab_alloc(pool, 8) == NULL || n > 1);
        T_EQ(pool->lock.lock, 0);
        T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
        T_EQ(pool->pfree, n - (n > 1 ? 2 : 1));
    }
}


static ngx_uint_t
has(cache_t *cache, ngx_str_t *key)
{
    return ngx_str_rbtree_lookup(&cache->tree, key,
                                 ngx_crc32_short(key->data, key->len)) != NULL;
}


static void
test_cache(void)
{
    u_char       text[200];
    cache_t     *cache;
    ngx_str_t    key, first;
    ngx_uint_t   i, n;

    start();

    cache = pool->data = ngx_slab_calloc(pool, sizeof(cache_t));
    T_REQUIRE(cache != NULL);
    ngx_rbtree_init(&cache->tree, &cache->sentinel, ngx_str_rbtree_insert_value);
    ngx_queue_init(&cache->used);
    T_EQ(ngx_crc32_table_init(), NGX_OK);

    memset(text, 'x', sizeof(text));
    ngx_str_set(&first, "first");
    key.data = text;

    ngx_shmtx_lock(&pool->mutex);
    T_OK(use_key(pool, &first) != NULL);

    /* Keys of all sizes; the first one is used again and again, and stays. */

    for (i = 0; i < 5000; i++) {
        key.len = 8 + i % (sizeof(text) - 8);
        ngx_sprintf(text, "%08ui", i);

        T_REQUIRE(use_key(pool, &key) != NULL);
        T_REQUIRE(use_key(pool, &first) != NULL);
        T_REQUIRE(has(cache, &key) && has(cache, &first));
    }

    for (n = 0; evict_oldest(pool, 1, cache) == NGX_OK; n++) {
        T_EQ(has(cache, &first), !ngx_queue_empty(&cache->used));
    }

    ngx_shmtx_unlock(&pool->mutex);

    /* Only the cache itself is left. */

    T_OK(n > 100 && n < 1000);
    ngx_slab_free(pool, cache);
    T_EQ(pool->pfree, (ngx_uint_t) (pool->last - pool->pages));
    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
    T_EQ(logged(), 0);
}


int
main(void)
{
    t_begin();

    t_run("pieces are freed until there is memory", test_evict);
    t_run("the caller holds the lock", test_locked);
    t_run("missing memory is not logged", test_quiet);
    t_run("chunks of a page are freed", test_chunks);
    t_run("there is nothing more to free", test_declined);
    t_run("the function frees nothing", test_nothing_freed);
    t_run("a process is killed between two evictions", test_killed);
    t_run("a cache drops what was used longest ago", test_cache);

    return t_end();
}
