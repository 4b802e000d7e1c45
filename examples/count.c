/* count ADDRESS [DIRECTORY]: tells each client how many clients the workers have had together. */
#include <ngx_ipc.h>

static ngx_int_t
init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) zone->shm.addr;

    (void) data;

    if (!zone->shm.exists) {            /* new memory, not that of before a reload */
        pool->data = ngx_slab_calloc(pool, sizeof(ngx_atomic_t));
    }
    return (pool->data != NULL) ? NGX_OK : NGX_ERROR;
}

static void *
create_conf(ngx_cycle_t *cycle)         /* the configuration of the module is its zone */
{
    static ngx_str_t  name = ngx_string("clients");
    ngx_shm_zone_t   *zone = ngx_ipc_shared_memory_add(cycle, &name, 65536, &name);

    if (zone != NULL) { zone->init = init_zone; }
    return zone;
}

static ngx_core_module_t  context = { .create_conf = create_conf };
static ngx_module_t       module = { NGX_MODULE_V1, .ctx = &context, .type = NGX_CORE_MODULE };

static void
answer(ngx_connection_t *c)
{
    ngx_shm_zone_t   *zone = (ngx_shm_zone_t *) ngx_get_conf(ngx_cycle->conf_ctx, module);
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) zone->shm.addr;
    ngx_atomic_t     *clients = pool->data;
    u_char            text[32], *end;

    end = ngx_sprintf(text, "%uA\n", ngx_atomic_fetch_add(clients, 1) + 1);
    c->send(c, text, end - text);
    ngx_close_connection(c);
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t   conf;
    ngx_module_t     *modules[] = { &module, NULL };
    ngx_listening_t   listening = { .handler = answer };

    ngx_ipc_conf_init(&conf);
    conf.modules = modules;
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.worker_processes = 4;
    conf.keep_zones = 1;                /* the count also survives an upgrade */
    if (argc > 2) { conf.zones_directory = argv[2]; }   /* and the end of the program */
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:8080";
    return ngx_ipc_main(&conf, argc, argv);
}
