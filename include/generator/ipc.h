/*
 * This header goes with nginx's own headers as well: a source that includes
 * it compiles against either.
 */

extern ngx_uint_t  ngx_ipc_debug_points;

/* Whether ngx_shm_alloc() asks for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;
