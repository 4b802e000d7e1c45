
/*
 * A single process with one module, for the tests of typed zones: the module declares a
 * zone in each cycle, and its function of the process is the test.
 */


#ifndef _T_ZONE_H_INCLUDED_
#define _T_ZONE_H_INCLUDED_


#include "t_logger.h"
#include "t_shmem.h"

#include <ngx_ipc_zone.h>
#include <sys/mman.h>


#define SIZE   (16 * 4096)


/* What init_conf declares, and the zone of the last cycle. */

static ngx_ipc_zone_type_t  type;
static size_t               size;
static ngx_uint_t           noreuse;
static ngx_shm_zone_t      *zone;
static ngx_uint_t           undeclared;    /* 1: it declares no zone */

/* Called after the zone is declared, or NULL. */

static void               (*declare_more)(ngx_cycle_t *cycle);

static ngx_int_t          (*check)(ngx_cycle_t *cycle);
static ngx_flag_t           keep;
static const char          *directory;     /* that of the files of zones, or NULL */


static char *
init_conf(ngx_cycle_t *cycle, void *unused)
{
    static ngx_str_t  name = ngx_string("accounts");

    if (undeclared) {
        return NGX_CONF_OK;
    }

    zone = ngx_ipc_zone_add(cycle, &type, &name, size);

    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->noreuse = noreuse;

    if (declare_more) {
        declare_more(cycle);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    return check(cycle);
}


/* Runs the test in a single process.  Returns its exit status. */

static int
run(ngx_int_t (*function)(ngx_cycle_t *cycle))
{
    pid_t  pid;

    static ngx_core_conf_t    conf;
    static ngx_core_module_t  context = { ngx_string("own"), NULL, init_conf };

    static ngx_module_t       module = {
        NGX_MODULE_V1,
        &context, NULL, NGX_CORE_MODULE,
        NULL, NULL, init_process, NULL, NULL, NULL, NULL,
        NGX_MODULE_V1_PADDING
    };

    ngx_module_t  *modules[] = { &module, NULL };

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        check = function;

        ngx_ipc_conf_init(&conf);
        conf.master = 0;
        conf.keep_zones = keep;
        conf.zones_directory = directory;
        conf.modules = modules;
        conf.error_log = "stderr";

        _exit(ngx_ipc_main(&conf, 0, NULL));
    }

    return WEXITSTATUS(t_wait(pid));
}


/* Whether the log contains the text. */

static int
logged(const char *text)
{
    return strstr(t_contents(STDERR_FILENO), text) != NULL;
}


static ngx_slab_pool_t *
pool_of(ngx_shm_zone_t *z)
{
    return (ngx_slab_pool_t *) z->shm.addr;
}


/*
 * The header of a typed zone, pool->data, as docs/typed-zones.md describes it.  The undo log
 * follows.
 */

typedef struct {
    uintptr_t  magic;
    uintptr_t  version;
    uintptr_t  root;
    uintptr_t  root_size;
    uintptr_t  log_size;
    uintptr_t  owner;
    uintptr_t  dead;
    uintptr_t  flags;
    uintptr_t  state;
    uintptr_t  name_len;
    u_char     name[64];
    uintptr_t  log[];
} t_zone_header_t;


static inline t_zone_header_t *
header_of(ngx_shm_zone_t *z)
{
    return pool_of(z)->data;
}


#endif /* _T_ZONE_H_INCLUDED_ */
