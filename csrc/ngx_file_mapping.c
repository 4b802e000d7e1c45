/* Files in memory. */

#include <ngx_config.h>
#include <ngx_core.h>


static void
ngx_close_mapped_file(ngx_file_mapping_t *fm)
{
    if (close(fm->fd) == -1) {
        ngx_log_error(NGX_LOG_ALERT, fm->log, ngx_errno,
                      "close() \"%s\" failed", fm->name);
    }
}


/* Gives the file its size, and maps it. */

static ngx_int_t
ngx_map_file(ngx_file_mapping_t *fm)
{
    if (ftruncate(fm->fd, (off_t) fm->size) == -1) {
        ngx_log_error(NGX_LOG_CRIT, fm->log, ngx_errno,
                      "ftruncate() \"%s\" failed", fm->name);
        return NGX_ERROR;
    }

    fm->addr = mmap(NULL, fm->size, PROT_READ|PROT_WRITE, MAP_SHARED, fm->fd,
                    0);

    if (fm->addr == MAP_FAILED) {
        ngx_log_error(NGX_LOG_CRIT, fm->log, ngx_errno,
                      "mmap(%uz) \"%s\" failed", fm->size, fm->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_create_file_mapping(ngx_file_mapping_t *fm)
{
    fm->fd = ngx_open_file(fm->name, NGX_FILE_RDWR, NGX_FILE_TRUNCATE,
                           NGX_FILE_DEFAULT_ACCESS);

    if (fm->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, fm->log, ngx_errno,
                      "open() \"%s\" failed", fm->name);
        return NGX_ERROR;
    }

    if (ngx_map_file(fm) != NGX_OK) {
        ngx_close_mapped_file(fm);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_close_file_mapping(ngx_file_mapping_t *fm)
{
    if (munmap(fm->addr, fm->size) == -1) {
        ngx_log_error(NGX_LOG_CRIT, fm->log, ngx_errno,
                      "munmap(%uz) \"%s\" failed", fm->size, fm->name);
    }

    ngx_close_mapped_file(fm);
}
