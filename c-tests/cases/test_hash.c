
/* Tests of ngx_hash_init(): the lines in the log. */


#include "t_os.h"


#define LINES  4


static ngx_uint_t  nlines;
static ngx_uint_t  levels[LINES];
static char        lines[LINES][200];


static void
keep_line(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    T_REQUIRE(nlines < LINES);

    levels[nlines] = level;
    snprintf(lines[nlines++], sizeof(lines[0]), "%.*s", (int) len,
             (char *) buf);
}


/* A table of names whose length is "len", in one bucket of "bucket_size". */

static ngx_int_t
build(ngx_log_t *log, ngx_uint_t n, size_t len, ngx_uint_t bucket_size)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_hash_t        hash;
    ngx_pool_t       *pool;
    ngx_hash_key_t    names[4];
    ngx_hash_init_t   hinit;
    static u_char     text[65536];

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    T_REQUIRE(pool != NULL && n <= t_nitems(names));

    for (i = 0; i < n; i++) {
        names[i].key.len = len;
        names[i].key.data = text;
        names[i].key_hash = 0;
        names[i].value = &hash;
    }

    memset(&hinit, 0, sizeof(hinit));
    hinit.hash = &hash;
    hinit.key = ngx_hash_key;
    hinit.max_size = 1;
    hinit.bucket_size = bucket_size;
    hinit.name = (char *) "a_hash";
    hinit.pool = pool;

    rc = ngx_hash_init(&hinit, names, n);
    ngx_destroy_pool(pool);

    return rc;
}


static ngx_log_t *
own_log(void)
{
    static ngx_log_t  log;

    t_os_init();
    log.log_level = NGX_LOG_WARN;
    log.writer = keep_line;

    return &log;
}


/* The lines are in the log of the pool, and not in that of ngx_cycle. */

static void
test_log_of_pool(void)
{
    T_EQ(build(own_log(), 1, 100, 64), NGX_ERROR);

    T_EQ(nlines, 1);
    T_EQ(levels[0], NGX_LOG_EMERG);
    T_OK(strstr(lines[0], "could not build a_hash, you should increase "
                          "a_hash_bucket_size: 64") != NULL);
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
}


static void
test_not_optimal(void)
{
    T_EQ(build(own_log(), 4, 30, 64), NGX_OK);

    T_EQ(nlines, 1);
    T_EQ(levels[0], NGX_LOG_WARN);
    T_OK(strstr(lines[0], "could not build optimal a_hash, you should increase "
                          "either a_hash_max_size: 1 or a_hash_bucket_size: 64; "
                          "ignoring a_hash_bucket_size") != NULL);
}


/* The names do not fit into a bucket of any size. */

static void
test_too_many(void)
{
    T_EQ(build(own_log(), 4, 30000, 60000), NGX_ERROR);

    T_EQ(nlines, 2);
    T_EQ(levels[0], NGX_LOG_WARN);
    T_EQ(levels[1], NGX_LOG_EMERG);
    T_OK(strstr(lines[1], "could not build a_hash, you should increase "
                          "a_hash_max_size: 1") != NULL);
}


static void
test_no_log(void)
{
    t_os_init();
    T_EQ(build(NULL, 1, 100, 64), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_EMERG, "could not build a_hash, "), 1);

    ngx_cycle = NULL;
    T_EQ(build(NULL, 1, 100, 64), NGX_ERROR);
    T_EQ(build(NULL, 4, 30, 64), NGX_OK);
}


int
main(void)
{
    t_begin();

    t_run("a failure is in the log of the pool", test_log_of_pool);
    t_run("a warning if the buckets are too small", test_not_optimal);
    t_run("a warning and a failure if there are too many names",
          test_too_many);
    t_run("X a pool without a log", test_no_log);

    return t_end();
}
