
/*
 * Zones whose content survives a restart of nginx, a binary upgrade and a
 * master that was killed: the directive
 *
 *   ngx_ipc_keep_zones DIRECTORY;
 *
 * of the main context.  The memory of such a zone is a file in the directory.
 * The library makes the file, and fills it with the content of the file that an
 * earlier nginx has left; ngx_ipc_zone_content.c checks the structures in it.
 *
 * A module initializes the zone of a new nginx as always.  Then the library
 * replaces the empty pool by the earlier content, at the same address.  So what
 * the module has remembered, the address of its structure, stays right.  A tree
 * contains the address of a function, which is another one in each process; it
 * is that of the empty tree.
 *
 * Only zones with structures that can be checked are kept: those of
 * limit_req, of caches of files and of SSL sessions.  The connections that
 * limit_conn and an upstream count are not those of a later nginx.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#if (NGX_HTTP_CACHE)
#include <ngx_http.h>
#endif

#include "ngx_ipc_zone_content.h"


/* A zone, as the library needs it. */

typedef struct {
    ngx_str_t  name;
    ngx_str_t  directory;
    ngx_str_t  identity;
} ngx_ipc_kept_zone_t;


/* functions that this file and the library call */

ngx_uint_t ngx_ipc_zone_is_kept(ngx_shm_t *shm, ngx_ipc_kept_zone_t *kept);
ngx_int_t ngx_ipc_zone_publish(ngx_shm_t *shm, ngx_ipc_kept_zone_t *kept,
    ngx_uint_t is_known, ngx_uint_t is_upgrade);


static void *ngx_ipc_keep_zones_create_conf(ngx_cycle_t *cycle);
static char *ngx_ipc_keep_zones(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_ipc_keep_zones_init_module(ngx_cycle_t *cycle);


typedef struct {
    ngx_str_t  directory;
} ngx_ipc_keep_zones_conf_t;


static ngx_command_t  ngx_ipc_keep_zones_commands[] = {

    { ngx_string("ngx_ipc_keep_zones"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_ipc_keep_zones,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_ipc_keep_zones_module_ctx = {
    ngx_string("ngx_ipc_keep_zones"),
    ngx_ipc_keep_zones_create_conf,        /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_ipc_keep_zones_module = {
    NGX_MODULE_V1,
    &ngx_ipc_keep_zones_module_ctx,        /* module context */
    ngx_ipc_keep_zones_commands,           /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ipc_keep_zones_init_module,        /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* the cycle that nginx makes, until its zones have their files */

static ngx_cycle_t  *ngx_ipc_new_cycle;


/* nginx destroys the pool of a cycle that it could not make. */

static void
ngx_ipc_forget_cycle(void *data)
{
    if (ngx_ipc_new_cycle == data) {
        ngx_ipc_new_cycle = NULL;
    }
}


static void *
ngx_ipc_keep_zones_create_conf(ngx_cycle_t *cycle)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_ipc_forget_cycle;
    cln->data = cycle;

    ngx_ipc_new_cycle = cycle;

    return ngx_pcalloc(cycle->pool, sizeof(ngx_ipc_keep_zones_conf_t));
}


static char *
ngx_ipc_keep_zones(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ipc_keep_zones_conf_t  *ikcf = conf;

#if (NGX_IPC_ZONES)

    ngx_str_t  *value;

    if (ikcf->directory.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty parameter";
    }

    ikcf->directory = value[1];

    if (ngx_conf_full_name(cf->cycle, &ikcf->directory, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

#else

    (void) ikcf;

    return "needs the pools of ngx-ipc, which this nginx does not have";

#endif
}


#if (NGX_IPC_ZONES)


typedef struct {
    char            *module;
    ngx_ipc_kind_e   kind;
} ngx_ipc_kept_module_t;


static ngx_ipc_kept_module_t  ngx_ipc_kept_modules[] = {
    { "ngx_http_limit_req_module", NGX_IPC_LIMIT_REQ },
    { "ngx_http_ssl_module", NGX_IPC_SSL_SESSIONS },
    { "ngx_mail_ssl_module", NGX_IPC_SSL_SESSIONS },
    { "ngx_stream_ssl_module", NGX_IPC_SSL_SESSIONS },
#if (NGX_HTTP_CACHE)
    { "ngx_http_proxy_module", NGX_IPC_CACHE },
    { "ngx_http_fastcgi_module", NGX_IPC_CACHE },
    { "ngx_http_scgi_module", NGX_IPC_CACHE },
    { "ngx_http_uwsgi_module", NGX_IPC_CACHE },
#endif
    { NULL, NGX_IPC_NOT_KEPT }
};


static ngx_ipc_kept_module_t *
ngx_ipc_kept_module(ngx_cycle_t *cycle, ngx_shm_zone_t *zone)
{
    ngx_uint_t  i, n;

    if (zone->noreuse) {
        return NULL;
    }

    for (i = 0; cycle->modules[i]; i++) {

        if (zone->tag != cycle->modules[i]) {
            continue;
        }

        for (n = 0; ngx_ipc_kept_modules[n].module; n++) {
            if (ngx_strcmp(cycle->modules[i]->name,
                           ngx_ipc_kept_modules[n].module)
                == 0)
            {
                return &ngx_ipc_kept_modules[n];
            }
        }
    }

    return NULL;
}


/*
 * The content of a zone is used again only by an nginx with the same identity:
 * the version of nginx, the signature of its modules, the module, and the files
 * of a cache.
 */

static ngx_int_t
ngx_ipc_zone_identity(ngx_cycle_t *cycle, ngx_shm_zone_t *zone,
    ngx_ipc_kept_module_t *module, ngx_str_t *identity)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   place;

#if (NGX_HTTP_CACHE)
    ngx_http_file_cache_t  *cache;
#endif

    ngx_str_null(&place);

#if (NGX_HTTP_CACHE)
    cache = (module->kind == NGX_IPC_CACHE) ? zone->data : NULL;

    if (cache != NULL) {
        place = cache->path->name;
    }
#endif

    len = sizeof(NGINX_VER_BUILD) + sizeof(NGX_MODULE_SIGNATURE)
          + ngx_strlen(module->module) + place.len
          + NGX_MAX_PATH_LEVEL * (NGX_SIZE_T_LEN + 1) + sizeof("\n\n\n");

    p = ngx_pnalloc(cycle->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    identity->data = p;

    p = ngx_sprintf(p, "%s\n%s\n%s\n%V", NGINX_VER_BUILD, NGX_MODULE_SIGNATURE,
                    module->module, &place);

#if (NGX_HTTP_CACHE)
    if (cache != NULL) {
        for (len = 0; len < NGX_MAX_PATH_LEVEL; len++) {
            p = ngx_sprintf(p, ":%uz", (size_t) cache->path->level[len]);
        }
    }
#endif

    identity->len = p - identity->data;

    return NGX_OK;
}


/* Returns NGX_IPC_NOT_KEPT if the content of the zone is not kept. */

static ngx_ipc_kind_e
ngx_ipc_describe(ngx_cycle_t *cycle, ngx_shm_zone_t *zone,
    ngx_ipc_kept_zone_t *kept)
{
    ngx_ipc_kept_module_t      *module;
    ngx_ipc_keep_zones_conf_t  *ikcf;

    ikcf = (ngx_ipc_keep_zones_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                   ngx_ipc_keep_zones_module);

    if (ikcf->directory.len == 0 || ngx_test_config) {
        return NGX_IPC_NOT_KEPT;
    }

    module = ngx_ipc_kept_module(cycle, zone);

    if (module == NULL
        || ngx_ipc_zone_identity(cycle, zone, module, &kept->identity)
           != NGX_OK)
    {
        return NGX_IPC_NOT_KEPT;
    }

    kept->name = zone->shm.name;
    kept->directory = ikcf->directory;

    return module->kind;
}


/*
 * The library calls this function when it allocates memory.  Returns 0 if the
 * memory is not that of a zone whose content is kept.
 */

ngx_uint_t
ngx_ipc_zone_is_kept(ngx_shm_t *shm, ngx_ipc_kept_zone_t *kept)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (ngx_ipc_new_cycle == NULL) {
        return 0;
    }

    for (part = &ngx_ipc_new_cycle->shared_memory.part;
         part != NULL;
         part = part->next)
    {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (&zone[i].shm == shm) {
                return ngx_ipc_describe(ngx_ipc_new_cycle, &zone[i], kept)
                       != NGX_IPC_NOT_KEPT;
            }
        }
    }

    return 0;
}


/* All zones have been initialized, and no worker uses the new ones yet. */

static ngx_int_t
ngx_ipc_keep_zones_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t            i, is_known, is_upgrade;
    ngx_ipc_kind_e        kind;
    ngx_shm_zone_t       *zone;
    ngx_list_part_t      *part;
    ngx_ipc_kept_zone_t   kept;

    ngx_ipc_new_cycle = NULL;
    is_upgrade = ngx_inherited && ngx_is_init_cycle(cycle->old_cycle);

    for (part = &cycle->shared_memory.part; part != NULL; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            kind = ngx_ipc_describe(cycle, &zone[i], &kept);

            if (kind == NGX_IPC_NOT_KEPT) {
                continue;
            }

            is_known = ngx_ipc_zone_is_known(&zone[i].shm, kind);

            if (ngx_ipc_zone_publish(&zone[i].shm, &kept, is_known, is_upgrade)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


#else


ngx_uint_t
ngx_ipc_zone_is_kept(ngx_shm_t *shm, ngx_ipc_kept_zone_t *kept)
{
    return 0;
}


static ngx_int_t
ngx_ipc_keep_zones_init_module(ngx_cycle_t *cycle)
{
    (void) ngx_ipc_new_cycle;

    return NGX_OK;
}


#endif
