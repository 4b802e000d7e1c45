
/*
 * Reads the numbers of messages.
 */


#include "t_counts.h"


#if !(T_NGINX)

ngx_int_t
t_counts_of(ngx_ipc_message_counts_t *c, const char *name, ngx_uint_t set,
    ngx_int_t worker)
{
    ngx_int_t  rc;

    c->number = -1;
    c->set = set;
    c->worker = worker;

    do {
        rc = ngx_ipc_message_next_type(c);
    } while (rc == NGX_OK && strcmp(c->name, name) != 0);

    return rc;
}


ngx_ipc_message_counts_t *
t_note_counts(void)
{
    static ngx_ipc_message_counts_t  c;

    T_EQ(t_counts_of(&c, "test_note", 0, -1), NGX_OK);

    return &c;
}


ngx_ipc_message_counts_t *
t_worker_counts(ngx_int_t worker)
{
    static ngx_ipc_message_counts_t  c;

    if (t_counts_of(&c, "test_note", NGX_IPC_WORKERS, worker) != NGX_OK) {
        memset(&c, 0, sizeof(c));
    }

    return &c;
}


ngx_ipc_message_pair_t *
t_pair_of(ngx_int_t sender, ngx_int_t receiver)
{
    static ngx_ipc_message_pair_t  p;

    p.number = -1;

    while (ngx_ipc_message_next_pair(&p) == NGX_OK) {
        if (p.sender == sender && p.receiver == receiver) {
            return &p;
        }
    }

    memset(&p, 0, sizeof(p));

    return &p;
}


ngx_uint_t
t_sum_of_times(ngx_ipc_message_counts_t *c)
{
    size_t      i;
    ngx_uint_t  sum;

    sum = 0;

    for (i = 0; i < t_nitems(c->times); i++) {
        sum += c->times[i];
    }

    return sum;
}

#endif
