
/*
 * The functions of ngx_ipc_message.h are called without memory.  See
 * test_no_memory.c for the other functions.
 */


#include "t_memory.h"
#include "t_messages.h"

#include <stdio.h>


static int        received;
static int        replies;
static int        lacking;      /* a function has returned ENOMEM */


/* Returns 1 if a function has succeeded, and 0 if there was no memory. */

static int
sent(ngx_int_t result)
{
    if (result == NGX_OK || result > 0) {
        return 1;
    }

    T_EQ(result, NGX_ERROR);
    T_EQ(errno, ENOMEM);

    /* The functions that send return errno and log nothing. */

    ngx_log_error(NGX_LOG_ALERT, t_log(), ngx_errno, "not sent");
    lacking = 1;

    return 0;
}


static void
handler(ngx_ipc_message_t *m)
{
    received++;

    if (m->request) {
        (void) sent(ngx_ipc_message_reply(m->sender->to, m->request, "r", 1));
    }
}


static void
outcome(void *data, ngx_uint_t result, ngx_ipc_message_t *reply)
{
    T_OK(result == NGX_IPC_REPLIED || lacking);
    replies++;
}


static ngx_ipc_message_type_t   type = { .name = "test", .handler = handler };
static ngx_ipc_message_type_t   with_fds = {
    .name = "fds", .handler = handler, .flags = NGX_IPC_MESSAGE_DESCRIPTORS
};
static ngx_ipc_message_type_t   kept = {
    .name = "kept", .handler = handler, .flags = NGX_IPC_MESSAGE_RETAINED
};


/* The descriptors of a message are lost if there is no memory to receive them. */

static void
gap(void *data, const ngx_ipc_gap_t *gap)
{
    T_EQ(gap->cause, NGX_IPC_GAP_DESCRIPTORS);
    received += gap->count;
    errno = ENOMEM;
    (void) sent(NGX_ERROR);
}


static ngx_ipc_message_watch_t  watch = { .gap = gap };


static void
a_master(void)
{
    t_master_init();
    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
    ngx_process = NGX_PROCESS_MASTER;
}


static int
call_register(void)
{
    if (ngx_ipc_message_register(&type) != NGX_OK
        || ngx_ipc_message_register(&with_fds) != NGX_OK
        || ngx_ipc_message_register(&kept) != NGX_OK
        || ngx_ipc_message_watch(&watch) != NGX_OK)
    {
        return 0;
    }

    return ngx_ipc_message_fd() != -1;
}


static void
a_master_with_messages(void)
{
    a_master();
    T_REQUIRE(call_register());
}


/* Sends one message in each way; returns how many were sent. */

static int
send_all(void)
{
    int              n;
    void            *data;
    ngx_fd_t         fd;
    ngx_uint_t       self;
    ngx_ipc_load_t   load;

    n = 0;
    fd = 2;
    self = NGX_IPC_MASTER|NGX_IPC_SELF;

    n += sent(ngx_ipc_message_send(&type, NGX_IPC_TO_MASTER, "a", 1));
    n += sent(ngx_ipc_message_send_by_key(&type, self, "k", 1, "a", 1));
    n += sent(ngx_ipc_message_send_fds(&with_fds, NGX_IPC_TO_MASTER, "a", 1,
                                       &fd, 1));
    n += sent(ngx_ipc_message_broadcast(&type, self, "a", 1));
    n += sent(ngx_ipc_message_broadcast_fds(&with_fds, self, "a", 1, &fd, 1));
    n += sent(ngx_ipc_message_broadcast(&kept, self, "a", 1));
    (void) sent(ngx_ipc_message_load_size(NGX_IPC_TO_MASTER, &load,
                                          sizeof(load)));
    (void) sent(ngx_ipc_message_unhandled(1));
    (void) sent(ngx_ipc_message_to_key(self, "k", 1) ? NGX_OK : NGX_ERROR);
    n += sent(ngx_ipc_message_request(&type, NGX_IPC_TO_MASTER, "a", 1, 1000,
                                      outcome, NULL));

    data = ngx_ipc_message_reserve(&type, NGX_IPC_TO_MASTER, 1);

    if (sent(data ? NGX_OK : NGX_ERROR)) {
        T_EQ(ngx_ipc_message_commit(data, 1), NGX_OK);
        n++;
    }

    data = ngx_ipc_message_reserve(&type, NGX_IPC_TO_MASTER, 1);

    if (sent(data ? NGX_OK : NGX_ERROR)) {
        T_EQ(ngx_ipc_message_cancel(data), NGX_OK);
    }

    return n;
}


/* To read the numbers of messages needs no memory. */

static void
read_numbers(void)
{
    ngx_ipc_message_pair_t    pair;
    ngx_ipc_message_counts_t  counts;

    pair.number = -1;
    counts.number = -1;
    counts.set = 0;
    counts.worker = -1;

    T_EQ(ngx_ipc_message_next_type_size(&counts, sizeof(counts)), NGX_OK);

    if (received > 0) {
        T_EQ(ngx_ipc_message_next_pair_size(&pair, sizeof(pair)), NGX_OK);
    }
}


static int
call_send(void)
{
    int         n;
    ngx_uint_t  missed;

    received = 0;
    lacking = 0;

    n = send_all();

    (void) ngx_ipc_message_missed(&missed);
    T_EQ(missed, 0);
    T_EQ(ngx_ipc_message_worker(NGX_IPC_TO_MASTER), -1);

    while (received < n) {
        (void) ngx_ipc_message_process();
    }

    T_EQ(received, n);
    read_numbers();

    return !lacking;
}


static const t_call_t  calls[] = {
    { "ngx_ipc_message_register_size and ngx_ipc_message_watch_size", a_master,
      call_register, 0 },
    { "ngx_ipc_message_send", a_master_with_messages, call_send, 0 },
};

int
main(void)
{
    t_begin();
    t_run_without_memory(calls, t_nitems(calls));

    return t_end();
}
