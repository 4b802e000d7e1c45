
/*
 * A server whose every setting is an option, for tests/runtime.rs.
 *
 *   runtime_server [OPTION]... ADDRESS
 *
 * A connection is busy until the client closes it; a client sends one letter
 * at a time and gets a line, or more, that ends with "."
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include <sys/resource.h>

#define RT_HELPERS  8
#define RT_LOGS     1024


typedef struct {
    size_t  len;
    char    text[65536];
} rt_text_t;


static char       *rt_reconf;       /* -r: the file that a reload reads */
static ngx_flag_t  rt_exits;        /* -x: workers exit at once */
static ngx_flag_t  rt_fails;        /* -f: worker 1 cannot be set up */
static ngx_flag_t  rt_ignores;      /* -i: workers are deaf */
static ngx_flag_t  rt_stays;        /* -k: workers never finish */
static ngx_flag_t  rt_bad_module;


static void
rt_print(void *data, const char *text, size_t len)
{
    rt_text_t  *t;

    t = data;

    if (len > sizeof(t->text) - t->len) {
        len = sizeof(t->text) - t->len;
    }

    memcpy(t->text + t->len, text, len);
    t->len += len;
}


static void
rt_walk(rt_text_t *t)
{
    char               line[256];
    ngx_ipc_process_t  p;

    p.slot = -1;

    while (ngx_ipc_next_process(&p) == NGX_OK) {
        snprintf(line, sizeof(line), "%ld %d %d %ld %lu %lu %lu %d\n",
                 (long) p.slot, (int) p.pid, p.state, (long) p.worker,
                 (unsigned long) p.generation, (unsigned long) p.role,
                 (unsigned long) p.respawns, p.started > 0);
        rt_print(t, line, strlen(line));
    }
}


static void
rt_who(rt_text_t *t)
{
    char  line[512], folder[256];

    if (getcwd(folder, sizeof(folder)) == NULL) {
        folder[0] = '\0';
    }

    snprintf(line, sizeof(line), "%d %lu %lu %lu %s\n", (int) ngx_pid,
             (unsigned long) ngx_worker, (unsigned long) ngx_ipc_generation(),
             (unsigned long) ngx_ipc_is_leader(), folder);
    rt_print(t, line, strlen(line));
}


static void
rt_handler(ngx_event_t *ev)
{
    u_char             what;
    ssize_t            n;
    ngx_connection_t  *c;
    static rt_text_t   t;

    c = ev->data;

    if (c->close) {
        ngx_close_connection(c);
        return;
    }

    n = c->recv(c, &what, 1);

    if (n == NGX_AGAIN) {
        if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
            ngx_close_connection(c);
        }
        return;
    }

    if (n <= 0) {
        ngx_close_connection(c);
        return;
    }

    t.len = 0;

    switch (what) {
    case 'l': ngx_ipc_print_processes(rt_print, &t); break;
    case 'n': rt_walk(&t); break;
    case 'w': rt_who(&t); break;
    case 'i': c->idle = 1; break;
    }

    rt_print(&t, ".\n", 2);

    if (c->send(c, (u_char *) t.text, t.len) != (ssize_t) t.len) {
        ngx_close_connection(c);
        return;
    }

    c->read->ready = 0;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_close_connection(c);
    }
}


static void
rt_accept(ngx_connection_t *c)
{
    static ngx_log_t  logs[RT_LOGS];

    if (c->fd < RT_LOGS) {

        /* a log of the connection's own, as nginx's modules have it */

        logs[c->fd] = *c->log;
        c->log = &logs[c->fd];
        c->read->log = c->log;
        c->write->log = c->log;
    }

    c->read->handler = rt_handler;
    rt_handler(c->read);
}


static void
rt_exit(ngx_event_t *ev)
{
    (void) ev;
    exit(1);
}


static void
rt_nothing(ngx_event_t *ev)
{
    (void) ev;
}


static void
rt_help(ngx_event_t *ev)
{
    ngx_log_error(NGX_LOG_NOTICE, ev->log, 0, "helper works, role:%ui",
                  ngx_process);
}


static ngx_int_t
rt_init_module(ngx_cycle_t *cycle)
{
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "hook init_module");

    return rt_bad_module ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
rt_init_process(ngx_cycle_t *cycle)
{
    static ngx_event_t  ev;

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                  "hook init_process role:%ui worker:%ui leader:%ui "
                  "generation:%ui", ngx_process, ngx_worker,
                  ngx_ipc_is_leader(), ngx_ipc_generation());

    ev.log = cycle->log;

    if (rt_fails && ngx_worker == 1) {
        return NGX_ERROR;
    }

    if (rt_ignores) {
        signal(SIGTERM, SIG_IGN);

        for ( ;; ) {
            pause();
        }
    }

    if (rt_exits || rt_stays) {
        ev.handler = rt_exits ? rt_exit : rt_nothing;
        ngx_add_timer(&ev, rt_exits ? 0 : 3600 * 1000);
    }

    return NGX_OK;
}


static void
rt_exit_process(ngx_cycle_t *cycle)
{
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "hook exit_process");
}


static void
rt_exit_master(ngx_cycle_t *cycle)
{
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "hook exit_master");
}


static ngx_module_t  rt_module = {
    NGX_MODULE_V1,
    NULL,                                  /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    rt_init_module,                        /* init module */
    rt_init_process,                       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    rt_exit_process,                       /* exit process */
    rt_exit_master,                        /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * What the file says: "refuse", "module", "workers N", "address A", "pid P" or
 * "log L".
 */

static ngx_int_t
rt_reconfigure(ngx_core_conf_t *conf)
{
    FILE             *f;
    char              what[32], value[512];
    ngx_listening_t  *listening;

    what[0] = '\0';
    value[0] = '\0';

    f = fopen(rt_reconf, "r");

    if (f != NULL) {
        if (fscanf(f, "%31s %511s", what, value) < 1) {
            what[0] = '\0';
        }
        fclose(f);
    }

    rt_bad_module = (strcmp(what, "module") == 0);

    if (strcmp(what, "refuse") == 0) {
        return NGX_ERROR;
    }

    if (strcmp(what, "workers") == 0) {
        conf->worker_processes = atoi(value);
    }

    if (strcmp(what, "pid") == 0) {
        conf->pid = strdup(value);
    }

    if (strcmp(what, "log") == 0) {
        conf->error_log = strdup(value);
    }

    if (strcmp(what, "address") == 0) {
        /* the array is the old configuration's as well */
        listening = malloc(sizeof(ngx_listening_t));
        *listening = *conf->listening;
        listening->address = strdup(value);
        conf->listening = listening;
    }

    return NGX_OK;
}


static void
rt_limit(rlim_t n)
{
    struct rlimit  limit;

    limit.rlim_cur = n;
    limit.rlim_max = n;

    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
        perror("setrlimit()");
        exit(1);
    }
}


int
main(int argc, char **argv)
{
    int                             option, i;
    ngx_module_t                   *modules[] = { &rt_module, NULL };
    ngx_core_conf_t                 conf;
    ngx_listening_t                 listening;
    static char                     names[RT_HELPERS][32];
    static ngx_cache_manager_ctx_t  helpers[RT_HELPERS];

    ngx_ipc_conf_init(&conf);
    ngx_memzero(&listening, sizeof(ngx_listening_t));

    conf.name = "server";
    conf.modules = modules;
    conf.listening = &listening;
    conf.listening_n = 1;
    conf.status_signal = SIGTTIN;
    conf.helpers = helpers;
    listening.handler = rt_accept;

    for (i = 0; i < RT_HELPERS; i++) {
        snprintf(names[i], sizeof(names[i]), "helper %d process", i);
        helpers[i].name = names[i];
        helpers[i].handler = rt_help;
    }

    while ((option = getopt(argc, argv, "dp:l:w:r:xfikot:m:u:cn:C:b:1"))
           != -1)
    {
        switch (option) {
        case 'd': conf.daemon = 1; break;
        case 'p': conf.pid = optarg; break;
        case 'l': conf.error_log = optarg; break;
        case 'w': conf.worker_processes = atoi(optarg); break;
        case 'r': rt_reconf = strdup(optarg);
                  conf.reconfigure = rt_reconfigure; break;
        case 'x': rt_exits = 1; break;
        case 'f': rt_fails = 1; break;
        case 'i': rt_ignores = 1; break;
        case 'k': rt_stays = 1; break;
        case 'o': conf.orphans_stay = 1; break;
        case 't': conf.shutdown_timeout = atoi(optarg); break;
        case 'm': conf.helpers_n = atoi(optarg); break;
        case 'u': conf.username = optarg; break;
        case 'c': conf.cpu_affinity_auto = 1; break;
        case 'n': conf.rlimit_nofile = atoi(optarg); break;
        case 'C': conf.working_directory = optarg; break;
        case 'b': rt_limit(atoi(optarg)); break;
        case '1': conf.master = 0; break;
        default: return 2;
        }
    }

    listening.address = argv[optind];

    return ngx_ipc_main(&conf, argc, argv);
}
