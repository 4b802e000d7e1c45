/*
 * ngx_md5.h: the digest MD5.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_MD5_H_INCLUDED_
#define _NGX_MD5_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* A digest that is being computed: the number of bytes, and the state. */
typedef struct {
    uint64_t  bytes;
    uint32_t  a, b, c, d;
    u_char    buffer[64];
} ngx_md5_t;

/*
 * Begins a digest.
 *
 * Safety: ctx is a structure that the caller owns.
 *
 * References: RFC 1321.
 */
void ngx_md5_init(ngx_md5_t *ctx);

/*
 * Adds size bytes to a digest.
 *
 * Safety: ngx_md5_init() has begun ctx, and data has size bytes.
 */
void ngx_md5_update(ngx_md5_t *ctx, const void *data, size_t size);

/*
 * Ends a digest, writes its 16 bytes to result, and clears ctx.
 *
 * Safety: ngx_md5_init() has begun ctx, and result has 16 bytes.
 */
void ngx_md5_final(u_char result[16], ngx_md5_t *ctx);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_MD5_H_INCLUDED_ */
