/* Allocations that log a failure. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_uint_t  ngx_pagesize;
ngx_uint_t  ngx_pagesize_shift;
ngx_uint_t  ngx_cacheline_size;


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    void  *memory;

    memory = malloc(size);

    if (memory == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, ENOMEM, "malloc(%uz) failed", size);
    }

    ngx_log_debug2(NGX_LOG_DEBUG_ALLOC, log, 0, "malloc: %p:%uz",
                   memory, size);

    return memory;
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    void  *memory;

    memory = ngx_alloc(size, log);

    return (memory == NULL) ? NULL : memset(memory, 0, size);
}


void *
ngx_memalign(size_t alignment, size_t size, ngx_log_t *log)
{
    int    err;
    void  *memory;

    /* posix_memalign() returns its error and leaves errno as it was. */

    err = posix_memalign(&memory, alignment, size);

    if (err != 0) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "posix_memalign(%uz, %uz) failed", alignment, size);
        memory = NULL;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_ALLOC, log, 0, "posix_memalign: %p:%uz @%uz",
                   memory, size, alignment);

    return memory;
}
