/* The cycle that is in use.  Signal handlers write to the log of this cycle. */
extern volatile ngx_cycle_t  *ngx_cycle;

/*
 * Calls ngx_ipc_conf_init_size() with the sizes of the structures in these
 * headers.
 */
#define ngx_ipc_conf_init(conf)                                               \
    ngx_ipc_conf_init_size(conf, sizeof(ngx_core_conf_t),                     \
                           sizeof(ngx_listening_t))
