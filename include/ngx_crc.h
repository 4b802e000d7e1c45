/*
 * ngx_crc.h: a checksum of 32 bits.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_CRC_H_INCLUDED_
#define _NGX_CRC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Computes a checksum: for each byte, rotates the sum by one bit to the right,
 * and adds the byte.
 *
 * Returns the sum.  It is not a CRC, in spite of its name.
 *
 * Safety: data has len bytes.
 */
static ngx_inline uint32_t
ngx_crc(u_char *data, size_t len)
{
    size_t    i;
    uint32_t  sum;

    for (sum = 0, i = 0; i < len; i++) {
        sum = (sum << 31 | sum >> 1) + data[i];
    }

    return sum;
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CRC_H_INCLUDED_ */
