/*
 * ngx_sha1.h: the digest SHA-1.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_SHA1_H_INCLUDED_
#define _NGX_SHA1_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * A digest that is being computed: the number of bytes, and the state.  f is not
 * used.
 */
typedef struct {
    uint64_t  bytes;
    uint32_t  a, b, c, d, e, f;
    u_char    buffer[64];
} ngx_sha1_t;

/*
 * Begins a digest.
 *
 * Safety: ctx is a structure that the caller owns.
 *
 * References: RFC 3174.
 */
void ngx_sha1_init(ngx_sha1_t *ctx);

/*
 * Adds size bytes to a digest.
 *
 * Safety: ngx_sha1_init() has begun ctx, and data has size bytes.
 */
void ngx_sha1_update(ngx_sha1_t *ctx, const void *data, size_t size);

/*
 * Ends a digest, writes its 20 bytes to result, and clears ctx.
 *
 * Safety: ngx_sha1_init() has begun ctx, and result has 20 bytes.
 */
void ngx_sha1_final(u_char result[20], ngx_sha1_t *ctx);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SHA1_H_INCLUDED_ */
