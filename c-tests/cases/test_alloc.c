
/* Tests of ngx_alloc.h, and of what ngx_os_init() finds out. */


#include "t_os.h"


static void
test_alloc(void)
{
    u_char  *p;

    p = ngx_alloc(1000, t_log());
    T_REQUIRE(p != NULL);
    memset(p, 0xa5, 1000);
    ngx_free(p);

    p = ngx_calloc(1000, t_log());
    T_REQUIRE(p != NULL);
    T_OK(t_is_filled(p, 1000, 0));
    ngx_free(p);

    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
}


/* malloc(3) returns the memory that was used before. */

static void
test_calloc_used(void)
{
    int      i;
    u_char  *p;

    for (i = 1; i < 200; i++) {
        p = ngx_alloc((size_t) i * 16, t_log());
        T_REQUIRE(p != NULL);
        memset(p, 0xa5, (size_t) i * 16);
        ngx_free(p);

        p = ngx_calloc((size_t) i * 16, t_log());
        T_REQUIRE(p != NULL);
        T_OK(t_is_filled(p, (size_t) i * 16, 0));
        ngx_free(p);
    }
}


static void
test_memalign(void)
{
    void    *p;
    size_t   alignment;

    for (alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
        p = ngx_memalign(alignment, 100, t_log());
        T_REQUIRE(p != NULL);
        T_EQ((uintptr_t) p % alignment, 0);
        memset(p, 0xa5, 100);
        ngx_free(p);
    }

    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
}


/* With AddressSanitizer, malloc(3) ends the program instead of failing. */

static void
needs_malloc(void)
{
#if defined(__SANITIZE_ADDRESS__)
    t_skip("AddressSanitizer has its own malloc()");
#endif
}


static void
test_no_memory(void)
{
    volatile size_t  size = SIZE_MAX / 2;

    needs_malloc();

    T_OK(ngx_alloc(size, t_log()) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "malloc(%zu) failed (12: ", size), 1);

    T_OK(ngx_calloc(size, t_log()) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "malloc(%zu) failed (12: ", size), 2);

    T_OK(ngx_memalign(64, size, t_log()) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "posix_memalign(64, %zu) failed (12: ",
                   size), 1);
}


static void
test_bad_alignment(void)
{
    volatile size_t  alignment = 24;

    needs_malloc();

    T_OK(ngx_memalign(alignment, 100, t_log()) == NULL);
    T_EQ(t_logged(NGX_LOG_EMERG, "posix_memalign(24, 100) failed (22: "), 1);
}


static void
test_debug_lines(void)
{
    void  *p;

    t_log()->log_level = NGX_LOG_DEBUG_ALLOC;

    p = ngx_alloc(17, t_log());
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "malloc: %016lX:17", (unsigned long) p), 1);
    ngx_free(p);

    p = ngx_calloc(18, t_log());
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "malloc: %016lX:18", (unsigned long) p), 1);
    ngx_free(p);

    p = ngx_memalign(32, 19, t_log());
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "posix_memalign: %016lX:19 @32",
                   (unsigned long) p), 1);
    ngx_free(p);
}


static ngx_uint_t  levels[4];
static ngx_uint_t  nlevels;


static void
keep_level(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    levels[nlevels++ % t_nitems(levels)] = level;
}


/* A debug line follows the line of the failure. */

static void
test_debug_lines_fails(void)
{
    ngx_log_t         log;
    volatile size_t   size = SIZE_MAX / 2, alignment = 24;

    needs_malloc();
    ngx_time_init();

    memset(&log, 0, sizeof(log));
    log.log_level = NGX_LOG_DEBUG_ALLOC;
    log.writer = keep_level;

    T_OK(ngx_alloc(size, &log) == NULL);
    T_OK(ngx_memalign(alignment, 20, &log) == NULL);

    T_EQ(nlevels, 4);
    T_EQ(levels[0], NGX_LOG_EMERG);
    T_EQ(levels[1], NGX_LOG_DEBUG);
    T_EQ(levels[2], NGX_LOG_EMERG);
    T_EQ(levels[3], NGX_LOG_DEBUG);
}


static void
test_align_ptr(void)
{
    u_char  *p = (u_char *) 0x1001;

    T_OK(ngx_align_ptr(p, 1) == p);
    T_OK(ngx_align_ptr(p, 8) == (u_char *) 0x1008);
    T_OK(ngx_align_ptr(p + 7, 8) == (u_char *) 0x1008);
    T_OK(ngx_align_ptr(p, 4096) == (u_char *) 0x2000);
    T_EQ(ngx_align((size_t) 4097, 4096), 8192);
}


static void
test_machine(void)
{
    struct rlimit  rl;

    t_os_init();

    T_EQ(ngx_pagesize, sysconf(_SC_PAGESIZE));
    T_EQ((ngx_uint_t) 1 << ngx_pagesize_shift, ngx_pagesize);
    T_EQ(ngx_ncpu, sysconf(_SC_NPROCESSORS_ONLN));
    T_OK(ngx_cacheline_size >= 32 && ngx_cacheline_size <= 256);
    T_EQ(ngx_cacheline_size & (ngx_cacheline_size - 1), 0);

    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);
    T_EQ(ngx_max_sockets, rl.rlim_cur);
}


/* The program has another sequence of random numbers than the one of each program. */

static void
test_random(void)
{
    long  first;

    srandom(1);
    first = ngx_random();

    srandom(1);
    t_os_init();
    T_OK(ngx_random() != first);
}


int
main(void)
{
    t_begin();

    t_run("ngx_alloc() and ngx_calloc()", test_alloc);
    t_run("ngx_calloc() clears memory that was used", test_calloc_used);
    t_run("ngx_memalign()", test_memalign);
    t_run("allocations that are too large", test_no_memory);
    t_run("an alignment that is not a power of two", test_bad_alignment);
    t_run("debug lines of allocations", test_debug_lines);
    t_run("debug lines of allocations that fail", test_debug_lines_fails);
    t_run("ngx_align() and ngx_align_ptr()", test_align_ptr);
    t_run("ngx_os_init()", test_machine);
    t_run("ngx_os_init() seeds random numbers", test_random);

    return t_end();
}
