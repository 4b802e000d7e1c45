#define NGX_MODULE_UNSET_INDEX  (ngx_uint_t) -1
#define NGX_MODULE_SIGNATURE    "ngx_ipc"

/* The first members in the definition of a module. */
#define NGX_MODULE_V1                                                         \
    NGX_MODULE_UNSET_INDEX, NGX_MODULE_UNSET_INDEX,                           \
    NULL, 0, 0, 0, NGX_MODULE_SIGNATURE

/* The last members in the definition of a module. */
#define NGX_MODULE_V1_PADDING  0, 0, 0, 0, 0, 0, 0, 0

#define NGX_CORE_MODULE         0x45524F43  /* "CORE" */
#define NGX_CONF_MODULE         0x464E4F43  /* "CONF" */


/*
 * The context of a module of type NGX_CORE_MODULE.  For each cycle the library
 * calls create_conf, which returns the module's configuration or NULL for an
 * error, and then init_conf, which returns NGX_CONF_OK or NGX_CONF_ERROR.  Both
 * can be NULL.  ngx_get_conf() finds the configuration.
 */

typedef struct {
    ngx_str_t   name;
    void      *(*create_conf)(ngx_cycle_t *cycle);
    char      *(*init_conf)(ngx_cycle_t *cycle, void *conf);
} ngx_core_module_t;
