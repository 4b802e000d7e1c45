/*
 * ngx_core.h: return codes, and all headers that nginx's ngx_core.h includes.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_CORE_H_INCLUDED_
#define _NGX_CORE_H_INCLUDED_


#include <ngx_config.h>


typedef struct ngx_cache_manager_ctx_s  ngx_cache_manager_ctx_t;
typedef struct ngx_command_s            ngx_command_t;
typedef struct ngx_conf_s               ngx_conf_t;
typedef struct ngx_connection_s         ngx_connection_t;
typedef struct ngx_core_conf_s          ngx_core_conf_t;
typedef struct ngx_cycle_s              ngx_cycle_t;
typedef struct ngx_event_s              ngx_event_t;
typedef struct ngx_file_s               ngx_file_t;
typedef struct ngx_listening_s          ngx_listening_t;
typedef struct ngx_log_s                ngx_log_t;
typedef struct ngx_module_s             ngx_module_t;
typedef struct ngx_open_file_s          ngx_open_file_t;
typedef struct ngx_pool_s               ngx_pool_t;
typedef struct ngx_pool_cleanup_s       ngx_pool_cleanup_t;
typedef struct ngx_shm_zone_s           ngx_shm_zone_t;

typedef int                        ngx_fd_t;
typedef int                        ngx_socket_t;
typedef int                        ngx_err_t;
typedef pid_t                      ngx_pid_t;
typedef ngx_uint_t                 ngx_msec_t;
typedef ngx_int_t                  ngx_msec_int_t;
typedef long                       ngx_atomic_int_t;
typedef unsigned long              ngx_atomic_uint_t;
typedef volatile ngx_atomic_uint_t ngx_atomic_t;
typedef struct stat                ngx_file_info_t;
typedef struct tm                  ngx_tm_t;

typedef struct {
    size_t   len;
    u_char  *data;
} ngx_str_t;

typedef void (*ngx_event_handler_pt)(ngx_event_t *ev);


#define NGX_OK           0
#define NGX_ERROR       -1
#define NGX_AGAIN       -2
#define NGX_BUSY        -3
#define NGX_DONE        -4
#define NGX_DECLINED    -5
#define NGX_ABORT       -6

#define NGX_INVALID_PID  -1

#define LF     (u_char) '\n'
#define CR     (u_char) '\r'
#define CRLF   "\r\n"

#define ngx_stdout  STDOUT_FILENO
#define ngx_stderr  STDERR_FILENO

#define ngx_abs(value)       (((value) >= 0) ? (value) : - (value))
#define ngx_max(val1, val2)  (((val1) < (val2)) ? (val2) : (val1))
#define ngx_min(val1, val2)  (((val1) > (val2)) ? (val2) : (val1))


#include <ngx_queue.h>
#include <ngx_rbtree.h>
#include <ngx_array.h>
#include <ngx_list.h>
#include <ngx_errno.h>
#include <ngx_atomic.h>
#include <ngx_string.h>
#include <ngx_parse.h>
#include <ngx_hash.h>
#include <ngx_crc.h>
#include <ngx_crc32.h>
#include <ngx_murmurhash.h>
#include <ngx_shmem.h>
#include <ngx_process.h>
#include <ngx_setproctitle.h>
#include <ngx_log.h>
#include <ngx_alloc.h>
#include <ngx_time.h>
#include <ngx_socket.h>
#include <ngx_user.h>
#include <ngx_setaffinity.h>
#include <ngx_files.h>
#include <ngx_file.h>
#include <ngx_palloc.h>
#include <ngx_times.h>
#include <ngx_rwlock.h>
#include <ngx_shmtx.h>
#include <ngx_slab.h>
#include <ngx_cycle.h>
#include <ngx_process_cycle.h>
#include <ngx_module.h>
#include <ngx_conf_file.h>
#include <ngx_os.h>
#include <ngx_connection.h>


#endif /* _NGX_CORE_H_INCLUDED_ */
