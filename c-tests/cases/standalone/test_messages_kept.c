
/* Tests of messages that are kept for processes that come later. */


#include "t_messages.h"

/* The last message is kept for processes that come later. */

static void
test_kept(void)
{
    int          value;
    static char  data[1024 * 1024 + 1];

    t_messages_init();

    for (value = 3; value < 6; value++) {
        T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                       sizeof(value)), 0);
    }

    t_messages_start(2);
    T_UNTIL(t_of(0)->notes == 1 && t_of(1)->notes == 1);
    T_EQ(t_of(0)->value, 5);
    T_EQ(t_of(0)->from_slot, -1);

    value = 6;
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 2);
    T_UNTIL(t_of(0)->notes == 2 && t_of(1)->notes == 2);
    T_EQ(t_of(1)->value, 6);

    /* A replacement gets the last message once. */

    t_kill_worker(1);
    T_UNTIL(t_of(1)->notes == 3);
    T_EQ(t_note(NGX_IPC_TO_WORKER(1), 7), NGX_OK);
    T_UNTIL(t_of(1)->notes == 4);
    T_EQ(t_of(1)->values[2], 6);
    T_EQ(t_of(1)->values[3], 7);
    T_EQ(t_of(0)->notes, 2);

    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, data,
                                   sizeof(data)), NGX_DECLINED);
    T_EQ(errno, EMSGSIZE);

    /* What was refused is not kept. */

    t_kill_worker(1);
    T_UNTIL(t_of(1)->notes == 5);
    T_EQ(t_of(1)->values[4], 6);

    t_workers_stop();
}


/* A message that has the largest size is kept as well. */

static void
large_handler(ngx_ipc_message_t *m)
{
    t_own()->flags[1] = (int) m->len;
    t_own()->flags[0] = t_is_filled(m->data, m->len, 7);
}


static void
test_large(void)
{
    u_char                         *data;
    size_t                          len;
    static ngx_ipc_message_type_t   type = {
        .name = "test_large", .handler = large_handler,
        .flags = NGX_IPC_MESSAGE_RETAINED
    };

    len = 1024 * 1024;
    data = malloc(len);
    T_REQUIRE(data != NULL);
    memset(data, 7, len);

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_broadcast(&type, NGX_IPC_WORKERS, data, len), 0);
    t_messages_start(2);
    T_UNTIL(t_of(0)->flags[0] && t_of(1)->flags[0]);
    T_EQ(t_of(0)->flags[1], len);

    free(data);
    t_workers_stop();
}


/* A message is kept for processes with the roles of the set only. */

static void
test_set(void)
{
    int  value;

    t_messages_init();

    value = 1;
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_HELPERS, &value,
                                   sizeof(value)), 0);
    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 2), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->kept, 0);

    /* The master is not a worker. */

    T_EQ(t_give_order(0, T_ORDER_BROADCAST_KEPT, 3), NGX_OK);
    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 4), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 1);
    t_kill_worker(0);
    T_UNTIL(t_of(0)->kept == 1);
    T_EQ(t_of(0)->kept_value, 3);
    T_EQ(t_of(-1)->kept, 0);

    t_workers_stop();
}


/* A process that had no room for the message gets it when it has room. */

static void
test_full(void)
{
    int           value;
    ngx_uint_t    n;
    static char   data[4000];

    t_messages_start(2);
    t_hold(0);

    while (ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_WORKER(0), data,
                                sizeof(data)) == NGX_OK)
    {
        /* void */
    }

    while (t_note(NGX_IPC_TO_WORKER(0), 1) == NGX_OK) { /* void */ }

    value = 5;
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 1);
    (void) ngx_ipc_message_missed(&n);
    T_EQ(n, 1);

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->kept == 1 && t_of(1)->kept == 1);
    T_EQ(t_of(0)->kept_value, 5);
    T_EQ(t_of(0)->gaps, 0);

    t_workers_stop();
}


/*
 * Workers that do not get on while they keep a message: they read memory that cannot
 * be read.  The type has room for four messages.
 */

static void
stay(int signo)
{
    t_own()->flags[2] = 1;

    for ( ;; ) {
        pause();
    }
}


static void
keep_and_stay(ngx_ipc_message_t *m, int arg)
{
    void              *p;
    struct sigaction   sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = stay;
    T_REQUIRE(sigaction(SIGSEGV, &sa, NULL) == 0);

    p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    T_REQUIRE(p != MAP_FAILED);
    (void) ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, p, 4096);
    T_OK(0);
}


static void
test_again(void)
{
    int        value;
    ngx_int_t  w;

    if (t_under_valgrind()) {
        t_skip("valgrind reports memory that cannot be read");
        return;
    }

    t_messages_start(4);
    T_EQ(ngx_ipc_message_watch(&t_message_watch), NGX_OK);

    value = 1;
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 4);

    for (w = 0; w < 3; w++) {
        T_UNTIL(t_of(w)->kept == 1);
        T_EQ(t_call(NGX_IPC_TO_WORKER(w), keep_and_stay, 0), NGX_OK);
        T_UNTIL(t_of(w)->flags[2] == 1);
    }

    value = 2;
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), NGX_AGAIN);
    T_EQ(errno, EAGAIN);
    T_UNTIL(t_of(3)->kept == 1);

    /* The room of a dead worker is used again. */

    t_kill_worker(1);
    T_UNTIL(t_of(1)->kept == 2);
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 4);
    T_UNTIL(t_of(1)->kept_value == 2 && t_of(3)->kept == 2);
    T_EQ(t_of(3)->kept_value, 2);
    T_EQ(t_of(-1)->room, 0);

    t_kill_worker(0);
    t_kill_worker(2);
    T_UNTIL(t_of(0)->kept_value == 2 && t_of(2)->kept_value == 2);
    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("a message that is kept", test_kept);
    t_run("a message of the largest size that is kept", test_large);
    t_run("a message that is kept for a set", test_set);
    t_run("a message that is kept and had no room", test_full);
    t_run("workers that stop while they keep a message", test_again);

    return t_end();
}
