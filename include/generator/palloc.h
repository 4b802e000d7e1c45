/* The data of the cleanups of files. */
typedef struct {
    ngx_fd_t    fd;
    u_char     *name;
    ngx_log_t  *log;
} ngx_pool_cleanup_file_t;


#define NGX_POOL_ALIGNMENT       16
#define NGX_MIN_POOL_SIZE        112
#define NGX_MAX_ALLOC_FROM_POOL  (ngx_pagesize - 1)


/*
 * A handler of a cleanup that closes a file.
 *
 * Logs an alert to the log of the data if close() fails.
 *
 * Safety: data is a ngx_pool_cleanup_file_t.
 *
 * References: close(2); nginx's src/core/ngx_palloc.c.
 */
void ngx_pool_cleanup_file(void *data);

/*
 * A handler of a cleanup that removes a file and closes it.
 *
 * Logs a critical line if unlink() fails, unless there is no file with the
 * name, and an alert if close() fails.
 *
 * Safety: data is a ngx_pool_cleanup_file_t.
 */
void ngx_pool_delete_file(void *data);

/*
 * Closes the file fd now, if a cleanup of the pool with the handler
 * ngx_pool_cleanup_file() would close it later.  The cleanup then does nothing.
 *
 * Safety: p is a pool.
 */
void ngx_pool_run_cleanup_file(ngx_pool_t *p, ngx_fd_t fd);
