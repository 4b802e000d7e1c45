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


/* A module: functions that the library calls when processes start and exit. */
struct ngx_module_s {
    /* Its index among the modules of its type. */
    ngx_uint_t ctx_index;
    /* Its index among all modules. */
    ngx_uint_t index;
    /* Its name. */
    char *name;
    /* Unused. */
    ngx_uint_t spare0;
    /* Unused. */
    ngx_uint_t spare1;
    /* The version that it was compiled for. */
    ngx_uint_t version;
    /* The features that it was compiled with. */
    const char *signature;
    /* What modules of its type have, such as a ngx_core_module_t. */
    void *ctx;
    /* Its directives. */
    ngx_command_t *commands;
    /* Its type. */
    ngx_uint_t type;
    /* The master calls it once, before its first init_module. */
    ngx_int_t (*init_master)(ngx_log_t *log);
    /* The master calls it for each configuration, before its workers start. */
    ngx_int_t (*init_module)(ngx_cycle_t *cycle);
    /*
     * Each worker and helper calls it when it starts. After NGX_ERROR the
     * process exits with code 2, and is not started again.
     */
    ngx_int_t (*init_process)(ngx_cycle_t *cycle);
    /* Never called. */
    ngx_int_t (*init_thread)(ngx_cycle_t *cycle);
    /* Never called. */
    void (*exit_thread)(ngx_cycle_t *cycle);
    /* Each worker calls it before it exits; helpers do not. */
    void (*exit_process)(ngx_cycle_t *cycle);
    /* The master calls it before it exits. */
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


/* The context of a NGX_CORE_MODULE.  nginx uses it, this library does not. */

typedef struct {
    ngx_str_t   name;
    void      *(*create_conf)(ngx_cycle_t *cycle);
    char      *(*init_conf)(ngx_cycle_t *cycle, void *conf);
} ngx_core_module_t;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_MODULE_H_INCLUDED_ */
