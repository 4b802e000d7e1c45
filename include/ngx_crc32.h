/*
 * ngx_crc32.h: the checksum CRC-32.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_CRC32_H_INCLUDED_
#define _NGX_CRC32_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* The tables of four and of eight bits. */
extern uint32_t *ngx_crc32_table_short;
extern uint32_t ngx_crc32_table256[];

/*
 * Does nothing: the tables need no preparation.
 *
 * Returns NGX_OK.
 */
ngx_int_t ngx_crc32_table_init(void);

/* Begins a checksum, crc, of data in several pieces. */
#define ngx_crc32_init(crc)   ((crc) = 0xffffffff)

/* Ends a checksum; crc is then the result. */
#define ngx_crc32_final(crc)  ((crc) ^= 0xffffffff)

/*
 * Adds len bytes to a checksum that ngx_crc32_init() has begun.
 *
 * Safety: p has len bytes.
 */
static ngx_inline void
ngx_crc32_update(uint32_t *crc, u_char *p, size_t len)
{
    size_t    i;
    uint32_t  sum;

    for (sum = *crc, i = 0; i < len; i++) {
        sum = sum >> 8 ^ ngx_crc32_table256[(u_char) sum ^ p[i]];
    }

    *crc = sum;
}

/*
 * Computes the CRC-32 of len bytes, with the large table: for long data.
 *
 * Returns the checksum.
 *
 * Safety: p has len bytes.
 *
 * References: RFC 1952.
 */
static ngx_inline uint32_t
ngx_crc32_long(u_char *p, size_t len)
{
    uint32_t  sum;

    ngx_crc32_init(sum);
    ngx_crc32_update(&sum, p, len);

    return ngx_crc32_final(sum);
}

/*
 * Computes the CRC-32 of len bytes, with the small table: for short data.
 *
 * Returns the checksum.
 *
 * Safety: p has len bytes.
 */
static ngx_inline uint32_t
ngx_crc32_short(u_char *p, size_t len)
{
    size_t    i;
    uint32_t  sum;

    ngx_crc32_init(sum);

    for (i = 0; i < len; i++) {
        sum ^= p[i];
        sum = sum >> 4 ^ ngx_crc32_table_short[sum & 0xf];
        sum = sum >> 4 ^ ngx_crc32_table_short[sum & 0xf];
    }

    return ngx_crc32_final(sum);
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CRC32_H_INCLUDED_ */
