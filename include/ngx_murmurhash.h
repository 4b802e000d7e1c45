/*
 * ngx_murmurhash.h: the hash MurmurHash2.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_MURMURHASH_H_INCLUDED_
#define _NGX_MURMURHASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Computes the hash MurmurHash2, with 32 bits and the seed 0.
 *
 * Returns the hash, which is equal on all systems.
 *
 * Safety: data has len bytes.
 *
 * References: A. Appleby, "SMHasher", MurmurHash2.
 */
uint32_t ngx_murmur_hash2(u_char *data, size_t len);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_MURMURHASH_H_INCLUDED_ */
