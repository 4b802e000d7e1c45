/*
 * ngx_hash.h: hashes of strings, and the types of nginx's hash tables.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_HASH_H_INCLUDED_
#define _NGX_HASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define NGX_HASH_SMALL         1
#define NGX_HASH_LARGE         2

#define NGX_HASH_LARGE_ASIZE   16384
#define NGX_HASH_LARGE_HSIZE   10007

#define NGX_HASH_WILDCARD_KEY  1
#define NGX_HASH_READONLY_KEY  2

/* A function that computes a hash of a string: ngx_hash_key() and its like. */
typedef ngx_uint_t (*ngx_hash_key_pt)(u_char *data, size_t len);

/* An element for a hash table: a string with its hash and a value. */
typedef struct {
    ngx_str_t   key;
    ngx_uint_t  key_hash;
    void       *value;
} ngx_hash_key_t;

typedef struct ngx_table_elt_s  ngx_table_elt_t;

/* A name with its value, as headers of HTTP have them. */
struct ngx_table_elt_s {
    ngx_uint_t        hash;
    ngx_str_t         key;
    ngx_str_t         value;
    u_char           *lowcase_key;
    ngx_table_elt_t  *next;
};


/* Adds the character c to the hash key. */
#define ngx_hash(key, c)  ((ngx_uint_t) (key) * 31 + (c))

/*
 * Computes the hash of len bytes: ngx_hash() for each byte, beginning with 0.
 *
 * Returns the hash.
 *
 * Safety: data has len bytes.
 */
ngx_uint_t ngx_hash_key(u_char *data, size_t len);

/*
 * Computes the hash of len bytes, with letters of ASCII in lower case.
 *
 * Returns the hash.
 *
 * Safety: data has len bytes.
 */
ngx_uint_t ngx_hash_key_lc(u_char *data, size_t len);

/*
 * Copies n bytes from src to dst, with letters of ASCII in lower case, and
 * computes their hash.
 *
 * Returns the hash of the copy.
 *
 * Safety: src and dst have n bytes.  They may be the same.
 */
ngx_uint_t ngx_hash_strlow(u_char *dst, u_char *src, size_t n);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_HASH_H_INCLUDED_ */
