/*
 * Queues, arrays, lists and sorts.  How much room a full array gets is no
 * result: the library's pools cannot make an array larger at its place.
 */

#include "compare.h"


#define T_ELEMENTS  24


typedef struct {
    ngx_uint_t   key;
    ngx_uint_t   number;
    ngx_queue_t  queue;
} t_element_t;


static t_element_t  elements[T_ELEMENTS];


static t_element_t *
t_element(const ngx_queue_t *q)
{
    return ngx_queue_data(q, t_element_t, queue);
}


static ngx_int_t
t_compare_queue(const ngx_queue_t *a, const ngx_queue_t *b)
{
    return (ngx_int_t) t_element(a)->key - (ngx_int_t) t_element(b)->key;
}


static ngx_int_t
t_compare(const void *a, const void *b)
{
    return *(const u_char *) a - *(const u_char *) b;
}


static void
t_show_queue(ngx_queue_t *h)
{
    ngx_queue_t  *q;

    t_number("empty", ngx_queue_empty(h) != 0);

    for (q = ngx_queue_head(h); q != ngx_queue_sentinel(h);
         q = ngx_queue_next(q))
    {
        t_number("element", (int64_t) t_element(q)->number);
        t_number("linked", ngx_queue_next(ngx_queue_prev(q)) == q);
    }
}


static void
t_queue(void)
{
    size_t       i, n, at;
    ngx_queue_t  h, other, *q;

    ngx_queue_init(&h);
    n = t_random(T_ELEMENTS + 1);

    for (i = 0; i < n; i++) {
        elements[i].number = i;
        elements[i].key = t_random(8);
        q = i ? &elements[t_random(i)].queue : &h;

        switch (t_random(4)) {

        case 0:
            ngx_queue_insert_head(&h, &elements[i].queue);
            break;

        case 1:
            ngx_queue_insert_tail(&h, &elements[i].queue);
            break;

        case 2:
            ngx_queue_insert_after(q, &elements[i].queue);
            break;

        default:
            ngx_queue_insert_before(q, &elements[i].queue);
        }
    }

    t_show_queue(&h);
    q = ngx_queue_middle(&h);
    t_number("middle", q == &h ? -1 : (int64_t) t_element(q)->number);

    if (n) {
        at = t_random(n);
        ngx_queue_split(&h, &elements[at].queue, &other);
        t_show_queue(&h);
        t_show_queue(&other);

        ngx_queue_remove(&elements[at].queue);

        if (t_random(2)) {
            ngx_queue_add(&h, &other);

        } else {
            ngx_queue_add(&other, &h);
            ngx_queue_init(&h);
            ngx_queue_add(&h, &other);
        }
    }

    ngx_queue_sort(&h, t_compare_queue);
    t_show_queue(&h);
}


static void
t_sort(void)
{
    size_t   n, size;
    u_char  *p;

    n = t_random(T_ELEMENTS);
    size = 1 + t_random(9);
    p = t_text(n * size, "ab\x01\xff");

    ngx_sort(p, n, size, t_compare);

    t_number("size", (int64_t) size);
    t_bytes("out", p, n * size);
}


static void
t_array(void)
{
    u_char       *p;
    ngx_uint_t    i, n, pushed;
    ngx_array_t  *a;

    n = 1 + t_random(5);
    a = ngx_array_create(t_pool(), n, 1 + t_random(40));
    pushed = 0;

    for (i = t_random(30); i; i--) {

        n = t_random(3) ? 1 : t_random(8);
        p = (n == 1) ? ngx_array_push(a) : ngx_array_push_n(a, n);
        t_number("at", p - (u_char *) a->elts);
        memset(p, (int) ++pushed, n * a->size);

        t_number("fits", a->nelts <= a->nalloc);

        if (t_random(4) == 0) {
            (void) ngx_pnalloc(a->pool, t_random(20));
        }
    }

    t_number("nelts", (int64_t) a->nelts);
    t_bytes("elts", a->elts, a->nelts * a->size);
    ngx_array_destroy(a);
}


static void
t_list(void)
{
    u_char           *p;
    ngx_uint_t        i;
    ngx_list_t       *list;
    ngx_list_part_t  *part;

    i = 1 + t_random(5);
    list = ngx_list_create(t_pool(), i, 1 + t_random(40));

    for (i = t_random(30); i; i--) {
        p = ngx_list_push(list);
        memset(p, (int) i, list->size);
    }

    for (part = &list->part; part; part = part->next) {
        t_bytes("part", part->elts, part->nelts * list->size);
        t_number("last", part == list->last);
    }
}


const t_subject_t  t_container_subjects[] = {
    { "ngx_queue_sort", t_queue },
    { "ngx_sort", t_sort },
    { "ngx_array_push", t_array },
    { "ngx_list_push", t_list },
    { NULL, NULL }
};
