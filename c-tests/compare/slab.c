/*
 * Compares the allocator of zones: the addresses, the counters and the
 * descriptors of pages after random operations.
 */

#include "compare.h"

#include <sys/mman.h>


#define T_ZONE    (1024 * 1024)    /* bytes, at most */
#define T_PIECES  1024

/*
 * The library keeps its record in front of the first page.  If there is less room,
 * it has a page less than nginx.
 */
#define T_RECORD  512


static u_char  *zone;
static u_char  *pieces[T_PIECES];


/* The free bytes in front of the first page. */

static size_t
t_room(size_t size, size_t min_shift)
{
    size_t  n, before, pages, start;

    n = ngx_pagesize_shift - min_shift;
    before = sizeof(ngx_slab_pool_t)
             + n * (sizeof(ngx_slab_page_t) + sizeof(ngx_slab_stat_t));
    pages = (size - before) / (ngx_pagesize + sizeof(ngx_slab_page_t));
    start = ngx_align(before + pages * sizeof(ngx_slab_page_t), ngx_pagesize);
    pages = ngx_min(pages, (size - start) / ngx_pagesize);

    return start - before - pages * sizeof(ngx_slab_page_t);
}


static ngx_slab_pool_t *
t_zone(void)
{
    size_t            size, min_shift;
    ngx_slab_pool_t  *pool;

    if (zone == NULL) {
        while (((size_t) 1 << ngx_pagesize_shift) < ngx_pagesize) {
            ngx_pagesize_shift++;
        }

        ngx_slab_sizes_init();

        zone = mmap(NULL, T_ZONE, PROT_READ|PROT_WRITE,
                    MAP_SHARED|MAP_ANONYMOUS, -1, 0);
        if (zone == MAP_FAILED) {
            exit(2);
        }
    }

    min_shift = t_random(4) ? 3 : t_random(10);

    /* Most zones are small, so that they become full. */

    do {
        size = (t_random(4) ? 3 + t_random(14)
                            : 3 + t_random(T_ZONE / ngx_pagesize - 3))
               * ngx_pagesize;
        size -= t_random(8) ? 0 : t_random(ngx_pagesize) & ~(size_t) 7;

    } while (t_room(size, min_shift) < T_RECORD);

    pool = (ngx_slab_pool_t *) zone;

    /* Nothing of the zone before is left where a pool has its fields. */

    ngx_memzero(pool, 4 * ngx_pagesize);

    pool->min_shift = min_shift;
    pool->addr = zone;
    pool->end = zone + size;

    ngx_slab_init(pool);
    pool->log_nomem = 0;

    t_number("size", size);
    t_number("min_shift", min_shift);

    return pool;
}


static size_t
t_piece(void)
{
    switch (t_random(16)) {

    case 0:
        return t_random(6 * ngx_pagesize);

    case 1:
    case 2:
        return t_random(2 * ngx_pagesize);

    case 3:
    case 4:
    case 5:
        return t_random(ngx_pagesize / 2 + 1);

    default:
        return t_random(200);
    }
}


static void
t_link(const char *what, uintptr_t link)
{
    t_number(what, link ? (int64_t) (link - (uintptr_t) zone) : -1);
}


/* All on which later operations depend. */

static void
t_state(ngx_slab_pool_t *pool)
{
    ngx_uint_t        i, n;
    ngx_slab_page_t  *page;

    n = ngx_pagesize_shift - pool->min_shift;

    for (i = 0; i < n; i++) {
        t_number("total", pool->stats[i].total);
        t_number("used", pool->stats[i].used);
        t_number("reqs", pool->stats[i].reqs);

        /* The library also counts requests for pages as the largest chunks. */

        if (i != n - 1) {
            t_number("fails", pool->stats[i].fails);
        }
    }

    t_link("free", (uintptr_t) pool->free.next);
    t_link("start", (uintptr_t) pool->start);
    t_link("last", (uintptr_t) pool->last);

    for (page = pool->pages; page < pool->last; page++) {
        t_number("slab", page->slab);
        t_link("next", (uintptr_t) page->next);

        if (page->next) {
            t_link("prev", page->prev);
        }
    }
}


/* A pointer that nginx refuses, too. */

static void
t_free_wrong(ngx_slab_pool_t *pool, size_t n)
{
    size_t  i;

    if (n && t_random(2)) {
        i = t_random(n);
        ngx_slab_free_locked(pool, pieces[i] + 1);

    } else {
        ngx_slab_free_locked(pool, pool->start - 1 - t_random(100));
    }
}


static void
t_slab(void)
{
    size_t            i, n, size, operations, frees;
    u_char           *p;
    ngx_slab_pool_t  *pool;

    pool = t_zone();
    operations = t_random(8) ? t_random(60) : t_random(1000);
    frees = t_random(6);
    n = 0;

    while (operations--) {

        if (n == T_PIECES || (n && t_random(10) < frees)) {
            i = t_random(n);
            p = pieces[i];
            pieces[i] = pieces[--n];

            ngx_slab_free_locked(pool, p);

        } else if (t_random(32) == 0) {
            t_free_wrong(pool, n);

        } else {
            size = t_piece();

            p = t_random(2) ? ngx_slab_alloc_locked(pool, size)
                            : ngx_slab_calloc_locked(pool, size);

            t_number("size", size);
            t_position("at", zone, p);

            if (p) {
                pieces[n++] = p;
            }
        }

        t_number("pfree", pool->pfree);
    }

    t_state(pool);
}


const t_subject_t  t_slab_subjects[] = {
    { "ngx_slab_alloc_locked", t_slab },
    { NULL, NULL }
};
