/* Reading and writing of files at an offset. */

#include <ngx_config.h>
#include <ngx_core.h>


/* Returns NGX_ERROR. */

static ssize_t
ngx_file_failed(ngx_file_t *file, const char *call)
{
    ngx_log_error(NGX_LOG_CRIT, file->log, ngx_errno, "%s \"%s\" failed", call,
                  file->name.data);

    return NGX_ERROR;
}


ssize_t
ngx_read_file(ngx_file_t *file, u_char *buf, size_t size, off_t offset)
{
    ssize_t  got;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, file->log, 0, "read: %d, %p, %uz, %O",
                   file->fd, buf, size, offset);

    got = pread(file->fd, buf, size, offset);

    if (got < 0) {
        return ngx_file_failed(file, "pread()");
    }

    file->offset += got;

    return got;
}


ssize_t
ngx_write_file(ngx_file_t *file, u_char *buf, size_t size, off_t offset)
{
    size_t   done;
    ssize_t  n;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, file->log, 0, "write: %d, %p, %uz, %O",
                   file->fd, buf, size, offset);

    done = 0;

    do {
        n = pwrite(file->fd, buf + done, size - done, offset + (off_t) done);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            ngx_log_debug0(NGX_LOG_DEBUG_CORE, file->log, NGX_EINTR,
                           "pwrite() was interrupted");
            continue;
        }

        if (n == -1) {
            return ngx_file_failed(file, "pwrite()");
        }

        file->offset += n;
        done += (size_t) n;

    } while (done < size);

    return (ssize_t) done;
}
