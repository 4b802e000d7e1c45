/* Files that are closed when a pool is destroyed. */

#include <ngx_config.h>
#include <ngx_core.h>


static void
ngx_close_pool_file(ngx_pool_cleanup_file_t *file)
{
    if (close(file->fd) == -1) {
        ngx_log_error(NGX_LOG_ALERT, file->log, ngx_errno,
                      "close() \"%s\" failed", file->name);
    }
}


/* The program can have removed the file itself. */

static void
ngx_unlink_pool_file(ngx_pool_cleanup_file_t *file)
{
    if (unlink((const char *) file->name) == 0 || ngx_errno == NGX_ENOENT) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, file->log, ngx_errno, "unlink() \"%s\" failed",
                  file->name);
}


void
ngx_pool_cleanup_file(void *data)
{
    ngx_pool_cleanup_file_t  *file = (ngx_pool_cleanup_file_t *) data;

    ngx_log_debug1(NGX_LOG_DEBUG_ALLOC, file->log, 0, "file cleanup: fd:%d",
                   file->fd);

    ngx_close_pool_file(file);
}


void
ngx_pool_delete_file(void *data)
{
    ngx_pool_cleanup_file_t  *file = (ngx_pool_cleanup_file_t *) data;

    ngx_log_debug2(NGX_LOG_DEBUG_ALLOC, file->log, 0, "file cleanup: fd:%d %s",
                   file->fd, file->name);

    ngx_unlink_pool_file(file);
    ngx_close_pool_file(file);
}


void
ngx_pool_run_cleanup_file(ngx_pool_t *p, ngx_fd_t fd)
{
    ngx_pool_cleanup_t       *cleanup;
    ngx_pool_cleanup_file_t  *file;

    for (cleanup = p->cleanup; cleanup != NULL; cleanup = cleanup->next) {

        if (cleanup->handler != ngx_pool_cleanup_file) {
            continue;
        }

        file = (ngx_pool_cleanup_file_t *) cleanup->data;

        if (file->fd == fd) {
            cleanup->handler = NULL;
            ngx_pool_cleanup_file(file);
            return;
        }
    }
}
