
/*
 * A process that has been taken over overwrites a pool.  Operations on this pool can fail
 * then.  They do not end the process that calls them, and other pools work on.
 *
 * A run tries 300 pools, with T_LONG=1 20,000.
 */


#include "test.h"


#define PAGE   4096
#define PAGES  8


typedef struct {
    ngx_slab_pool_t  *pool;
    void             *piece[3];
} zone_t;


static zone_t      attacked, other;
static u_char     *before;
static ngx_uint_t  seed = 1;


static ngx_uint_t
below(ngx_uint_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % n;
}


static void
make(zone_t *zone)
{
    ngx_uint_t                i;
    static const ngx_uint_t   sizes[] = { 8, 500, 2 * PAGE };

    zone->pool = t_shared(PAGES * PAGE);
    zone->pool->end = (u_char *) zone->pool + PAGES * PAGE;
    zone->pool->min_shift = 3;
    zone->pool->addr = zone->pool;

    T_EQ(ngx_shmtx_create(&zone->pool->mutex, &zone->pool->lock, NULL), NGX_OK);
    ngx_slab_init(zone->pool);

    for (i = 0; i < 3; i++) {
        zone->piece[i] = ngx_slab_alloc(zone->pool, sizes[i]);
        T_REQUIRE(zone->piece[i] != NULL);
    }
}


static void
start(void)
{
    ngx_pid = getpid();
    t_log()->log_level = NGX_LOG_EMERG;
    make(&attacked);
    make(&other);
}


/* All functions that use the lock or the content of a pool. */

static void
use(zone_t *zone)
{
    void             *p;
    ngx_uint_t        i;
    ngx_slab_pool_t  *pool = zone->pool;

    ngx_shmtx_lock(&pool->mutex);
    p = ngx_slab_alloc_locked(pool, 100);
    ngx_slab_free_locked(pool, p);
    ngx_shmtx_unlock(&pool->mutex);

    if (ngx_shmtx_trylock(&pool->mutex)) {
        ngx_shmtx_unlock(&pool->mutex);
    }

    (void) ngx_shmtx_force_unlock(&pool->mutex, ngx_pid);

    for (i = 0; i < 3; i++) {
        p = ngx_slab_calloc(pool, 8 << (4 * i));
        ngx_slab_free(pool, p);
        ngx_slab_free(pool, zone->piece[i]);
    }

    (void) ngx_slab_verify(pool, NULL);
}


/* Whether a process can use both zones, and the other one has all its memory back. */

static void
use_both(void)
{
    ngx_uint_t  pfree;

    use(&attacked);

    pfree = other.pool->last - other.pool->pages;
    use(&other);

    _exit(ngx_slab_verify(other.pool, NULL) == NGX_OK && other.pool->pfree == pfree
          ? 0 : 1);
}


static void
test_addresses_of_words(void)
{
    start();

    memset(&attacked.pool->mutex, 0x11, sizeof(ngx_shmtx_t));
    T_EQ(ngx_shmtx_trylock(&attacked.pool->mutex), 1);
    T_OK(attacked.pool->lock.lock != 0);
    ngx_shmtx_unlock(&attacked.pool->mutex);
    T_EQ(attacked.pool->lock.lock, 0);

    /* The lock works as before, and so does the pool. */

    use(&attacked);
    T_EQ(ngx_slab_verify(attacked.pool, NULL), NGX_OK);
    T_EQ(attacked.pool->pfree, attacked.pool->last - attacked.pool->pages);
}


/* A program chooses other words for the lock of a pool. */

static void
test_other_words(void)
{
    ngx_shmtx_sh_t  *words;

    start();
    words = t_shared(sizeof(ngx_shmtx_sh_t));
    T_EQ(ngx_shmtx_create(&attacked.pool->mutex, words, NULL), NGX_OK);

    ngx_shmtx_lock(&attacked.pool->mutex);
    T_OK(words->lock != 0);
    T_EQ(attacked.pool->lock.lock, 0);
    ngx_shmtx_unlock(&attacked.pool->mutex);
    T_EQ(words->lock, 0);
    use(&attacked);

    T_EQ(ngx_shmtx_create(&attacked.pool->mutex, &attacked.pool->lock, NULL), NGX_OK);
    ngx_shmtx_lock(&attacked.pool->mutex);
    T_OK(attacked.pool->lock.lock != 0);
    ngx_shmtx_unlock(&attacked.pool->mutex);
}


/* Writes some words, or many. */

static void
overwrite(void)
{
    size_t      *words = (size_t *) attacked.pool;
    ngx_uint_t   i, n, first, bytes;

    n = below(2) ? 1 + below(8) : PAGE / sizeof(size_t);
    first = below(PAGES * PAGE / sizeof(size_t) - n);

    if (below(2)) {
        first = below(64);
    }

    for (i = first; i < first + n; i++) {
        bytes = below(4);

        words[i] = (bytes == 0) ? below((ngx_uint_t) -1)
                   : (bytes == 1) ? below(64)
                   : (bytes == 2) ? (size_t) attacked.pool + below(2 * PAGES * PAGE)
                   : (ngx_uint_t) -1 - below(64);
    }

    /*
     * A process that holds a lock keeps others from it anyway, and so it can when it
     * writes the number of a running process to these words.
     */

    ngx_memzero(&attacked.pool->lock, sizeof(ngx_shmtx_sh_t));
}


static void
test_random(void)
{
    int     status;
    long    i, n;
    pid_t   pid;

    start();
    n = t_long() ? 20000 : 300;
    before = malloc(2 * PAGES * PAGE);
    T_REQUIRE(before != NULL);
    memcpy(before, attacked.pool, PAGES * PAGE);
    memcpy(before + PAGES * PAGE, other.pool, PAGES * PAGE);

    for (i = 0; i < n; i++) {
        memcpy(attacked.pool, before, PAGES * PAGE);
        memcpy(other.pool, before + PAGES * PAGE, PAGES * PAGE);
        overwrite();

        pid = t_fork_run(use_both);
        status = t_wait(pid);

        if (!T_EQ(status, 0)) {
            t_diag("pool %ld", i);
            break;
        }
    }

    free(before);
}


int
main(void)
{
    t_begin();

    t_run("the addresses of the words of a lock are overwritten", test_addresses_of_words);
    t_run("a pool has another lock", test_other_words);
    t_run("a pool is overwritten", test_random);

    return t_end();
}
