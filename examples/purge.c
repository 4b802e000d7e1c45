/* A worker tells all workers to purge a page from their caches. */
#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

static void
purge_handler(ngx_ipc_message_t *m)
{
    if (ngx_process == NGX_PROCESS_MASTER) {
        ngx_quit = 1;    /* the workers handle what was sent, and exit */
        return;
    }
    printf("worker %d purges %.*s\n", (int) ngx_worker, (int) m->len, (char *) m->data);
}
static ngx_ipc_message_type_t  purge = { .name = "cache_purge", .handler = purge_handler };

static ngx_int_t
init_module(ngx_cycle_t *cycle)    /* in the master, before the workers start */
{
    (void) cycle;
    return ngx_ipc_message_register(&purge);
}

static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    (void) cycle;
    if (ngx_worker == 0) {
        ngx_ipc_message_broadcast(&purge, NGX_IPC_WORKERS|NGX_IPC_SELF, "/a", 2);
        ngx_ipc_message_send(&purge, NGX_IPC_TO_MASTER, NULL, 0);
    }
    return NGX_OK;
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t   conf;
    ngx_module_t      module = { .init_module = init_module, .init_process = init_process };
    ngx_module_t     *modules[] = { &module, NULL };

    ngx_ipc_conf_init(&conf);
    conf.worker_processes = 3;
    conf.modules = modules;
    return ngx_ipc_main(&conf, argc, argv);
}
