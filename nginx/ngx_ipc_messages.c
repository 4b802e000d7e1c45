
/*
 * Messages between processes, ngx_ipc_message.h, in nginx: the directive
 *
 *   ipc_messages on | off;
 *   ipc_messages [size=SIZE] [max=SIZE] [processes=N] [spin=N];
 *
 * of the main context.  An nginx has messages if it has the directive, without
 * "off", or if a module has registered a type in init_module.  The memory is made
 * before the first worker is started, and does not change at a reload.  What modules
 * register belongs to the cycle that is being made: this module's create_conf is
 * called before any init_module.
 *
 *   size        the memory for the messages that wait for one process, 4m
 *   max         the largest message, 1m
 *   processes   the number of processes that have messages: by default four times
 *               the number of workers and helpers, and at least 64
 *   spin        the microseconds for which a worker that has handled a message
 *               looks for the next one, 0; at most 1000000
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_ipc_messages.h"


/* a parameter "name=number" of the directive */

typedef struct {
    ngx_str_t   name;
    ngx_uint_t  is_size;
    size_t      offset;         /* in ngx_ipc_messages_conf_t */
} ngx_ipc_messages_parameter_t;


typedef struct {
    ngx_flag_t  is_set;
    ngx_flag_t  enabled;
    size_t      size;
    size_t      max;
    size_t      processes;
    size_t      spin;
} ngx_ipc_messages_conf_t;


/* functions of the library that only this file calls */

void ngx_ipc_messages_new_cycle(void);
void ngx_ipc_messages_configure(ngx_uint_t always, size_t size, size_t largest,
    ngx_uint_t processes, ngx_uint_t spin, ngx_uint_t children);
void ngx_ipc_messages_leave(void);


static ngx_int_t ngx_ipc_messages_init_process(ngx_cycle_t *cycle);
static void *ngx_ipc_messages_create_conf(ngx_cycle_t *cycle);
static char *ngx_ipc_messages_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_ipc_messages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_ipc_messages_init_module(ngx_cycle_t *cycle);
static void ngx_ipc_messages_exit_process(ngx_cycle_t *cycle);
static void ngx_ipc_messages_exit_master(ngx_cycle_t *cycle);


static ngx_command_t  ngx_ipc_messages_commands[] = {

    { ngx_string("ipc_messages"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_ANY,
      ngx_ipc_messages,
      0,
      0,
      NULL },

    /* the name of the directive in earlier versions */

    { ngx_string("ngx_ipc_messages"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_ANY,
      ngx_ipc_messages,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_ipc_messages_parameter_t  ngx_ipc_messages_parameters[] = {

    { ngx_string("size="), 1, offsetof(ngx_ipc_messages_conf_t, size) },

    /* the name of "size" in earlier versions */

    { ngx_string("memory="), 1, offsetof(ngx_ipc_messages_conf_t, size) },

    { ngx_string("max="), 1, offsetof(ngx_ipc_messages_conf_t, max) },
    { ngx_string("processes="), 0,
      offsetof(ngx_ipc_messages_conf_t, processes) },
    { ngx_string("spin="), 0, offsetof(ngx_ipc_messages_conf_t, spin) },
    { ngx_null_string, 0, 0 }
};


static ngx_core_module_t  ngx_ipc_messages_module_ctx = {
    ngx_string("ngx_ipc_messages"),
    ngx_ipc_messages_create_conf,          /* create configuration */
    ngx_ipc_messages_init_conf             /* init configuration */
};


ngx_module_t  ngx_ipc_messages_module = {
    NGX_MODULE_V1,
    &ngx_ipc_messages_module_ctx,          /* module context */
    ngx_ipc_messages_commands,             /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ipc_messages_init_module,          /* init module */
    ngx_ipc_messages_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_ipc_messages_exit_process,         /* exit process */
    ngx_ipc_messages_exit_master,          /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_ipc_messages_create_conf(ngx_cycle_t *cycle)
{
    ngx_ipc_messages_new_cycle();

    return ngx_pcalloc(cycle->pool, sizeof(ngx_ipc_messages_conf_t));
}


/* Parses "name=number".  Returns NULL, or what is wrong with the argument. */

static char *
ngx_ipc_messages_number(ngx_str_t *arg, ngx_ipc_messages_conf_t *imcf,
    ngx_uint_t *set)
{
    off_t                          n;
    ngx_str_t                      value;
    ngx_uint_t                     bit;
    ngx_ipc_messages_parameter_t  *p;

    for (p = ngx_ipc_messages_parameters; p->name.len; p++) {
        if (ngx_strncmp(arg->data, p->name.data, p->name.len) == 0) {
            break;
        }
    }

    if (p->name.len == 0) {
        return "invalid";
    }

    bit = (ngx_uint_t) 1 << (p->offset / sizeof(size_t));

    if (*set & bit) {
        return "duplicate";
    }

    *set |= bit;

    value.data = arg->data + p->name.len;
    value.len = arg->len - p->name.len;

    n = p->is_size ? ngx_parse_offset(&value)
                   : ngx_atoi(value.data, value.len);

    if (n == NGX_ERROR) {
        return "invalid";
    }

    /* all limits, which are checked later, are smaller */

    n = ngx_min(n, (off_t) NGX_MAX_INT32_VALUE);

    *(size_t *) ((char *) imcf + p->offset) = (size_t) n;

    return NULL;
}


static char *
ngx_ipc_messages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ipc_messages_conf_t  *imcf = conf;

    char        *wrong;
    ngx_str_t   *value;
    ngx_uint_t   i, set;

    if (imcf->is_set) {
        return "is duplicate";
    }

    imcf->is_set = 1;
    imcf->enabled = 1;
    value = cf->args->elts;
    set = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "on") == 0
            || ngx_strcmp(value[i].data, "off") == 0)
        {
            if (cf->args->nelts > 2) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" takes no other parameters",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            imcf->enabled = (value[i].len == 2);
            return NGX_CONF_OK;
        }

        wrong = ngx_ipc_messages_number(&value[i], imcf, &set);

        if (wrong) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s parameter \"%V\"", wrong, &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return (char *) ngx_ipc_messages_check(imcf->size, imcf->max,
                                           imcf->processes, imcf->spin);
}


/*
 * Called by the library.  The numbers of processes that nginx's master starts for
 * a cycle, as ngx_start_cache_manager_processes() finds them.
 */

void
ngx_ipc_processes_of(ngx_cycle_t *cycle, ngx_uint_t *workers,
    ngx_uint_t *helpers)
{
    ngx_uint_t        i, manager, loader;
    ngx_path_t      **path;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    manager = 0;
    loader = 0;
    path = cycle->paths.elts;

    for (i = 0; i < cycle->paths.nelts; i++) {
        manager |= (path[i]->manager != NULL);
        loader |= (path[i]->loader != NULL);
    }

    *workers = ccf->worker_processes;
    *helpers = manager ? 1 + loader : 0;

#if (HAVE_PRIVILEGED_PROCESS_PATCH)

    /* OpenResty starts it after the others */
    *helpers += (ccf->privileged_agent != 0);

#endif
}


/*
 * Warns if the workers of a reload would have no messages because the old workers still
 * run.  This is no error: nginx serves its clients without messages.
 */

static char *
ngx_ipc_messages_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_ipc_messages_conf_t  *imcf = conf;

    ngx_uint_t        least, workers, helpers;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (imcf->processes == 0 || !ccf->master) {
        return NGX_CONF_OK;
    }

    ngx_ipc_processes_of(cycle, &workers, &helpers);

    /* "processes" is at most 1020 */

    least = ngx_min(2 * (workers + helpers), 1020);

    if (imcf->processes < least) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"processes=%ui\" of \"ipc_messages\" is too small for a "
                      "reload: %ui workers and %ui helpers need %ui, so that "
                      "the new ones have messages while the old ones exit",
                      imcf->processes, workers, helpers, least);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ipc_messages_init_module(ngx_cycle_t *cycle)
{
    ngx_core_conf_t          *ccf;
    ngx_ipc_messages_conf_t  *imcf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    imcf = (ngx_ipc_messages_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                    ngx_ipc_messages_module);

    /* two helpers: the cache manager and the cache loader */

    ngx_ipc_messages_configure(imcf->enabled, imcf->size, imcf->max,
                               imcf->processes, imcf->spin,
                               ccf->worker_processes + 2);

    return NGX_OK;
}


/*
 * A process with a master watches its wake-up descriptor when it adds its channel.
 * The event core is initialized before this module, as nginx/config says.
 */

static ngx_int_t
ngx_ipc_messages_init_process(ngx_cycle_t *cycle)
{
    return (ngx_process == NGX_PROCESS_SINGLE) ? ngx_ipc_messages_add(cycle)
                                               : NGX_OK;
}


static void
ngx_ipc_messages_exit_process(ngx_cycle_t *cycle)
{
    ngx_ipc_messages_finish();
}


static void
ngx_ipc_messages_exit_master(ngx_cycle_t *cycle)
{
    ngx_ipc_messages_leave();
}
