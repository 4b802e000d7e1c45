/*
 * ngx_hash.h: hashes of strings, and hash tables.
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

/*
 * An element of a hash table: a value and a name of len bytes.  More bytes of the
 * name, and then the next element, follow behind the structure.
 */
typedef struct {
    void     *value;
    u_short   len;
    u_char    name[1];
} ngx_hash_elt_t;

/* A hash table with size buckets. */
typedef struct {
    ngx_hash_elt_t  **buckets;
    ngx_uint_t        size;
} ngx_hash_t;

/* A hash table with a value of its own, as nginx's tables with wildcards. */
typedef struct {
    ngx_hash_t   hash;
    void        *value;
} ngx_hash_wildcard_t;

/*
 * How to build a hash table: at most max_size buckets of bucket_size bytes, in
 * the memory of the pool.  name is the name of the table in the log.  hash is the
 * table; if it is NULL, ngx_hash_init() makes one.  ngx_hash_init() does not use
 * key and temp_pool.
 */
typedef struct {
    ngx_hash_t       *hash;
    ngx_hash_key_pt   key;

    ngx_uint_t        max_size;
    ngx_uint_t        bucket_size;

    char             *name;
    ngx_pool_t       *pool;
    ngx_pool_t       *temp_pool;
} ngx_hash_init_t;

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

/*
 * Builds a hash table of nelts names.  It does not change afterwards.
 *
 * key_hash of each name is the hash of the name in lower case.  A name whose
 * data is NULL is left out.  The function writes to the log of hinit->pool, or of
 * ngx_cycle if the pool has no log.
 *
 * Returns NGX_OK, with a warning if a bucket is larger than bucket_size.  Returns
 * NGX_ERROR, with an emergency, if max_size is 0, if bucket_size is too large or
 * too small for a name, if the names need a bucket of 64 KiB, or if there is no
 * memory.
 *
 * Safety: all pointers of hinit but key, temp_pool and a NULL in hash are valid,
 * and names has nelts names whose values are not NULL.
 */
ngx_int_t ngx_hash_init(ngx_hash_init_t *hinit, ngx_hash_key_t *names,
    ngx_uint_t nelts);

/*
 * Finds a name of len bytes in lower case, which has the hash key.
 *
 * Returns the value of the name, or NULL if the table does not have the name.
 *
 * Safety: ngx_hash_init() has built hash, and name has len bytes.
 */
void *ngx_hash_find(ngx_hash_t *hash, ngx_uint_t key, u_char *name, size_t len);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_HASH_H_INCLUDED_ */
