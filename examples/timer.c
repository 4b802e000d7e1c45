/* timer: one of two workers does some work each second. */
#include <ngx_ipc.h>

#define INTERVAL  1000                  /* milliseconds */

static void
work(ngx_event_t *ev)
{
    if (ngx_exiting) { return; }        /* the next generation has a leader too */

    ngx_log_error(NGX_LOG_NOTICE, ev->log, 0, "worker %ui works", ngx_worker);
    ngx_add_timer(ev, INTERVAL);
}

static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    static ngx_event_t  timer;

    if (ngx_ipc_is_leader()) {
        timer.handler = work;
        timer.log = cycle->log;
        timer.cancelable = 1;           /* a graceful shutdown does not wait for it */
        ngx_add_timer(&timer, INTERVAL);
    }
    return NGX_OK;
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_module_t     module = { NGX_MODULE_V1, .init_process = init_process };
    ngx_module_t    *modules[] = { &module, NULL };

    ngx_ipc_conf_init(&conf);
    conf.modules = modules;
    conf.worker_processes = 2;
    return ngx_ipc_main(&conf, argc, argv);
}
