/*
 * This is the only header of ngx-ipc that nginx does not have.  A source that
 * includes it compiles with the headers of nginx as well.
 */

/* What ngx_debug_point() does: 0, NGX_DEBUG_POINTS_STOP or _ABORT. */
extern ngx_uint_t  ngx_ipc_debug_points;

/* If not 0, ngx_shm_alloc() asks the kernel for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;

/* ngx_ipc_init() passes the size that a cycle has here. */
#define ngx_ipc_init(cycle)                                                   \
    ngx_ipc_init_size(cycle, sizeof(ngx_cycle_t))

/* ngx_ipc_next_process() passes the size that the structure has here. */
#define ngx_ipc_next_process(process)                                         \
    ngx_ipc_next_process_size(process, sizeof(ngx_ipc_process_t))
