/*
 * This is the only header of ngx-ipc that nginx does not have.  A source that
 * includes it compiles with the headers of nginx as well.
 */

/* What ngx_debug_point() does: 0, NGX_DEBUG_POINTS_STOP or _ABORT. */
extern ngx_uint_t  ngx_ipc_debug_points;

/* If not 0, ngx_shm_alloc() asks the kernel for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;
