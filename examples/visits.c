/* visits ADDRESS [DIRECTORY]: tells each client its number, and those of the clients before it. */
#include <ngx_ipc.h>
#include <ngx_ipc_zone.h>

#define KEPT  3

typedef struct visit_s  visit_t;

struct visit_s {
    ngx_uint_t  number;
    visit_t    *next;
};

typedef struct {                        /* the root of the zone */
    ngx_uint_t  count;
    visit_t    *last;
} visits_t;

static ngx_int_t
add_visit(ngx_shm_zone_t *zone, visits_t *visits)
{
    ngx_uint_t  n;
    visit_t    *visit = ngx_ipc_zone_alloc(zone, sizeof(visit_t));

    if (visit == NULL || ngx_ipc_zone_save(zone, visits, sizeof(*visits)) != NGX_OK) {
        return NGX_ERROR;
    }
    visit->number = ++visits->count;    /* a new piece need not be saved */
    visit->next = visits->last;
    visits->last = visit;

    for (n = 1; n < KEPT && visit->next != NULL; n++) {
        visit = visit->next;
    }
    if (visit->next == NULL) { return NGX_OK; }

    if (ngx_ipc_zone_free(zone, visit->next) != NGX_OK
        || ngx_ipc_zone_save(zone, &visit->next, sizeof(visit->next)) != NGX_OK)
    {
        return NGX_ERROR;
    }
    visit->next = NULL;
    return NGX_OK;
}

static void *
create_conf(ngx_cycle_t *cycle)         /* the configuration of the module is its zone */
{
    static ngx_str_t            name = ngx_string("visits");
    static ngx_ipc_zone_type_t  type = {
        .name = ngx_string("visits"), .version = 1, .root_size = sizeof(visits_t)
    };

    return ngx_ipc_zone_add(cycle, &type, &name, 65536);
}

static ngx_core_module_t  context = { .create_conf = create_conf };
static ngx_module_t       module = { NGX_MODULE_V1, .ctx = &context, .type = NGX_CORE_MODULE };

static void
answer(ngx_connection_t *c)
{
    ngx_shm_zone_t *zone = (ngx_shm_zone_t *) ngx_get_conf(ngx_cycle->conf_ctx, module);
    visits_t       *visits = zone->data;
    u_char          text[256], *end = text;
    visit_t        *visit;

    if (ngx_ipc_zone_begin(zone) == NGX_OK) {
        if (add_visit(zone, visits) == NGX_OK) {
            for (visit = visits->last; visit != NULL; visit = visit->next) {
                end = ngx_sprintf(end, "%ui ", visit->number);
            }
            if (ngx_ipc_zone_commit(zone) == NGX_OK) { c->send(c, text, end - text); }
        } else {
            ngx_ipc_zone_abort(zone);
        }
    }
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
    conf.keep_zones = 1;                /* the visits also survive an upgrade */
    if (argc > 2) { conf.zones_directory = argv[2]; }   /* and the end of the program */
    listening.address = (argc > 1) ? argv[1] : "127.0.0.1:8080";
    return ngx_ipc_main(&conf, argc, argv);
}
