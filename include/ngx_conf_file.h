/*
 * ngx_conf_file.h: the types of nginx's configuration files.
 * Part of ngx-ipc; the names are nginx's.
 *
 * The library reads no configuration files.  The types are declared, so that a
 * module's table of directives compiles.  The functions of the table are not
 * called, and no ngx_conf_set_..._slot() exists.
 */

#ifndef _NGX_CONF_FILE_H_INCLUDED_
#define _NGX_CONF_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* The number of arguments of a directive, the bits of ngx_command_t.type. */

#define NGX_CONF_NOARGS      0x00000001
#define NGX_CONF_TAKE1       0x00000002
#define NGX_CONF_TAKE2       0x00000004
#define NGX_CONF_TAKE3       0x00000008
#define NGX_CONF_TAKE4       0x00000010
#define NGX_CONF_TAKE5       0x00000020
#define NGX_CONF_TAKE6       0x00000040
#define NGX_CONF_TAKE7       0x00000080

#define NGX_CONF_MAX_ARGS    8

#define NGX_CONF_TAKE12      0x00000006
#define NGX_CONF_TAKE13      0x0000000a
#define NGX_CONF_TAKE23      0x0000000c
#define NGX_CONF_TAKE123     0x0000000e
#define NGX_CONF_TAKE1234    0x0000001e

#define NGX_CONF_ARGS_NUMBER 0x000000ff
#define NGX_CONF_BLOCK       0x00000100
#define NGX_CONF_FLAG        0x00000200
#define NGX_CONF_ANY         0x00000400
#define NGX_CONF_1MORE       0x00000800
#define NGX_CONF_2MORE       0x00001000

/* The places where a directive is allowed. */

#define NGX_DIRECT_CONF      0x00010000
#define NGX_MAIN_CONF        0x01000000
#define NGX_ANY_CONF         0xff000000

/* The values of a field that no directive has set. */

#define NGX_CONF_UNSET       -1
#define NGX_CONF_UNSET_UINT  (ngx_uint_t) -1
#define NGX_CONF_UNSET_PTR   (void *) -1
#define NGX_CONF_UNSET_SIZE  (size_t) -1
#define NGX_CONF_UNSET_MSEC  (ngx_msec_t) -1

/* The results of a directive's function; another string is an error's text. */

#define NGX_CONF_OK          NULL
#define NGX_CONF_ERROR       (void *) -1

#define NGX_CONF_BLOCK_START 1
#define NGX_CONF_BLOCK_DONE  2
#define NGX_CONF_FILE_DONE   3

#define NGX_MAX_CONF_ERRSTR  1024


/* A directive of a module. */
struct ngx_command_s {
    ngx_str_t    name;
    ngx_uint_t   type;
    char      *(*set)(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
    ngx_uint_t   conf;
    ngx_uint_t   offset;
    void        *post;
};

/* The end of a table of directives. */
#define ngx_null_command  { ngx_null_string, 0, NULL, 0, 0, NULL }


typedef struct ngx_conf_file_s  ngx_conf_file_t;

typedef char *(*ngx_conf_handler_pt)(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);

/* The state of nginx's reader of configuration files. */
struct ngx_conf_s {
    char                 *name;
    ngx_array_t          *args;

    ngx_cycle_t          *cycle;
    ngx_pool_t           *pool;
    ngx_pool_t           *temp_pool;
    ngx_conf_file_t      *conf_file;
    ngx_log_t            *log;

    void                 *ctx;
    ngx_uint_t            module_type;
    ngx_uint_t            cmd_type;

    ngx_conf_handler_pt   handler;
    void                 *handler_conf;
};


typedef char *(*ngx_conf_post_handler_pt)(ngx_conf_t *cf, void *data,
    void *conf);

typedef struct {
    ngx_conf_post_handler_pt   post_handler;
} ngx_conf_post_t;

typedef struct {
    ngx_conf_post_handler_pt   post_handler;
    char                      *old_name;
    char                      *new_name;
} ngx_conf_deprecated_t;

typedef struct {
    ngx_conf_post_handler_pt   post_handler;
    ngx_int_t                  low;
    ngx_int_t                  high;
} ngx_conf_num_bounds_t;

typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 value;
} ngx_conf_enum_t;

#define NGX_CONF_BITMASK_SET  1

typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 mask;
} ngx_conf_bitmask_t;


/*
 * The configuration of a module in an array of configurations, such as
 * cycle->conf_ctx: an expression that can be assigned to.
 */
#define ngx_get_conf(conf_ctx, module)  conf_ctx[module.index]


/*
 * Replaces a value that no directive has set.  This macro and the following ones
 * need no semicolon, as in nginx.
 */

#define ngx_conf_init_or(conf, unset, value)                                  \
    if ((conf) == (unset)) {                                                  \
        (conf) = (value);                                                     \
    }

#define ngx_conf_init_value(conf, value)                                      \
    ngx_conf_init_or(conf, NGX_CONF_UNSET, value)
#define ngx_conf_init_ptr_value(conf, value)                                  \
    ngx_conf_init_or(conf, NGX_CONF_UNSET_PTR, value)
#define ngx_conf_init_uint_value(conf, value)                                 \
    ngx_conf_init_or(conf, NGX_CONF_UNSET_UINT, value)
#define ngx_conf_init_size_value(conf, value)                                 \
    ngx_conf_init_or(conf, NGX_CONF_UNSET_SIZE, value)
#define ngx_conf_init_msec_value(conf, value)                                 \
    ngx_conf_init_or(conf, NGX_CONF_UNSET_MSEC, value)

/* Replaces a value that no directive has set by that of the outer block. */

#define ngx_conf_merge_or(conf, prev, unset, value)                           \
    ngx_conf_init_or(conf, unset, ((prev) == (unset)) ? (value) : (prev))

#define ngx_conf_merge_value(conf, prev, value)                               \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET, value)
#define ngx_conf_merge_ptr_value(conf, prev, value)                           \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET_PTR, value)
#define ngx_conf_merge_uint_value(conf, prev, value)                          \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET_UINT, value)
#define ngx_conf_merge_msec_value(conf, prev, value)                          \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET_MSEC, value)
#define ngx_conf_merge_sec_value(conf, prev, value)                           \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET, value)
#define ngx_conf_merge_size_value(conf, prev, value)                          \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET_SIZE, value)
#define ngx_conf_merge_off_value(conf, prev, value)                           \
    ngx_conf_merge_or(conf, prev, NGX_CONF_UNSET, value)
#define ngx_conf_merge_bitmask_value(conf, prev, value)                       \
    ngx_conf_init_or(conf, 0, ((prev) == 0) ? (value) : (prev))

#define ngx_conf_merge_str_value(conf, prev, value)                           \
    if ((conf).data == NULL) {                                                \
        (conf) = (prev);                                                      \
                                                                              \
        if ((prev).data == NULL) {                                            \
            ngx_str_set(&(conf), value);                                      \
        }                                                                     \
    }


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CONF_FILE_H_INCLUDED_ */
