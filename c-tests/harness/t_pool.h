
/* Pools, and pieces of their memory, for the tests of ngx_palloc.c. */


#ifndef _T_POOL_H_INCLUDED_
#define _T_POOL_H_INCLUDED_


#include "test.h"


#define T_POOL_SIZE  1024


typedef struct {
    u_char  *start;
    size_t   size;
    u_char   fill;
} t_piece_t;


ngx_pool_t *t_pool_create(size_t size);
void t_fill(t_piece_t *piece, u_char *start, size_t size, u_char value);
int t_damaged(const t_piece_t *piece, size_t n);


#endif /* _T_POOL_H_INCLUDED_ */
