/*
 * ngx_string.h: strings and formatted output.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_STRING_H_INCLUDED_
#define _NGX_STRING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_rbtree.h>

#ifdef __cplusplus
extern "C" {
#endif


#define ngx_string(str)      { sizeof(str) - 1, (u_char *) str }
#define ngx_null_string      { 0, NULL }
#define ngx_str_set(str, text)                                                \
    (str)->len = sizeof(text) - 1; (str)->data = (u_char *) text
#define ngx_str_null(str)    (str)->len = 0; (str)->data = NULL

#define ngx_strncmp(s1, s2, n)  strncmp((const char *) s1, (const char *) s2, n)
#define ngx_strcmp(s1, s2)      strcmp((const char *) s1, (const char *) s2)
#define ngx_strstr(s1, s2)      strstr((const char *) s1, (const char *) s2)
#define ngx_strlen(s)           strlen((const char *) s)
#define ngx_strchr(s1, c)       strchr((const char *) s1, (int) c)

#define ngx_memzero(buf, n)       (void) memset(buf, 0, n)
#define ngx_memset(buf, c, n)     (void) memset(buf, c, n)
#define ngx_memcpy(dst, src, n)   (void) memcpy(dst, src, n)
#define ngx_cpymem(dst, src, n)   (((u_char *) memcpy(dst, src, n)) + (n))
#define ngx_copy                  ngx_cpymem
#define ngx_memmove(dst, src, n)  (void) memmove(dst, src, n)
#define ngx_memcmp(s1, s2, n)     memcmp(s1, s2, n)

#define ngx_value_helper(n)  #n
#define ngx_value(n)         ngx_value_helper(n)


/*
 * Formatted output, also of log lines.  The directives:
 *
 *   %d %ud  int             %i %ui  ngx_int_t       %l %ul  long
 *   %D %uD  int32_t         %L %uL  int64_t         %z %uz  ssize_t, size_t
 *   %P  ngx_pid_t           %M  ngx_msec_t          %T  time_t
 *   %O  off_t               %r  rlim_t              %p  void *
 *   %f  double, %.3f        %c  char                %%  %
 *   %V  ngx_str_t *         %s  NUL-terminated      %*s  size_t and bytes
 *   %Z  NUL                 %N  line feed           %A %uA  as %i
 *
 * A number can have a width, with a leading 0 for zero padding, as in "%02d".
 * x or X before the letter, as in "%xd" and "%Xz", prints a number as unsigned
 * hexadecimal, and %xs and %xV print each byte as two hexadecimal digits.
 *
 * The functions write no terminating NUL and return the position after the last
 * byte.  ngx_snprintf(), ngx_slprintf() and ngx_vslprintf() truncate the output
 * at buf + max or at last.
 */

u_char *ngx_sprintf(u_char *buf, const char *fmt, ...);
u_char *ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...);
u_char *ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...);
u_char *ngx_vslprintf(u_char *buf, u_char *last, const char *fmt,
    va_list args);

#define ngx_vsnprintf(buf, max, fmt, args)                                    \
    ngx_vslprintf(buf, buf + (max), fmt, args)


/*
 * A node of a tree of strings.  The key of the node is a hash of the string,
 * which the program computes.
 */
typedef struct {
    ngx_rbtree_node_t  node;
    ngx_str_t          str;
} ngx_str_node_t;

/*
 * The function insert of a tree of ngx_str_node_t.
 *
 * Safety: ngx_rbtree_insert() calls the function.
 */
void ngx_str_rbtree_insert_value(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);

/*
 * Finds a string, which has this hash, in a tree.
 *
 * Returns the node of the string, or NULL if the tree does not have the string.
 *
 * Safety: rbtree is a tree whose nodes ngx_str_rbtree_insert_value() has
 * inserted.
 */
ngx_str_node_t *ngx_str_rbtree_lookup(ngx_rbtree_t *rbtree, ngx_str_t *name,
    uint32_t hash);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_STRING_H_INCLUDED_ */
