/* The cycle in use. */
extern volatile ngx_cycle_t  *ngx_cycle;

/* ngx_ipc_conf_init() passes the sizes that the structures have here. */
#define ngx_ipc_conf_init(conf)                                               \
    ngx_ipc_conf_init_size(conf, sizeof(ngx_core_conf_t),                     \
                           sizeof(ngx_listening_t))
