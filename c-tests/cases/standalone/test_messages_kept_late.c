
/*
 * Tests of messages that are kept and that arrive before their type is registered.  A
 * worker sends them, because the replacement of a worker knows the types of the master.
 */


#include "t_messages.h"


static void
late_handler(ngx_ipc_message_t *m)
{
    t_own()->flags[1] = *(int *) m->data;
    t_own()->flags[0]++;
}


static ngx_ipc_message_type_t  late_type = {
    .name = "test_late", .handler = late_handler,
    .flags = NGX_IPC_MESSAGE_RETAINED
};


static void
register_late(ngx_ipc_message_t *m, int arg)
{
    T_EQ(ngx_ipc_message_register(&late_type), NGX_OK);
}


static void
broadcast_late(ngx_ipc_message_t *m, int value)
{
    register_late(m, 0);
    T_EQ(ngx_ipc_message_broadcast(&late_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 2);
    T_EQ(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 2);
}


/* Sends the message, and waits until it has arrived at two other workers. */

static void
send_late(ngx_int_t sender, ngx_int_t a, ngx_int_t b, int value)
{
    ngx_int_t  of_a, of_b;

    of_a = t_of(a)->notes;
    of_b = t_of(b)->notes;

    T_EQ(t_call(NGX_IPC_TO_WORKER(sender), broadcast_late, value), NGX_OK);
    T_UNTIL(t_of(a)->notes == of_a + 1 && t_of(b)->notes == of_b + 1);
    T_EQ(t_of(a)->value, value);
    T_EQ(t_of(b)->value, value);
}


/* A worker registers the type, and gets the message once. */

static void
check_late(ngx_int_t worker, int value)
{
    int        before;
    ngx_int_t  notes;

    before = t_of(worker)->flags[0];
    notes = t_of(worker)->notes;

    T_EQ(t_call(NGX_IPC_TO_WORKER(worker), register_late, 0), NGX_OK);
    T_UNTIL(t_of(worker)->flags[0] == before + 1);
    T_EQ(t_of(worker)->flags[1], value);

    T_EQ(t_note(NGX_IPC_TO_WORKER(worker), -1), NGX_OK);
    T_UNTIL(t_of(worker)->notes == notes + 1);
    T_EQ(t_of(worker)->flags[0], before + 1);
}


static void
test_late(void)
{
    t_messages_start(3);

    send_late(1, 0, 2, 5);
    T_EQ(t_logged(NGX_LOG_WARN, "has no handler"), 2);
    T_EQ(t_of(0)->flags[0], 0);
    check_late(0, 5);

    /* Worker 0 knows the type now, and worker 2 drops the next message, too. */

    send_late(1, 0, 2, 6);
    T_UNTIL(t_of(0)->flags[0] == 2);
    T_EQ(t_of(0)->flags[1], 6);
    T_EQ(t_of(2)->flags[0], 0);
    check_late(2, 6);
    T_EQ(t_of(1)->flags[0], 0);

    t_workers_stop();
}


/* The message waits for a worker that dies, and its replacement drops it. */

static void
test_late_replacement(void)
{
    t_messages_start(3);

    send_late(1, 0, 2, 5);
    t_hold(0);
    T_EQ(t_call(NGX_IPC_TO_WORKER(1), broadcast_late, 6), NGX_OK);
    T_UNTIL(t_of(2)->value == 6);
    t_kill_worker(0);
    T_UNTIL(t_of(0)->value == 6);
    t_notes->hold = 0;
    T_EQ(t_of(0)->gaps_of[NGX_IPC_GAP_HANDLED], 1);
    T_EQ(t_of(0)->flags[0], 0);
    check_late(0, 6);

    /* The next replacement gets no record of it. */

    t_kill_worker(0);
    check_late(0, 6);

    t_workers_stop();
}


/* Workers that a reload has started register the type. */

static int
are_gone(ngx_int_t from, ngx_int_t to)
{
    ngx_int_t  s;

    for (s = from; s < to; s++) {
        if (t_runs(s)) {
            return 0;
        }
    }

    return 1;
}


static void
test_late_reload(void)
{
    ngx_int_t  w;

    t_messages_start(3);
    send_late(1, 0, 2, 5);

    ngx_start_worker_processes(t_cycle(), 3, NGX_PROCESS_JUST_RESPAWN);
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    T_UNTIL(are_gone(0, 3));

    /* It was sent before these workers started, and then there is a newer one. */

    check_late(0, 5);
    send_late(2, 0, 1, 6);
    T_UNTIL(t_of(0)->flags[0] == 2);
    check_late(1, 6);

    for (w = 0; w < 3; w++) {
        T_EQ(t_of(w)->flags[0], w == 0 ? 2 : w == 1);
    }

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("a type that is registered after its message", test_late);
    t_run("a replacement that registers a type later", test_late_replacement);
    t_run("a reload, and a type that is registered later", test_late_reload);

    return t_end();
}
