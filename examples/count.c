/* count ADDRESS: tells each client how many clients the workers have had together. */
#include <ngx_ipc.h>

static ngx_atomic_t  *clients;          /* in the zone */

static ngx_int_t
init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) zone->shm.addr;

    (void) data;

    if (!zone->shm.exists) {            /* new memory, not that of before a reload */
        pool->data = ngx_slab_calloc(pool, sizeof(ngx_atomic_t));
    }
    clients = pool->data;
    return (clients != NULL) ? NGX_OK : NGX_ERROR;
}

static char *
init_conf(ngx_cycle_t *cycle, void *conf)
{
    static ngx_str_t  name = ngx_string("clients");
    ngx_shm_zone_t   *zone = ngx_ipc_shared_memory_add(cycle, &name, 65536, &name);

    (void) conf;

    if (zone == NULL) { return NGX_CONF_ERROR; }
    zone->init = init_zone;
    return NGX_CONF_OK;
}

static void
answer(ngx_connection_t *c)
{
    u_char  text[32];
    u_char *end = ngx_sprintf(text, "%uA\n", ngx_atomic_fetch_add(clients, 1) + 1);

    c->send(c, text, end - text);
    ngx_close_connection(c);
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t    conf;
    ngx_core_module_t  context = { .init_conf = init_conf };
    ngx_module_t       module = { NGX_MODULE_V1, .ctx = &context, .type = NGX_CORE_MODULE };
    ngx_module_t      *modules[] = { &module, NULL };
    ngx_listening_t    listening = { .handler = answer };

    ngx_ipc_conf_init(&conf);
    conf.modules = modules;
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.worker_processes = 4;
    conf.keep_zones = 1;                /* the count also survives an upgrade */
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:8080";
    return ngx_ipc_main(&conf, argc, argv);
}
