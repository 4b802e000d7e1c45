
/* Tests of requests and replies. */


#include "t_messages.h"


static ngx_int_t
ask(ngx_int_t worker, int what, int value, ngx_msec_t timeout)
{
    t_msg_order_t  order = { what, value };

    return ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(worker),
                                   &order, sizeof(order), timeout, t_outcome,
                                   NULL);
}


static void
test_reply(void)
{
    t_messages_start(2);

    T_EQ(ask(0, T_ORDER_REPLY, 6, 10000), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->outcome, NGX_IPC_REPLIED);
    T_EQ(t_of(-1)->reply, 7);

    /* A worker asks another one. */

    T_EQ(t_give_order(0, T_ORDER_ASK, 1), NGX_OK);
    T_UNTIL(t_of(0)->outcomes == 1);
    T_EQ(t_of(0)->outcome, NGX_IPC_REPLIED);
    T_EQ(t_of(0)->reply, 41);

    /* The second reply is dropped. */

    T_EQ(ask(1, T_ORDER_REPLY_TWICE, 6, 10000), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 2);
    T_EQ(ask(1, T_ORDER_REPLY, 8, 10000), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 3);
    T_EQ(t_of(-1)->reply, 9);

    /* A replacement replies to a process that it has no earlier message from. */

    t_kill_worker(0);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->from_slot, -1);
    T_EQ(ask(0, T_ORDER_REPLY, 1, 10000), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 4);
    T_EQ(t_of(-1)->reply, 2);

    T_EQ(ask(5, T_ORDER_REPLY, 6, 10000), NGX_ERROR);
    T_EQ(errno, ESRCH);

    t_workers_stop();
    T_EQ(t_of(-1)->outcomes, 4);
}


static void
test_no_reply(void)
{
    t_messages_start(2);
    t_notes->hold = 1;

    T_EQ(ask(0, T_ORDER_HOLD, 0, 30), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->outcome, NGX_IPC_TOO_LATE);
    T_EQ(t_of(-1)->reply, -1);
    t_notes->hold = 0;

    T_EQ(ask(1, T_ORDER_DIE, 0, 100000), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 2);
    T_EQ(t_of(-1)->outcome, NGX_IPC_DIED);

    t_workers_stop();
    T_EQ(t_of(-1)->outcomes, 2);
}


/*
 * A reply that waits is the outcome, although a handler has blocked the process that
 * has asked until the time is over.  Notes wait before the reply, so that it needs
 * more than one turn.
 */

#define NOTES    1000
#define TIMEOUT  20

static void
ask_and_block(ngx_ipc_message_t *m, int notes)
{
    t_msg_order_t  order = { T_ORDER_REPLY, 6 };
    ngx_int_t      before;
    int            i;

    for (i = 0; i < notes; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(ngx_worker), i), NGX_OK);
    }

    before = t_of(1)->notes;

    T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(1), &order,
                                 sizeof(order), TIMEOUT, t_outcome, NULL), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(1), 0), NGX_OK);

    /* The worker handles the note after it has replied. */

    while (t_of(1)->notes == before) {
        usleep(1000);
    }

    usleep(2 * TIMEOUT * 1000);
}


static void
test_blocked(void)
{
    t_messages_start(2);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), ask_and_block, 0), NGX_OK);
    T_UNTIL(t_of(0)->outcomes == 1);
    T_EQ(t_of(0)->outcome, NGX_IPC_REPLIED);
    T_EQ(t_of(0)->reply, 7);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), ask_and_block, NOTES), NGX_OK);
    T_UNTIL(t_of(0)->outcomes == 2);
    T_EQ(t_of(0)->outcome, NGX_IPC_REPLIED);
    T_UNTIL(t_of(0)->notes == NOTES);

    t_workers_stop();
}


/* A request is too late in a process for which a message always waits. */

static void
note_again(ngx_ipc_message_t *m, int arg)
{
    if (t_own()->outcomes == 0) {
        T_EQ(t_call_later(NGX_IPC_TO_WORKER(ngx_worker), note_again, 0), NGX_OK);
    }
}


static void
ask_and_flood(ngx_ipc_message_t *m, int arg)
{
    t_msg_order_t  order = { T_ORDER_HOLD, 0 };

    T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(1), &order,
                                 sizeof(order), 1, t_outcome, NULL), NGX_OK);
    note_again(m, 0);
}


static void
test_flooded(void)
{
    t_messages_start(2);
    t_notes->hold = 1;

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), ask_and_flood, 0), NGX_OK);
    T_UNTIL(t_of(0)->outcomes == 1);
    T_EQ(t_of(0)->outcome, NGX_IPC_TOO_LATE);

    t_notes->hold = 0;
    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("requests and replies", test_reply);
    t_run("requests without a reply", test_no_reply);
    t_run("a reply that waits is not too late", test_blocked);
    t_run("a request is too late although messages wait", test_flooded);

    return t_end();
}
