/*
 * The module whose configuration is the ngx_core_conf_t of a cycle, the first of
 * the configurations in cycle->conf_ctx.
 */

#include <ngx_config.h>
#include <ngx_core.h>


static ngx_core_module_t  ngx_core_module_ctx = {
    ngx_string("core"), NULL, NULL
};


ngx_module_t  ngx_core_module = {
    0, 0, NULL, 0, 0, 0, NGX_MODULE_SIGNATURE,
    &ngx_core_module_ctx,                  /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};
