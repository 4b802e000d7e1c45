/* metrics FILE: a helper writes metrics to FILE, for node_exporter's textfile collector. */
#include <ngx_ipc.h>

static char  *file, temporary[4096];

static void
print(void *data, const char *text, size_t len)
{
    fwrite(text, 1, len, data);
}

static void
write_metrics(ngx_event_t *ev)
{
    FILE                    *f = fopen(temporary, "w");
    static ngx_ipc_number_t  own = { "writes", "metrics_writes_total", "How often.", 0 };

    own.value++;
    if (f && ngx_ipc_print_status(NGX_IPC_PROMETHEUS, &own, 1, print, f) == NGX_OK
        && fclose(f) == 0 && rename(temporary, file) == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, ev->log, errno, "rename() failed");
    }
    ngx_add_timer(ev, 1000);
}

int
main(int argc, char **argv)
{
    ngx_core_conf_t          conf;
    ngx_cache_manager_ctx_t  helper = { write_metrics, "metrics writer", 0 };

    ngx_ipc_conf_init(&conf);
    file = (argc > 1) ? argv[1] : "metrics.prom";
    snprintf(temporary, sizeof(temporary), "%s.new", file);
    conf.version = "1.2";
    conf.helpers = &helper;
    conf.helpers_n = 1;
    return ngx_ipc_main(&conf, argc, argv);
}
