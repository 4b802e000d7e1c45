
/* Pools and allocated pieces, for the tests of ngx_palloc.c. */


#include "t_pool.h"


ngx_pool_t *
t_pool_create(size_t size)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(size, t_log());
    T_REQUIRE(pool != NULL);

    return pool;
}


/* Pieces do not overlap if each still has its own value in all bytes. */

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
