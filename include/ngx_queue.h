/*
 * ngx_queue.h: doubly linked lists.
 * Part of ngx-ipc; the names are nginx's.
 *
 * A program puts an ngx_queue_t into its own structure, and ngx_queue_data()
 * finds this structure again.  A queue has a head, an ngx_queue_t that belongs
 * to no element.  The head and the elements are a ring.
 */

#ifndef _NGX_QUEUE_H_INCLUDED_
#define _NGX_QUEUE_H_INCLUDED_


#include <ngx_config.h>


typedef struct ngx_queue_s  ngx_queue_t;

/* The head of a queue, or the link of an element. */
struct ngx_queue_s {
    ngx_queue_t  *prev;
    ngx_queue_t  *next;
};


/*
 * The types stand before ngx_core.h, because the structures in headers that it
 * includes have members of these types.
 */

#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* Makes b the successor of a: the step of which the other macros consist. */
#define ngx_ipc_queue_link(a, b)                                              \
    ((a)->next = (b), (b)->prev = (a))

/* Makes q the head of an empty queue. */
#define ngx_queue_init(q)                                                     \
    ((void) ngx_ipc_queue_link(q, q))

/* Tells whether the queue with the head h has no element. */
#define ngx_queue_empty(h)         ((h)->prev == (h))

/* The first and the last element of a queue; the head if the queue is empty. */
#define ngx_queue_head(h)          ((h)->next)
#define ngx_queue_last(h)          ((h)->prev)

/* The element at which a loop over the queue ends: the head. */
#define ngx_queue_sentinel(h)      (h)

/* The neighbours of an element. */
#define ngx_queue_next(q)          ((q)->next)
#define ngx_queue_prev(q)          ((q)->prev)

/* Inserts the element x behind h, which is the head or an element. */
#define ngx_queue_insert_head(h, x)                                           \
    ((void) (ngx_ipc_queue_link(x, (h)->next), ngx_ipc_queue_link(h, x)))
#define ngx_queue_insert_after     ngx_queue_insert_head

/* Inserts the element x before h, which is the head or an element. */
#define ngx_queue_insert_tail(h, x)                                           \
    ((void) (ngx_ipc_queue_link((h)->prev, x), ngx_ipc_queue_link(x, h)))
#define ngx_queue_insert_before    ngx_queue_insert_tail

/*
 * Moves the element q, and all elements behind it, from the queue h to the
 * queue n.  n need not be initialized.  The macro needs no semicolon.
 */
#define ngx_queue_split(h, q, n)                                              \
    {                                                                         \
        ngx_ipc_queue_link((h)->prev, n);                                     \
        ngx_ipc_queue_link((q)->prev, h);                                     \
        ngx_ipc_queue_link(n, q);                                             \
    }

/*
 * Moves all elements of the queue n to the end of the queue h.  Afterwards n is
 * not initialized.  The macro needs no semicolon.
 */
#define ngx_queue_add(h, n)                                                   \
    {                                                                         \
        ngx_ipc_queue_link((h)->prev, (n)->next);                             \
        ngx_ipc_queue_link((n)->prev, h);                                     \
    }

/* The structure of the type whose member, named link, is the element q. */
#define ngx_queue_data(q, type, link)                                         \
    ((type *) (void *) ((u_char *) (q) - offsetof(type, link)))


/*
 * Removes the element x from its queue.
 *
 * x can be ngx_queue_head() or ngx_queue_last() of a queue.  With NGX_DEBUG, the
 * links of x become NULL.
 *
 * Safety: x is an element of a queue.
 */
static ngx_inline void
ngx_queue_remove(ngx_queue_t *x)
{
    ngx_ipc_queue_link(x->prev, x->next);

#if (NGX_DEBUG)
    x->prev = NULL;
    x->next = NULL;
#endif
}


/*
 * Finds the middle of a queue.
 *
 * Returns the element in the middle.  If the number of elements is even, this is
 * the first element of the second half.  Returns queue if it has no elements.
 *
 * Safety: queue is the head of a queue.
 */
ngx_queue_t *ngx_queue_middle(ngx_queue_t *queue);

/*
 * Sorts a queue.  Elements that are equal stay in their order.
 *
 * cmp returns a number above 0 if its first element belongs behind its second
 * one.
 *
 * Safety: queue is the head of a queue.
 */
void ngx_queue_sort(ngx_queue_t *queue,
    ngx_int_t (*cmp)(const ngx_queue_t *, const ngx_queue_t *));


#ifdef __cplusplus
}
#endif

#endif /* _NGX_QUEUE_H_INCLUDED_ */
