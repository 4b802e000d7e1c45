/*
 * ngx_http_bench_module.c: the function delays() of bench.lua in C. A request to a location
 * with "bench" sends a message at each turn of a timer, and the other workers note how late
 * they get it. The answer has the median and the 99th percentile, in microseconds.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>

#define ROUNDS   300
#define START    1000   /* ms; all workers have started then */
#define PAUSE    20     /* ms */
#define WORKERS  64

static void tick_handler(ngx_ipc_message_t *m);
static void result_handler(ngx_ipc_message_t *m);

static ngx_ipc_message_type_t  tick = { .name = "bench_tick", .handler = tick_handler };
static ngx_ipc_message_type_t  result = { .name = "bench_result", .handler = result_handler };

/* In a worker that receives. */
static double               delays[ROUNDS];
static ngx_uint_t           delays_n;

/* In the worker that sends. */
static ngx_http_request_t  *request;
static ngx_event_t          timer;
static ngx_uint_t           rounds;
static double               all[WORKERS * ROUNDS];
static ngx_uint_t           all_n;


static double
now(void)
{
    struct timespec  time;

    clock_gettime(CLOCK_MONOTONIC, &time);

    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}


static void
tick_handler(ngx_ipc_message_t *m)
{
    double  sent;

    if (m->sender->worker == (ngx_int_t) ngx_worker) {
        return;
    }

    ngx_memcpy(&sent, m->data, sizeof(sent));
    delays[delays_n++] = now() - sent;

    if (delays_n == ROUNDS) {
        delays_n = 0;
        ngx_ipc_message_send(&result, m->sender->to, delays, sizeof(delays));
    }
}


static int ngx_libc_cdecl
compare(const void *one, const void *two)
{
    double  a = *(const double *) one;
    double  b = *(const double *) two;

    return (a > b) - (a < b);
}


static void
result_handler(ngx_ipc_message_t *m)
{
    u_char                    *text;
    ngx_str_t                  type = ngx_string("text/plain");
    ngx_core_conf_t           *ccf;
    ngx_http_request_t        *r = request;
    ngx_http_complex_value_t   answer;

    ngx_memcpy(&all[all_n], m->data, sizeof(delays));
    all_n += ROUNDS;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);

    if (all_n < (ngx_uint_t) (ccf->worker_processes - 1) * ROUNDS) {
        return;
    }

    qsort(all, all_n, sizeof(double), compare);

    ngx_memzero(&answer, sizeof(answer));
    text = ngx_pnalloc(r->pool, 64);

    if (text != NULL) {
        answer.value.data = text;
        answer.value.len = ngx_sprintf(text, "p50 %8.0f  p99 %8.0f\n", all[all_n / 2],
                                       all[all_n * 99 / 100])
                           - text;
    }

    ngx_http_finalize_request(r, ngx_http_send_response(r, NGX_HTTP_OK, &type, &answer));
}


static void
timer_handler(ngx_event_t *event)
{
    double  sent = now();

    ngx_ipc_message_broadcast(&tick, NGX_IPC_WORKERS|NGX_IPC_SELF, &sent, sizeof(sent));

    if (++rounds < ROUNDS) {
        ngx_add_timer(event, PAUSE);
    }
}


static ngx_int_t
request_handler(ngx_http_request_t *r)
{
    request = r;
    rounds = 0;
    all_n = 0;

    timer.handler = timer_handler;
    timer.log = ngx_cycle->log;
    ngx_add_timer(&timer, START);

    r->main->count++;

    return NGX_DONE;
}


static char *
set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *location;

    location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    location->handler = request_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
init_module(ngx_cycle_t *cycle)
{
    return ngx_ipc_message_register(&tick) == NGX_OK ? ngx_ipc_message_register(&result)
                                                     : NGX_ERROR;
}


static ngx_command_t  commands[] = {
    { ngx_string("bench"), NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS, set_handler, 0, 0, NULL },
    ngx_null_command
};


static ngx_http_module_t  context;


ngx_module_t  ngx_http_bench_module = {
    NGX_MODULE_V1,
    &context,
    commands,
    NGX_HTTP_MODULE,
    .init_module = init_module,
    NGX_MODULE_V1_PADDING
};
