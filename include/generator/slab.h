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
