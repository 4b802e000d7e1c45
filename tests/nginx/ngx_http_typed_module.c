
/*
 * A module with which tests/nginx/typed_zones.rs uses typed zones.
 *
 *   typed_zone NAME SIZE VERSION [migrate | noreuse];   in the block http
 *   typed;                                              in a location
 *
 * The argument "do" of a request says what the location does:
 *
 *   do=count&key=K   adds 1 to the number of K in a table and to the sum
 *   do=die&key=K     is killed in the transaction that does the same
 *   do=sums          answers with the sum, with the sum of all numbers in the
 *                    table, and how often on_owner_died was called
 *   do=where         answers with the address and the size of the zone
 *   do=verify        answers with "right" if the pool is right
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_zone.h>


#define NGX_HTTP_TYPED_KEYS  10


typedef struct {
    ngx_uint_t   sum;
    ngx_uint_t   deaths;
    void        *table;
} ngx_http_typed_root_t;


typedef struct {
    ngx_shm_zone_t  *zone;
} ngx_http_typed_conf_t;


/* the library's function, which nginx's headers do not declare */
ngx_int_t ngx_slab_verify(ngx_slab_pool_t *pool,
    void (*report)(ngx_slab_pool_t *pool, const char *text));

static void *ngx_http_typed_create_conf(ngx_conf_t *cf);
static char *ngx_http_typed_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_typed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_http_typed_commands[] = {

    { ngx_string("typed_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE3|NGX_CONF_TAKE4,
      ngx_http_typed_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("typed"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_typed,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_typed_module_ctx = {
    NULL, NULL, ngx_http_typed_create_conf, NULL, NULL, NULL, NULL, NULL
};


ngx_module_t  ngx_http_typed_module = {
    NGX_MODULE_V1,
    &ngx_http_typed_module_ctx,            /* module context */
    ngx_http_typed_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx's configure writes these variables for a dynamic module. */

ngx_module_t  *ngx_modules[] = { &ngx_http_typed_module, NULL };
char          *ngx_module_names[] = { "ngx_http_typed_module", NULL };
char          *ngx_module_order[] = { NULL };


static void *
ngx_http_typed_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_typed_conf_t));
}


/* The table has the keys "0" to "9". */

static ngx_uint_t
ngx_http_typed_total(ngx_shm_zone_t *zone, void *table)
{
    u_char      key;
    ngx_uint_t  i, total, *found;

    total = 0;

    for (i = 0; i < NGX_HTTP_TYPED_KEYS && table != NULL; i++) {
        key = (u_char) ('0' + i);

        found = ngx_ipc_zone_hash_get(zone, table, &key, 1, sizeof(ngx_uint_t));
        if (found != NULL) {
            total += *found;
        }
    }

    return total;
}


/* Copies the sum. The table of the new zone has it under the key "0". */

static ngx_int_t
ngx_http_typed_migrate(ngx_shm_zone_t *zone, void *data,
    const ngx_ipc_zone_old_t *old)
{
    ngx_http_typed_root_t  *root = data, *from = old->root;

    root->deaths = from->deaths;

    if (ngx_ipc_zone_begin(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    root->sum = from->sum;
    root->table = ngx_ipc_zone_hash_create(zone, 1, sizeof(ngx_uint_t));

    if (root->table == NULL
        || ngx_ipc_zone_hash_set(zone, root->table, (u_char *) "0", 1,
                                 &root->sum, sizeof(ngx_uint_t))
           != NGX_OK)
    {
        ngx_ipc_zone_abort(zone);
        return NGX_ERROR;
    }

    return ngx_ipc_zone_commit(zone);
}


static void
ngx_http_typed_owner_died(ngx_shm_zone_t *zone, void *data, ngx_pid_t pid)
{
    ngx_http_typed_root_t  *root = data;

    if (ngx_ipc_zone_save(zone, &root->deaths, sizeof(ngx_uint_t)) == NGX_OK) {
        root->deaths++;
    }
}


/* Adds 1 in a transaction that is begun. */

static ngx_int_t
ngx_http_typed_add(ngx_shm_zone_t *zone, ngx_http_typed_root_t *root,
    u_char *key, ngx_uint_t dies)
{
    ngx_uint_t  n, *found;

    if (ngx_ipc_zone_save(zone, root, sizeof(ngx_http_typed_root_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    root->sum++;

    if (root->table == NULL) {
        root->table = ngx_ipc_zone_hash_create(zone, NGX_HTTP_TYPED_KEYS,
                                               sizeof(ngx_uint_t));
        if (root->table == NULL) {
            return NGX_ERROR;
        }
    }

    found = ngx_ipc_zone_hash_get(zone, root->table, key, 1,
                                  sizeof(ngx_uint_t));
    n = (found != NULL) ? *found + 1 : 1;

    if (dies) {
        (void) ngx_ipc_zone_alloc(zone, 100);
        kill(getpid(), SIGKILL);
    }

    return ngx_ipc_zone_hash_set(zone, root->table, key, 1, &n,
                                 sizeof(ngx_uint_t));
}


static ngx_int_t
ngx_http_typed_do(ngx_http_request_t *r, ngx_shm_zone_t *zone, u_char *answer)
{
    ngx_int_t               rc;
    ngx_str_t               what, key;
    ngx_uint_t              total;
    ngx_slab_pool_t        *pool;
    ngx_http_typed_root_t  *root;

    root = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (ngx_http_arg(r, (u_char *) "do", 2, &what) != NGX_OK) {
        return NGX_ERROR;
    }

    if (what.data[0] == 'w') {
        return ngx_sprintf(answer, "%uz %uz", (size_t) pool, zone->shm.size)
               - answer;
    }

    if (what.data[0] == 'v') {
        rc = ngx_slab_verify(pool, NULL);
        return ngx_sprintf(answer, rc == NGX_OK ? "right" : "wrong") - answer;
    }

    if (ngx_ipc_zone_begin(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (what.data[0] == 's') {
        total = ngx_http_typed_total(zone, root->table);
        answer = ngx_sprintf(answer, "sum:%ui total:%ui deaths:%ui ",
                             root->sum, total, root->deaths);

    } else {
        if (ngx_http_arg(r, (u_char *) "key", 3, &key) != NGX_OK
            || ngx_http_typed_add(zone, root, key.data, what.data[0] == 'd')
               != NGX_OK)
        {
            ngx_ipc_zone_abort(zone);
            return NGX_ERROR;
        }

        answer = ngx_sprintf(answer, "%ui", root->sum);
    }

    *answer = '\0';

    return ngx_ipc_zone_commit(zone);
}


static ngx_int_t
ngx_http_typed_handler(ngx_http_request_t *r)
{
    static u_char  text[128];

    ngx_int_t                  rc;
    ngx_str_t                  type = ngx_string("text/plain");
    ngx_http_typed_conf_t     *conf;
    ngx_http_complex_value_t   answer;

    conf = ngx_http_get_module_main_conf(r, ngx_http_typed_module);

    ngx_memzero(text, sizeof(text));
    ngx_memzero(&answer, sizeof(ngx_http_complex_value_t));

    rc = ngx_http_typed_do(r, conf->zone, text);
    if (rc < 0) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    answer.value.data = text;
    answer.value.len = ngx_strlen(text);

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &answer);
}


static char *
ngx_http_typed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *location;

    location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    location->handler = ngx_http_typed_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_typed_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_typed_conf_t  *typed = conf;

    ngx_str_t            *args;
    ngx_ipc_zone_type_t   type;

    args = cf->args->elts;

    ngx_memzero(&type, sizeof(ngx_ipc_zone_type_t));
    ngx_str_set(&type.name, "typed");

    type.version = ngx_atoi(args[3].data, args[3].len);
    type.root_size = sizeof(ngx_http_typed_root_t);
    type.on_owner_died = ngx_http_typed_owner_died;

    if (cf->args->nelts == 5 && ngx_strcmp(args[4].data, "migrate") == 0) {
        type.migrate = ngx_http_typed_migrate;
    }

    typed->zone = ngx_ipc_zone_add(cf->cycle, &type, &args[1],
                                   ngx_parse_size(&args[2]));

    if (typed->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    typed->zone->noreuse =
        (cf->args->nelts == 5 && ngx_strcmp(args[4].data, "noreuse") == 0);

    return NGX_CONF_OK;
}
