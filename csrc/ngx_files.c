/* Temporary files, locks on files, and advice to the kernel about files. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_fd_t
ngx_open_tempfile(u_char *name, ngx_uint_t persistent, ngx_uint_t access)
{
    ngx_fd_t  fd;

    if (access == 0) {
        access = NGX_FILE_OWNER_ACCESS;
    }

    fd = open((const char *) name, O_RDWR|O_CREAT|O_EXCL, (mode_t) access);

    if (fd != NGX_INVALID_FILE && !persistent) {
        (void) unlink((const char *) name);
    }

    return fd;
}


ngx_int_t
ngx_set_file_time(u_char *name, ngx_fd_t fd, time_t s)
{
    struct timeval  times[2];

    (void) fd;

    ngx_memzero(times, sizeof(times));
    times[0].tv_sec = ngx_time();
    times[1].tv_sec = s;

    return (utimes((const char *) name, times) == 0) ? NGX_OK : NGX_ERROR;
}


/* Returns 0 or the errno. */

static ngx_err_t
ngx_fcntl_lock(ngx_fd_t fd, int command, short type)
{
    struct flock  lock;

    ngx_memzero(&lock, sizeof(struct flock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;

    return (fcntl(fd, command, &lock) == -1) ? ngx_errno : 0;
}


ngx_err_t
ngx_trylock_fd(ngx_fd_t fd)
{
    return ngx_fcntl_lock(fd, F_SETLK, F_WRLCK);
}


ngx_err_t
ngx_lock_fd(ngx_fd_t fd)
{
    return ngx_fcntl_lock(fd, F_SETLKW, F_WRLCK);
}


ngx_err_t
ngx_unlock_fd(ngx_fd_t fd)
{
    return ngx_fcntl_lock(fd, F_SETLK, F_UNLCK);
}


ngx_int_t
ngx_read_ahead(ngx_fd_t fd, size_t n)
{
    int  err;

    (void) n;

    /* posix_fadvise() returns its error and leaves errno as it was. */

    err = posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);

    if (err != 0) {
        ngx_set_errno(err);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_set_directio(ngx_fd_t fd, int on)
{
    int  flags;

    flags = fcntl(fd, F_GETFL);

    if (flags == -1) {
        return NGX_FILE_ERROR;
    }

    return fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}


ngx_int_t
ngx_directio_on(ngx_fd_t fd)
{
    return ngx_set_directio(fd, 1);
}


ngx_int_t
ngx_directio_off(ngx_fd_t fd)
{
    return ngx_set_directio(fd, 0);
}


size_t
ngx_fs_bsize(u_char *name)
{
    struct statfs  fs;

    if (statfs((const char *) name, &fs) == -1 || fs.f_bsize % 512 != 0
        || (ngx_uint_t) fs.f_bsize > ngx_pagesize)
    {
        return 512;
    }

    return (size_t) fs.f_bsize;
}


off_t
ngx_fs_available(u_char *name)
{
    struct statfs  fs;

    if (statfs((const char *) name, &fs) == -1) {
        return NGX_MAX_OFF_T_VALUE;
    }

    return (off_t) fs.f_bavail * (off_t) fs.f_bsize;
}
