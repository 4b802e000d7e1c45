
/* Tests of what handlers of messages and functions for outcomes can do. */


#include "t_messages.h"


/* A handler sends its process the same message again and again. */

static void
call_again(ngx_ipc_message_t *m, int arg)
{
    t_own()->flags[0]++;
    T_EQ(t_call_later(NGX_IPC_TO_WORKER(0), call_again, 0), NGX_OK);
}


static void
test_sends_to_itself(void)
{
    int  i;

    t_messages_start(1);
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), call_again, 0), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] > 1000);

    for (i = 1; i <= 20; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
        T_UNTIL(t_of(0)->notes == i);
    }

    /* The worker reads its channel, too. */

    t_workers_stop();
}


/* A request that has no time is sent again whenever it is too late. */

static void
idle_handler(ngx_ipc_message_t *m)
{
    /* void */
}


static ngx_ipc_message_type_t  idle_type = {
    .name = "test_idle", .handler = idle_handler
};


static void
ask_again(void *ctx, ngx_uint_t outcome, ngx_ipc_message_t *reply)
{
    T_OK(outcome == NGX_IPC_TOO_LATE || outcome == NGX_IPC_DIED);
    t_own()->flags[0]++;

    if (t_notes->hold) {
        T_EQ(ngx_ipc_message_request(&idle_type, NGX_IPC_TO_WORKER(0), NULL, 0,
                                     0, ask_again, NULL), NGX_OK);
    }
}


static void
begin_to_ask(ngx_ipc_message_t *m, int arg)
{
    ask_again(NULL, NGX_IPC_TOO_LATE, NULL);
}


static void
test_late_again(void)
{
    int  i;

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&idle_type), NGX_OK);
    t_messages_start(1);
    t_notes->hold = 1;
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), begin_to_ask, 0), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] > 100);

    for (i = 1; i <= 20; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
        T_UNTIL(t_of(0)->notes == i);
    }

    T_UNTIL(t_of(0)->flags[0] > 1000);
    t_notes->hold = 0;
    t_workers_stop();
}


/* A process asks itself.  The outcome sends the next request. */

static void
ask_itself(void *ctx, ngx_uint_t outcome, ngx_ipc_message_t *reply)
{
    t_msg_order_t  order;

    if (reply) {
        T_EQ(outcome, NGX_IPC_REPLIED);
        T_EQ(*(int *) reply->data, t_own()->flags[0] + 1);
        T_EQ(reply->sender->worker, 0);
    }

    if (++t_own()->flags[0] <= 5) {
        order.what = T_ORDER_REPLY;
        order.value = t_own()->flags[0];
        T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(0),
                                     &order, sizeof(order), 10000, ask_itself,
                                     NULL), NGX_OK);
    }
}


static void
begin_to_ask_itself(ngx_ipc_message_t *m, int arg)
{
    ask_itself(NULL, 0, NULL);
}


static void
test_asks_itself(void)
{
    t_messages_start(1);
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), begin_to_ask_itself, 0), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 6);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->flags[0], 6);
    t_workers_stop();
}


/* More requests than a table of a fixed size would have. */

#define REQUESTS  3000


static void
test_many_requests(void)
{
    int            i;
    t_msg_order_t  order = { T_ORDER_REPLY, 1 };

    t_messages_start(2);
    t_hold(0);

    for (i = 0; i < REQUESTS; i++) {
        T_EQ(ngx_ipc_message_request(&t_call_later_type, NGX_IPC_TO_WORKER(0),
                                     &order, sizeof(order), 100000, t_outcome,
                                     NULL), NGX_OK);
    }

    T_EQ(t_of(-1)->outcomes, 0);
    t_kill_worker(0);
    T_UNTIL(t_of(-1)->outcomes == REQUESTS);
    T_EQ(t_of(-1)->outcome, NGX_IPC_DIED);
    t_notes->hold = 0;

    T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(1), &order,
                                 sizeof(order), 100000, t_outcome, NULL),
         NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == REQUESTS + 1);
    T_EQ(t_of(-1)->outcome, NGX_IPC_REPLIED);

    t_workers_stop();
    T_EQ(t_of(-1)->outcomes, REQUESTS + 1);
}


/* The payload stays in place when a handler handles messages itself. */

#define SIZE  500000


static void
nested_handler(ngx_ipc_message_t *m)
{
    u_char  value;

    value = *(u_char *) m->data;

    T_EQ(ngx_ipc_message_process(), 0);
    T_OK(ngx_ipc_message_fd() != -1);

    /* Other messages can use the memory of messages that were handled. */

    t_own()->flags[0]++;

    while (t_own()->flags[0] != t_notes->hold) {
        usleep(1000);
    }

    T_EQ(m->len, SIZE);
    t_own()->flags[1] += t_is_filled(m->data, m->len, value);
    T_EQ(ngx_ipc_message_process(), 0);
}


static void
test_nested(void)
{
    u_char                         *data;
    static ngx_ipc_message_type_t   type = {
        .name = "test_nested", .handler = nested_handler
    };

    data = malloc(SIZE);
    T_REQUIRE(data != NULL);

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    t_messages_start(1);
    T_UNTIL(t_of(0)->up == 1);

    memset(data, 1, SIZE);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), data, SIZE), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 1);

    /* The next ones do not lie where the first one is. */

    memset(data, 2, SIZE);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), data, SIZE), NGX_OK);
    memset(data, 3, SIZE);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), data, SIZE), NGX_OK);

    for (t_notes->hold = 1; t_notes->hold < 3; t_notes->hold++) {
        T_UNTIL(t_of(0)->flags[0] == t_notes->hold + 1);
    }

    T_UNTIL(t_of(0)->flags[1] == 3);

    free(data);
    t_workers_stop();
}


/* A handler registers a type, and gets messages of this type. */

static void
late_handler(ngx_ipc_message_t *m)
{
    t_own()->flags[0]++;
}


static ngx_ipc_message_type_t  late_type = {
    .name = "test_late", .handler = late_handler
};


static void
register_late(ngx_ipc_message_t *m, int arg)
{
    T_EQ(ngx_ipc_message_register(&late_type), NGX_OK);
    t_own()->flags[1] = 1;
}


static void
test_registers(void)
{
    t_messages_start(1);

    /* The type is registered here, so the worker does not have it. */

    T_EQ(ngx_ipc_message_register(&late_type), NGX_OK);
    T_EQ(ngx_ipc_message_broadcast(&late_type, NGX_IPC_WORKERS, "k", 1), 1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->flags[0], 0);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), register_late, 0), NGX_OK);
    T_UNTIL(t_of(0)->flags[1] == 1);
    T_EQ(ngx_ipc_message_send(&late_type, NGX_IPC_TO_WORKER(0), "a", 1),
         NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 2);
    T_EQ(t_of(0)->flags[0], 1);

    t_workers_stop();
}


/* A handler calls exit(). */

static void
call_exit(ngx_ipc_message_t *m, int code)
{
    exit(code);
}


static void
test_exits(void)
{
    t_messages_start(2);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), call_exit, 5), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 7), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 7);
    T_EQ(t_of(0)->gaps_of[NGX_IPC_GAP_HANDLED], 1);
    T_EQ(t_of(0)->gaps, 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 5"), 1);

    t_workers_stop();
}


/*
 * A worker is told to stop while it handles messages.  Its turn ends after two
 * milliseconds, and then it exits: it was handling no message then.
 */

#define STOPPED  300


static void
stop_first(ngx_ipc_message_t *m, int last)
{
    if (t_own()->flags[1] == 0 || t_own()->flags[1] == ngx_pid) {
        t_own()->flags[1] = ngx_pid;
        ngx_terminate = 1;
        usleep(1000);
    }

    t_own()->flags[0]++;
    t_own()->flags[2] = last;
}


static void
test_stops(void)
{
    int  i;

    t_messages_start(1);
    t_hold(0);

    for (i = 1; i <= STOPPED; i++) {
        T_EQ(t_call_later(NGX_IPC_TO_WORKER(0), stop_first, i), NGX_OK);
    }

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->flags[2] == STOPPED);
    T_OK(t_of(0)->flags[1] != ngx_processes[0].pid);
    T_EQ(t_of(0)->flags[0], STOPPED);
    T_EQ(t_of(0)->gaps, 0);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("a handler that sends to its process", test_sends_to_itself);
    t_run("requests that are too late again and again", test_late_again);
    t_run("a process that asks itself", test_asks_itself);
    t_run("many requests", test_many_requests);
    t_run("a handler that handles messages", test_nested);
    t_run("a handler that registers a type", test_registers);
    t_run("a handler that exits", test_exits);
    t_run("a worker that is told to stop in a turn", test_stops);

    return t_end();
}
