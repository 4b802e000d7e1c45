/*
 * ngx_file.h: files with a name and a log, and names of files.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_FILE_H_INCLUDED_
#define _NGX_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* An open file, as ngx_read_file() and ngx_write_file() use it. */
struct ngx_file_s {
    ngx_fd_t         fd;
    ngx_str_t        name;
    ngx_file_info_t  info;

    off_t            offset;
    off_t            sys_offset;

    ngx_log_t       *log;

    unsigned         valid_info:1;
    unsigned         directio:1;
};


#define NGX_MAX_PATH_LEVEL  3

typedef ngx_msec_t (*ngx_path_manager_pt)(void *data);
typedef ngx_msec_t (*ngx_path_purger_pt)(void *data);
typedef void (*ngx_path_loader_pt)(void *data);

/* A directory of a cycle, for temporary or cached files. */
typedef struct {
    ngx_str_t            name;
    size_t               len;
    size_t               level[NGX_MAX_PATH_LEVEL];

    ngx_path_manager_pt  manager;
    ngx_path_purger_pt   purger;
    ngx_path_loader_pt   loader;
    void                *data;

    u_char              *conf_file;
    ngx_uint_t           line;
} ngx_path_t;


/*
 * Puts prefix before name, unless name begins with "/".
 *
 * Returns NGX_OK; then name is in the memory of the pool and a NUL follows it,
 * if it has changed.  Returns NGX_ERROR, with an emergency in the log of the
 * pool, if there is no memory; then name has not changed.
 */
ngx_int_t ngx_get_full_name(ngx_pool_t *pool, ngx_str_t *prefix,
    ngx_str_t *name);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_FILE_H_INCLUDED_ */
