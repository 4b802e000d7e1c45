/* A stable sort of a small array. */

#include <ngx_config.h>
#include <ngx_core.h>


static void
ngx_sort_swap(u_char *a, u_char *b, size_t size)
{
    u_char  byte;

    while (size--) {
        byte = *a;
        *a++ = *b;
        *b++ = byte;
    }
}


void
ngx_sort(void *base, size_t n, size_t size,
    ngx_int_t (*cmp)(const void *, const void *))
{
    u_char  *first, *end, *next, *p;

    first = (u_char *) base;
    end = first + n * size;

    /*
     * Insertion sort.  An element moves by swaps, so that the function needs no
     * memory for a copy, and cannot fail.
     */

    for (next = first; next < end; next += size) {

        for (p = next; p > first && cmp(p - size, p) > 0; p -= size) {
            ngx_sort_swap(p - size, p, size);
        }
    }
}
