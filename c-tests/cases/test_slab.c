
/* Tests of pieces of a zone, ngx_slab_alloc() and its relatives. */


#include "t_os.h"

#include <stdio.h>
#include <sys/ptrace.h>


#define PAGE   4096
#define PAGES  16


static ngx_slab_pool_t  *pool;


/* Makes a pool of a zone with this size. */

static void
start_size(size_t size)
{
    t_os_init();
    ngx_slab_sizes_init();
    ngx_pid = getpid();

    pool = t_shared(ngx_max(size, PAGE));
    pool->end = (u_char *) pool + size;
    pool->min_shift = 3;
    pool->addr = pool;

    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);
    t_log_clear();
}


static void
start(void)
{
    start_size(PAGES * PAGE);
}


static void
test_fields(void)
{
    start();

    T_EQ(pool->min_size, 8);
    T_EQ(pool->log_nomem, 1);
    T_EQ(pool->zero, 0);
    T_OK(pool->log_ctx == &pool->zero);
    T_EQ(pool->pfree, pool->last - pool->pages);
    T_OK((u_char *) pool->stats
         == (u_char *) (pool + 1) + 9 * sizeof(ngx_slab_page_t));
    T_OK(pool->pages == (void *) (pool->stats + 9));
    T_EQ((uintptr_t) pool->start % PAGE, 0);
}


static void
test_alloc(void)
{
    u_char      *p, *q;
    ngx_uint_t   pfree;

    start();
    pfree = pool->pfree;

    p = ngx_slab_alloc(pool, 100);
    T_REQUIRE(p != NULL);
    T_EQ((uintptr_t) p % 128, 0);
    memset(p, 0xee, 128);
    T_EQ(pool->pfree, pfree - 1);
    T_EQ(pool->stats[4].total, 32);
    T_EQ(pool->stats[4].used, 1);
    T_EQ(pool->stats[4].reqs, 1);

    ngx_slab_free(pool, p);
    T_EQ(pool->pfree, pfree);
    T_EQ(pool->stats[4].total, 0);
    T_EQ(pool->stats[4].used, 0);

    q = ngx_slab_calloc(pool, 100);
    T_OK(q == p);
    T_OK(t_is_filled(q, 100, 0));

    ngx_shmtx_lock(&pool->mutex);
    p = ngx_slab_alloc_locked(pool, 3 * PAGE);
    T_REQUIRE(p != NULL);
    memset(p, 0xee, 3 * PAGE);
    ngx_slab_free_locked(pool, p);
    q = ngx_slab_calloc_locked(pool, 2 * PAGE + 1);
    T_OK(q == p);
    T_OK(t_is_filled(q, 2 * PAGE + 1, 0));
    ngx_shmtx_unlock(&pool->mutex);

    T_EQ(pool->lock.lock, 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_log_context(void)
{
    start();

    pool->log_ctx = ngx_slab_alloc(pool, 20);
    T_REQUIRE(pool->log_ctx != NULL);
    strcpy((char *) pool->log_ctx, " in zone \"one\"");

    ngx_slab_free(pool, pool->log_ctx + 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): pointer to wrong chunk"
                                 " in zone \"one\""), 1);

    T_OK(ngx_slab_alloc(pool, 100 * PAGE) == NULL);
    T_EQ(t_logged(NGX_LOG_CRIT, "ngx_slab_alloc() failed: no memory"
                                " in zone \"one\""), 1);

    t_log_clear();
    pool->log_nomem = 0;
    T_OK(ngx_slab_alloc(pool, 100 * PAGE) == NULL);
    T_EQ(t_logged(NGX_LOG_CRIT, ""), 0);
}


static void
test_wrong_pointers(void)
{
    u_char  *p, *run;

    start();
    p = ngx_slab_alloc(pool, 64);
    run = ngx_slab_alloc(pool, 3 * PAGE);

    ngx_slab_free(pool, p + 64);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): chunk is already free"), 1);
    ngx_slab_free(pool, run + PAGE);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): pointer to wrong page"), 1);
    ngx_slab_free(pool, run);
    ngx_slab_free(pool, run);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): page is already free"), 1);
    ngx_slab_free(pool, NULL);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): outside of pool"), 1);
}


static void
test_d25(void)
{
    u_char  *p;

    start();
    p = ngx_slab_alloc(pool, 8);
    T_REQUIRE(p != NULL);

    ngx_slab_free(pool, (void *) ((uintptr_t) p & ~(uintptr_t) (PAGE - 1)));
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): pointer to wrong chunk"), 1);

    /* The next piece does not overlap the bits. */

    T_OK(ngx_slab_alloc(pool, 8) == p + 8);
}


static void
test_d26(void)
{
    start_size(PAGES * PAGE + PAGE / 2);

    ngx_slab_free(pool, pool->start + (pool->last - pool->pages) * PAGE);
    T_EQ(t_logged(NGX_LOG_ALERT, "ngx_slab_free(): outside of pool"), 1);
}


static void
test_d27(void)
{
    start_size(sizeof(ngx_slab_pool_t) + 64);

    T_OK(ngx_slab_alloc(pool, 8) == NULL);
    T_OK(ngx_slab_alloc(pool, 2 * PAGE) == NULL);
}


static void
test_d27_count(void)
{
    start();

    T_OK(ngx_slab_alloc(pool, 100 * PAGE) == NULL);
    T_EQ(pool->stats[8].fails, 1);
}


static void
test_d28(void)
{
    start();

    T_OK(ngx_slab_alloc(pool, 100 * PAGE) == NULL);
    T_OK(ngx_slab_alloc(pool, 100 * PAGE) == NULL);
    T_EQ(t_logged(NGX_LOG_CRIT, "ngx_slab_alloc() failed: no memory"), 1);
    T_EQ(t_logged(NGX_LOG_CRIT, "409600 bytes requested"), 1);
}


/* Allocates all free pages.  Returns their number. */

static ngx_uint_t
take_all(void)
{
    ngx_uint_t  n;

    /* If a list has a loop, the pages never end. */

    for (n = 0; n <= PAGES && ngx_slab_alloc_locked(pool, PAGE); n++) {
        /* void */
    }

    return n;
}


/*
 * A child runs ngx_slab_free() one instruction at a time.  After each instruction that
 * changes the zone, this process looks at what it finds if the child is killed there.
 */

static void
test_d22(void)
{
    int          status;
    pid_t        pid;
    u_char      *p[3], *now;
    ngx_uint_t   i, n, all, changes, wrong;

    if (t_under_valgrind()) {
        t_skip("valgrind traces the process itself");
    }

    start();

    for (i = 0; i < 3; i++) {
        p[i] = ngx_slab_alloc(pool, 3 * PAGE);
        T_REQUIRE(p[i] != NULL);
    }

    ngx_slab_free(pool, p[0]);
    pool->log_nomem = 0;
    all = pool->pfree;
    now = malloc(PAGES * PAGE);
    T_REQUIRE(now != NULL);

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        ngx_slab_free_locked(pool, p[1]);
        _exit(0);
    }

    changes = 0;
    wrong = 0;

    for ( ;; ) {
        T_REQUIRE(waitpid(pid, &status, 0) == pid);

        if (!WIFSTOPPED(status)) {
            break;
        }

        if (changes == 0 || memcmp(now, pool, PAGES * PAGE) != 0) {
            memcpy(now, pool, PAGES * PAGE);
            changes++;

            /* The three pages are free, or still in use. */

            n = take_all();
            wrong += (n != all && n != all + 3);

            memcpy(pool, now, PAGES * PAGE);
        }

        T_REQUIRE(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
    }

    free(now);

    T_EQ(WIFEXITED(status), 1);
    T_OK(changes > 5);
    T_EQ(wrong, 0);
}


int
main(void)
{
    t_begin();

    t_run("the fields of a pool", test_fields);
    t_run("pieces of a zone", test_alloc);
    t_run("the text for log lines", test_log_context);
    t_run("wrong pointers", test_wrong_pointers);
    t_run("D25: the bits of a page are freed", test_d25);
    t_run("D26: a pointer behind the last page is freed", test_d26);
    t_run("D27: a zone is too small", test_d27);
    t_run("D27: a failed request for pages is counted", test_d27_count);
    t_run("D28: \"no memory\" is logged once", test_d28);
    t_run("D22: a process is killed in ngx_slab_free()", test_d22);

    return t_end();
}
