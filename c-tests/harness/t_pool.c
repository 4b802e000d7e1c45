
/* Pools, and pieces of their memory, for the tests of ngx_palloc.c. */


#include "t_pool.h"


ngx_pool_t *
t_pool_create(size_t size)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(size, t_log());
    T_REQUIRE(pool != NULL);

    return pool;
}


/*
 * Fills a piece with a value of its own.  If two pieces overlap, one of them
 * does not keep its value in all bytes, which t_damaged() finds.
 */

void
t_fill(t_piece_t *piece, u_char *start, size_t size, u_char value)
{
    piece->start = start;
    piece->size = size;
    piece->fill = value;

    memset(start, value, size);
}


int
t_damaged(const t_piece_t *piece, size_t n)
{
    int  bad;

    for (bad = 0; n--; piece++) {
        bad += !t_is_filled(piece->start, piece->size, piece->fill);
    }

    return bad;
}
