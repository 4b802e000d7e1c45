/*
 * The part of test_no_memory.c about the functions for memory, files and
 * sockets.
 */


#include "t_memory.h"

#include <ngx_ipc_counters.h>


static ngx_slab_pool_t  *zone;


static int
call_ngx_alloc(void)
{
    void  *p;

    p = ngx_alloc(100, t_log());
    ngx_free(p);

    return p != NULL;
}


static int
call_ngx_calloc(void)
{
    void  *p;

    p = ngx_calloc(100, t_log());
    ngx_free(p);

    return p != NULL;
}


static int
call_ngx_memalign(void)
{
    void  *p;

    p = ngx_memalign(64, 100, t_log());
    ngx_free(p);

    return p != NULL;
}


static int
call_ngx_set_environment(void)
{
    char        **env;
    ngx_uint_t    last = 1;
    ngx_cycle_t   cycle;

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    cycle.log = t_log();

    env = ngx_set_environment(&cycle, &last);
    ngx_free(env);

    return env != NULL;
}


/* The calls allocate no memory. */

static int
call_ngx_os_init(void)
{
    ngx_atomic_t  lock = 0;

    T_EQ(ngx_os_init(t_log()), NGX_OK);
    ngx_spinlock(&lock, 1, 1);
    T_EQ(lock, 1);

    return 1;
}


static int
call_ngx_shmtx_lock(void)
{
    ngx_shmtx_t     mtx;
    ngx_shmtx_sh_t  words;

    memset(&mtx, 0, sizeof(ngx_shmtx_t));
    memset(&words, 0, sizeof(ngx_shmtx_sh_t));

    T_EQ(ngx_shmtx_create(&mtx, &words, NULL), NGX_OK);
    T_EQ(ngx_shmtx_trylock(&mtx), 1);
    ngx_shmtx_unlock(&mtx);
    ngx_shmtx_lock(&mtx);
    T_EQ(ngx_shmtx_force_unlock(&mtx, getpid()), 1);
    T_EQ(words.lock, 0);
    ngx_shmtx_destroy(&mtx);

    return 1;
}


static int
call_ngx_rwlock_wlock(void)
{
    ngx_atomic_t  lock = 0;

    ngx_rwlock_wlock(&lock);
    ngx_rwlock_downgrade(&lock);
    ngx_rwlock_rlock(&lock);
    ngx_rwlock_unlock(&lock);
    ngx_rwlock_unlock(&lock);
    T_EQ(lock, 0);

    return 1;
}


static int
call_ngx_ipc_counters_add(void)
{
    u_char              memory[2 * 64 + 56] __attribute__((aligned(8))) = { 0 };
    ngx_ipc_counters_t  counters;

    T_EQ(ngx_ipc_counters_size(1, 0, 1), sizeof(memory));
    T_EQ(ngx_ipc_counters_init(&counters, memory, 1, 0, 1), NGX_OK);
    T_EQ(ngx_ipc_counters_add(&counters, 0, 1), NGX_OK);
    T_EQ(ngx_ipc_counters_get(&counters, 0), 1);

    return 1;
}


static int
call_ngx_setaffinity(void)
{
    int           cpu;
    ngx_cpuset_t  set;

    T_EQ(sched_getaffinity(0, sizeof(set), &set), 0);

    for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++) { /* void */ }

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ngx_setaffinity(&set, t_log());

    return 1;
}


static int
call_ngx_gmtime(void)
{
    ngx_tm_t  tm;

    ngx_gmtime(1700000000, &tm);
    T_EQ(tm.ngx_tm_year, 2023);
    T_OK(ngx_next_time(3600) > ngx_time());

    return 1;
}


/* Pools */

static ngx_pool_t  *pool;


static void
a_pool(void)
{
    pool = ngx_create_pool(256, t_log());
    T_REQUIRE(pool != NULL);
}


static int
call_ngx_pmemalign(void)
{
    void  *p;

    p = ngx_pmemalign(pool, 100, 64);
    T_EQ(ngx_pfree(pool, p), p ? NGX_OK : NGX_DECLINED);

    return p != NULL;
}


static int
call_ngx_reset_pool(void)
{
    void  *p;

    p = ngx_palloc(pool, 1000);
    ngx_reset_pool(pool);

    return p != NULL;
}


static int
call_ngx_get_full_name(void)
{
    ngx_str_t  prefix = ngx_string("/usr/"), name = ngx_string("bin");
    ngx_int_t  rc;

    rc = ngx_get_full_name(pool, &prefix, &name);
    T_EQ(name.len, rc == NGX_OK ? 8 : 3);
    ngx_reset_pool(pool);

    return rc == NGX_OK;
}


static int
call_ngx_pool_cleanup_file(void)
{
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t   file;

    file.name = (u_char *) "/nothing/here";
    file.log = t_log();
    file.fd = dup(0);
    ngx_pool_cleanup_file(&file);
    T_OK(!t_is_open(file.fd));

    file.fd = dup(0);
    ngx_pool_delete_file(&file);
    T_OK(!t_is_open(file.fd));

    cln = ngx_pool_cleanup_add(pool, 0);

    if (cln != NULL) {
        file.fd = dup(0);
        cln->handler = ngx_pool_cleanup_file;
        cln->data = &file;
        ngx_pool_run_cleanup_file(pool, file.fd);
        T_OK(!t_is_open(file.fd));
    }

    ngx_reset_pool(pool);

    return cln != NULL;
}


/* Files */

static u_char  name[] = "/tmp/ngx_ipc_test_XXXXXX";


static void
a_name(void)
{
    int  fd;

    fd = mkstemp((char *) name);
    T_REQUIRE(fd != -1);
    close(fd);
    T_EQ(unlink((char *) name), 0);
}


/* The calls allocate no memory. */

static int
call_ngx_files(void)
{
    u_char              buf[8];
    ngx_file_t          file;
    ngx_file_mapping_t  fm;

    file.fd = ngx_open_tempfile(name, 1, 0);
    file.name.data = name;
    file.log = t_log();
    T_REQUIRE(file.fd != NGX_INVALID_FILE);

    T_EQ(ngx_write_file(&file, (u_char *) "abc", 3, 0), 3);
    T_EQ(ngx_read_file(&file, buf, 8, 0), 3);
    T_EQ(ngx_set_file_time(name, file.fd, 1), NGX_OK);
    T_EQ(ngx_trylock_fd(file.fd), 0);
    T_EQ(ngx_lock_fd(file.fd), 0);
    T_EQ(ngx_unlock_fd(file.fd), 0);
    T_EQ(ngx_read_ahead(file.fd, 1), NGX_OK);
    (void) ngx_directio_on(file.fd);
    (void) ngx_directio_off(file.fd);
    T_OK(ngx_fs_bsize(name) >= 512);
    T_OK(ngx_fs_available(name) > 0);
    close(file.fd);

    fm.name = name;
    fm.size = 4096;
    fm.log = t_log();
    T_EQ(ngx_create_file_mapping(&fm), NGX_OK);
    ngx_close_file_mapping(&fm);

    T_EQ(unlink((char *) name), 0);

    return 1;
}


/* The C library allocates memory, and the functions set errno. */

static int
call_ngx_open_dir(void)
{
    ngx_str_t  root = ngx_string("/");
    ngx_dir_t  dir;

    if (ngx_open_dir(&root, &dir) != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, t_log(), ngx_errno,
                      ngx_open_dir_n " failed");
        return 0;
    }

    T_EQ(ngx_read_dir(&dir), NGX_OK);
    T_EQ(ngx_close_dir(&dir), 0);

    return 1;
}


/* The allocator of zones needs only the memory of its zone. */

static void
a_pool_of_a_zone(void)
{
    zone = t_shared(65536);
    zone->end = (u_char *) zone + 65536;
    zone->min_shift = 3;

    (void) ngx_shmtx_create(&zone->mutex, &zone->lock, NULL);
}


static int
call_ngx_slab(void)
{
    void              *p[4];
    ngx_shm_t          memory = { .addr = (u_char *) zone, .size = 65536 };
    ngx_slab_usage_t   usage;

    ngx_slab_sizes_init();
    ngx_slab_init(zone);

    p[0] = ngx_slab_alloc(zone, 100);
    p[1] = ngx_slab_calloc(zone, 10000);
    p[2] = ngx_slab_alloc_locked(zone, 8);
    p[3] = ngx_slab_calloc_locked(zone, 64);
    T_OK(p[0] && p[1] && p[2] && p[3]);

    ngx_slab_free(zone, p[0]);
    ngx_slab_free(zone, p[1]);
    ngx_slab_free_locked(zone, p[2]);
    ngx_slab_free_locked(zone, p[3] + 1);
    T_OK(ngx_slab_alloc(zone, 1000000) == NULL);
    T_OK(ngx_slab_alloc_evict(zone, 1000000, NULL, NULL) == NULL);
    ngx_shmtx_lock(&zone->mutex);
    T_OK(ngx_slab_alloc_evict_locked(zone, 1000000, NULL, NULL) == NULL);
    ngx_shmtx_unlock(&zone->mutex);
    T_EQ(ngx_shm_prefault(&memory), NGX_OK);
    T_EQ(ngx_slab_verify(zone, NULL), NGX_OK);
    T_EQ(ngx_slab_usage(zone, &usage), NGX_OK);
    T_OK(ngx_slab_zone_size(10, 100) > 0);

    return 1;
}


static const t_call_t  calls[] = {
    { "ngx_alloc", NULL, call_ngx_alloc, 0 },
    { "ngx_calloc", NULL, call_ngx_calloc, 0 },
    { "ngx_memalign", NULL, call_ngx_memalign, 0 },
    { "ngx_set_environment", NULL, call_ngx_set_environment, 0 },
    { "ngx_os_init", NULL, call_ngx_os_init, 0 },
    { "ngx_shmtx_lock", NULL, call_ngx_shmtx_lock, 0 },
    { "ngx_rwlock_wlock", NULL, call_ngx_rwlock_wlock, 0 },
    { "ngx_ipc_counters_add", NULL, call_ngx_ipc_counters_add, 0 },
    { "ngx_setaffinity", NULL, call_ngx_setaffinity, 0 },
    { "ngx_gmtime", NULL, call_ngx_gmtime, 0 },
    { "ngx_pmemalign", a_pool, call_ngx_pmemalign, 0 },
    { "ngx_reset_pool", a_pool, call_ngx_reset_pool, 0 },
    { "ngx_get_full_name", a_pool, call_ngx_get_full_name, 0 },
    { "ngx_pool_cleanup_file", a_pool, call_ngx_pool_cleanup_file, 0 },
    { "ngx_create_file_mapping", a_name, call_ngx_files, 0 },
    { "ngx_open_dir", NULL, call_ngx_open_dir, 0 },
    { "ngx_slab_alloc", a_pool_of_a_zone, call_ngx_slab, 0 },
};


int
main(void)
{
    t_begin();
    t_run_without_memory(calls, t_nitems(calls));

    return t_end();
}
