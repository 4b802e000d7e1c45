/* The cycle that is in use.  Signal handlers write to the log of this cycle. */
extern volatile ngx_cycle_t  *ngx_cycle;

/*
 * The module of the configuration ngx_core_conf_t:
 * ngx_get_conf(cycle->conf_ctx, ngx_core_module) is that of a cycle.
 */
extern ngx_module_t           ngx_core_module;

/*
 * Returns the environment for a program that is executed, see execve(2).  It is the
 * environment of this process: this library has no directive "env".
 *
 * If last is NULL, the result is environ(7).  Otherwise it is an array in new memory,
 * with the same strings, and with room for *last more after them; *last becomes their
 * number.  The program stores NULL after the strings that it adds, and frees the array
 * with ngx_free().  Returns NULL, with an emergency in the log of the cycle, if there is
 * no memory.
 *
 * Safety: last is NULL, or cycle is a valid cycle.
 *
 * References: nginx's src/core/nginx.c.
 */
char **ngx_set_environment(ngx_cycle_t *cycle, ngx_uint_t *last);

/*
 * ngx_ipc_shared_memory_add() with the cycle of cf, for the functions of directives.
 *
 * Safety: cf is valid, and its cycle is as in ngx_ipc_shared_memory_add().
 *
 * References: nginx's src/core/ngx_cycle.c.
 */
ngx_shm_zone_t *ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
                                      void *tag);

/* Whether the cycle has no configuration yet. */
#define ngx_is_init_cycle(cycle)  ((cycle)->conf_ctx == NULL)

/*
 * Calls ngx_ipc_conf_init_size() with the sizes of the structures in these
 * headers.
 */
#define ngx_ipc_conf_init(conf)                                               \
    ngx_ipc_conf_init_size(conf, sizeof(ngx_core_conf_t),                     \
                           sizeof(ngx_listening_t))
