
/* Tests of macros: nginx's sources use some of them without a semicolon. */


#include "test.h"

#include <ngx_event.h>


static ngx_event_t  ev;


static void
post(ngx_queue_t *q)
{
    ngx_post_event(&ev, q)
}


static void
unpost(void)
{
    ngx_delete_posted_event(&ev)
}


static void
test_posted(void)
{
    ngx_queue_t  q;

    ngx_queue_init(&q);
    ev.log = t_log();

    post(&q);
    post(&q);
    T_OK(ev.posted && ngx_queue_head(&q) == &ev.queue);
    T_OK(ngx_queue_next(&ev.queue) == &q);

    unpost();
    T_OK(!ev.posted && ngx_queue_empty(&q));
}


static void
test_queues(void)
{
    ngx_queue_t  h, other, a, b;

    ngx_queue_init(&h);
    ngx_queue_insert_tail(&h, &a);
    ngx_queue_insert_tail(&h, &b);

    ngx_queue_split(&h, &b, &other)
    T_OK(ngx_queue_last(&h) == &a && ngx_queue_head(&other) == &b);

    ngx_queue_add(&h, &other)
    T_OK(ngx_queue_last(&h) == &b && ngx_queue_prev(&b) == &a);
}


/* With nginx's macro and NGX_DEBUG, the queue is not a ring any more. */

static void
test_remove_ends(void)
{
    int          i;
    ngx_queue_t  h, link[4];

    ngx_queue_init(&h);

    for (i = 0; i < 4; i++) {
        ngx_queue_insert_tail(&h, &link[i]);
    }

    ngx_queue_remove(ngx_queue_head(&h));
    T_OK(ngx_queue_head(&h) == &link[1] && ngx_queue_prev(&link[1]) == &h);
    T_OK(link[0].prev == NULL && link[0].next == NULL);

    ngx_queue_remove(ngx_queue_last(&h));
    T_OK(ngx_queue_last(&h) == &link[2] && ngx_queue_next(&link[2]) == &h);
    T_OK(ngx_queue_next(&link[1]) == &link[2]);
}


typedef struct {
    ngx_int_t    number, sum;
    ngx_uint_t   count, bits;
    ngx_msec_t   time;
    size_t       size;
    void        *pointer;
    ngx_str_t    text, name;
} conf_t;


static void
unset(conf_t *conf)
{
    memset(conf, 0, sizeof(conf_t));
    conf->number = conf->sum = NGX_CONF_UNSET;
    conf->count = NGX_CONF_UNSET_UINT;
    conf->time = NGX_CONF_UNSET_MSEC;
    conf->size = NGX_CONF_UNSET_SIZE;
    conf->pointer = NGX_CONF_UNSET_PTR;
}


static void
check_conf(conf_t *conf)
{
    T_EQ(conf->number, 1);
    T_EQ(conf->sum, 7);
    T_EQ(conf->count, 2);
    T_EQ(conf->time, 3);
    T_EQ(conf->size, 4);
    T_OK(conf->pointer == conf);
}


static void
test_conf_init(void)
{
    conf_t  conf;

    unset(&conf);
    conf.sum = 7;

    ngx_conf_init_value(conf.number, 1)
    ngx_conf_init_value(conf.sum, 1);
    ngx_conf_init_uint_value(conf.count, 2)
    ngx_conf_init_msec_value(conf.time, 3)
    ngx_conf_init_size_value(conf.size, 4)
    ngx_conf_init_ptr_value(conf.pointer, &conf)

    check_conf(&conf);
}


static void
test_conf_merge(void)
{
    conf_t  conf, prev;

    unset(&conf);
    unset(&prev);
    prev.sum = 7;
    ngx_str_set(&prev.name, "outer");

    ngx_conf_merge_value(conf.number, prev.number, 1)
    ngx_conf_merge_sec_value(conf.sum, prev.sum, 1)
    ngx_conf_merge_uint_value(conf.count, prev.count, 2)
    ngx_conf_merge_msec_value(conf.time, prev.time, 3);
    ngx_conf_merge_size_value(conf.size, prev.size, 4)
    ngx_conf_merge_ptr_value(conf.pointer, prev.pointer, &conf)
    ngx_conf_merge_bitmask_value(conf.bits, prev.bits, 5)
    ngx_conf_merge_str_value(conf.text, prev.text, "default")
    ngx_conf_merge_str_value(conf.name, prev.name, "default")

    check_conf(&conf);
    T_EQ(conf.bits, 5);
    T_EQ(conf.text.len, 7);
    T_OK(memcmp(conf.text.data, "default", 7) == 0);
    T_OK(conf.name.len == 5 && conf.name.data == prev.name.data);

    ngx_conf_merge_str_value(conf.name, prev.text, "default");
    T_EQ(conf.name.len, 5);
}


int
main(void)
{
    t_begin();

    t_run("posted events", test_posted);
    t_run("queues", test_queues);
    t_run("X the first and the last element of a queue are removed",
          test_remove_ends);
    t_run("values that no directive has set", test_conf_init);
    t_run("values of the outer block", test_conf_merge);

    return t_end();
}
