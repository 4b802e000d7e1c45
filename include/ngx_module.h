/*
 * ngx_module.h: modules and their hooks.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/host/standalone/module.rs
 *   src/host/standalone/types.rs
 *   include/generator/module.h
 */

#ifndef _NGX_MODULE_H_INCLUDED_
#define _NGX_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * A module: its hooks are functions that the library calls when processes
 * start and exit.
 */
struct ngx_module_s {
    /* The index of the module among the modules of its type. Unused here. */
    ngx_uint_t ctx_index;
    /*
     * The index of the module's configuration in conf_ctx of a cycle. Only the
     * library sets the field.
     */
    ngx_uint_t index;
    /* The name of the module. Unused here. */
    char *name;
    /* Unused. */
    ngx_uint_t spare0;
    /* Unused. */
    ngx_uint_t spare1;
    /* The version of nginx for which the module was compiled. Unused here. */
    ngx_uint_t version;
    /* The features with which the module was compiled. Unused here. */
    const char *signature;
    /*
     * The context of the module: in a module of type NGX_CORE_MODULE a
     * ngx_core_module_t, or NULL. Other types are not used here.
     */
    void *ctx;
    /* The directives of the module. Unused here. */
    ngx_command_t *commands;
    /* The type of the module, such as NGX_CORE_MODULE. */
    ngx_uint_t type;
    /* The master calls this hook once, before the first call of init_module. */
    ngx_int_t (*init_master)(ngx_log_t *log);
    /*
     * The master calls this hook for each configuration, before it starts the
     * workers.
     */
    ngx_int_t (*init_module)(ngx_cycle_t *cycle);
    /*
     * Each worker and helper calls this hook when the process starts. If the
     * hook returns NGX_ERROR, the process exits with code 2 and is not started
     * again.
     */
    ngx_int_t (*init_process)(ngx_cycle_t *cycle);
    /* This library never calls this hook. */
    ngx_int_t (*init_thread)(ngx_cycle_t *cycle);
    /* This library never calls this hook. */
    void (*exit_thread)(ngx_cycle_t *cycle);
    /* Each worker calls this hook before the process exits. Helpers do not. */
    void (*exit_process)(ngx_cycle_t *cycle);
    /* The master calls this hook before it exits. */
    void (*exit_master)(ngx_cycle_t *cycle);
    /* Unused. */
    size_t spare_hook0;
    /* Unused. */
    size_t spare_hook1;
    /* Unused. */
    size_t spare_hook2;
    /* Unused. */
    size_t spare_hook3;
    /* Unused. */
    size_t spare_hook4;
    /* Unused. */
    size_t spare_hook5;
    /* Unused. */
    size_t spare_hook6;
    /* Unused. */
    size_t spare_hook7;
};


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


#ifdef __cplusplus
}
#endif

#endif /* _NGX_MODULE_H_INCLUDED_ */
