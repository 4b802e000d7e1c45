/* Functions of doubly linked lists. */

#include <ngx_config.h>
#include <ngx_core.h>


typedef ngx_int_t (*ngx_queue_cmp_pt)(const ngx_queue_t *,
    const ngx_queue_t *);


ngx_queue_t *
ngx_queue_middle(ngx_queue_t *queue)
{
    ngx_queue_t  *middle, *q;

    /* q makes two steps for each step of middle */

    middle = ngx_queue_head(queue);
    q = middle;

    while (q != queue && ngx_queue_next(q) != queue) {
        middle = ngx_queue_next(middle);
        q = ngx_queue_next(ngx_queue_next(q));
    }

    return middle;
}


/*
 * Moves the elements of the sorted queue "from" to their places in the sorted
 * queue "to".  An element of "to" comes before an equal one of "from".
 */

static void
ngx_queue_merge(ngx_queue_t *to, ngx_queue_t *from, ngx_queue_cmp_pt cmp)
{
    ngx_queue_t  *at, *q;

    at = ngx_queue_head(to);

    while (at != to && !ngx_queue_empty(from)) {

        q = ngx_queue_head(from);

        if (cmp(at, q) > 0) {
            ngx_queue_remove(q);
            ngx_queue_insert_before(at, q);

        } else {
            at = ngx_queue_next(at);
        }
    }

    if (!ngx_queue_empty(from)) {
        ngx_queue_add(to, from);
    }
}


void
ngx_queue_sort(ngx_queue_t *queue,
    ngx_int_t (*cmp)(const ngx_queue_t *, const ngx_queue_t *))
{
    ngx_queue_t  *middle, second;

    if (ngx_queue_head(queue) == ngx_queue_last(queue)) {
        return;
    }

    /*
     * Merge sort: the depth of the recursion is the logarithm of the length
     */

    middle = ngx_queue_middle(queue);
    ngx_queue_split(queue, middle, &second);

    ngx_queue_sort(queue, cmp);
    ngx_queue_sort(&second, cmp);
    ngx_queue_merge(queue, &second, cmp);
}
