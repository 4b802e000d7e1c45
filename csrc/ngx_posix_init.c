/* The size of pages, the number of processors, and the limit of descriptors. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_int_t  ngx_ncpu;
ngx_int_t  ngx_max_sockets;


static ngx_uint_t
ngx_shift_of(ngx_uint_t size)
{
    ngx_uint_t  shift;

    for (shift = 0; ((ngx_uint_t) 2 << shift) <= size; shift++) { /* void */ }

    return shift;
}


/* The answer of sysconf(3), or otherwise if the system does not know it. */

static ngx_uint_t
ngx_known(long answer, ngx_uint_t otherwise)
{
    return (answer > 0) ? (ngx_uint_t) answer : otherwise;
}


/* As src/sys/machine.rs in a worker: another sequence in each process. */

static void
ngx_seed_random(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    srandom((unsigned) getpid() << 16 ^ (unsigned) now.tv_sec
            ^ (unsigned) (now.tv_nsec / 1000000));
}


ngx_int_t
ngx_os_init(ngx_log_t *log)
{
    struct rlimit  limit;

    ngx_pagesize = ngx_known(sysconf(_SC_PAGESIZE), 4096);
    ngx_pagesize_shift = ngx_shift_of(ngx_pagesize);
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;

#ifdef _SC_LEVEL1_DCACHE_LINESIZE
    ngx_cacheline_size = ngx_known(sysconf(_SC_LEVEL1_DCACHE_LINESIZE),
                                   NGX_CPU_CACHE_LINE);
#endif

    ngx_ncpu = (ngx_int_t) ngx_known(sysconf(_SC_NPROCESSORS_ONLN), 1);

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        if (log != NULL) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                          "getrlimit(RLIMIT_NOFILE) failed");
        }

        return NGX_ERROR;
    }

    ngx_max_sockets = (ngx_int_t) limit.rlim_cur;

    ngx_seed_random();

    return NGX_OK;
}
