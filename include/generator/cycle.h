/* The cycle that is in use.  Signal handlers write to the log of this cycle. */
extern volatile ngx_cycle_t  *ngx_cycle;

/*
 * The module of the configuration ngx_core_conf_t:
 * ngx_get_conf(cycle->conf_ctx, ngx_core_module) is that of a cycle.
 */
extern ngx_module_t           ngx_core_module;

/* Whether the cycle has no configuration yet. */
#define ngx_is_init_cycle(cycle)  ((cycle)->conf_ctx == NULL)

/*
 * Calls ngx_ipc_conf_init_size() with the sizes of the structures in these
 * headers.
 */
#define ngx_ipc_conf_init(conf)                                               \
    ngx_ipc_conf_init_size(conf, sizeof(ngx_core_conf_t),                     \
                           sizeof(ngx_listening_t))
