/*
 * nginx has neither ngx_ipc.h nor ngx_ipc_message.h.  A source that includes
 * ngx_ipc.h compiles with the headers of nginx as well.
 */

/*
 * The action of ngx_debug_point(): NGX_DEBUG_POINTS_STOP,
 * NGX_DEBUG_POINTS_ABORT, or 0 for no action.
 */
extern ngx_uint_t  ngx_ipc_debug_points;

/* If not 0, ngx_shm_alloc() asks the kernel for huge pages. */
extern ngx_uint_t  ngx_ipc_huge_pages;

/* Calls ngx_ipc_init_size() with the size of a cycle in these headers. */
#define ngx_ipc_init(cycle)                                                   \
    ngx_ipc_init_size(cycle, sizeof(ngx_cycle_t))

/*
 * Calls ngx_ipc_next_process_size() with the size of the structure in these
 * headers.
 */
#define ngx_ipc_next_process(process)                                         \
    ngx_ipc_next_process_size(process, sizeof(ngx_ipc_process_t))

/* Calls ngx_ipc_program_size() with the size of the structure in these headers. */
#define ngx_ipc_program(program)                                              \
    ngx_ipc_program_size(program, sizeof(ngx_ipc_program_t))
