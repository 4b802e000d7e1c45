
/* Tests of messages to one process of a set. */


#include "t_messages.h"


/* Exactly one worker gets the message. */

static void
test_one_of(void)
{
    int  i;

    t_messages_start(3);

    for (i = 0; i < 30; i++) {
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes == 30);

    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_HELPERS), 0), NGX_ERROR);
    T_EQ(errno, ESRCH);

    /* A worker that is busy gets none while others are idle. */

    t_notes->hold = 1;
    T_EQ(t_give_order(1, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(1)->holding);
    i = (int) t_of(1)->notes;

    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes == 31);
    T_EQ(t_of(1)->notes, i);

    t_notes->hold = 0;
    t_workers_stop();
}


/* Workers that do nothing take turns, and a worker that is stopped gets little. */

static ngx_int_t
notes_of_all(void)
{
    return t_of(0)->notes + t_of(1)->notes + t_of(2)->notes;
}


static int
all_wait_for_events(void)
{
    return t_waits_for_events(ngx_processes[0].pid)
           && t_waits_for_events(ngx_processes[1].pid)
           && t_waits_for_events(ngx_processes[2].pid);
}


static void
test_turns(void)
{
    int        i;
    ngx_int_t  before;

    t_messages_start(3);

    for (i = 1; i <= 60; i++) {
        T_UNTIL(all_wait_for_events());
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
        T_UNTIL(notes_of_all() == i);
    }

    for (i = 0; i < 3; i++) {
        T_OK(t_of(i)->notes >= 10);
    }

    /* It looks idle until it has a message that it does not handle. */

    t_stop_pid(ngx_processes[1].pid);
    before = t_of(1)->notes;

    for (i = 1; i <= 60; i++) {
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
        T_UNTIL(notes_of_all() >= 60 + i - 1);
    }

    T_EQ(t_of(1)->notes, before);
    kill(ngx_processes[1].pid, SIGCONT);
    T_UNTIL(notes_of_all() == 120);
    T_OK(t_of(1)->notes <= before + 1);

    t_workers_stop();
}


/* All workers are busy: that with the fewest messages gets the next one. */

static void
test_busy(void)
{
    int  i;

    t_messages_start(3);
    t_hold(0);
    T_EQ(t_give_order(1, T_ORDER_HOLD, 0), NGX_OK);
    T_EQ(t_give_order(2, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(1)->holding && t_of(2)->holding);

    for (i = 0; i < 20; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(1), i), NGX_OK);
    }

    for (i = 0; i < 20; i++) {
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
    }

    t_notes->hold = 0;
    T_UNTIL(notes_of_all() == 40);
    T_EQ(t_of(1)->notes, 20);
    T_EQ(t_of(0)->notes, 10);
    T_EQ(t_of(2)->notes, 10);

    t_workers_stop();
}


/* Functions that a worker calls. */

static void
add_unhandled(ngx_ipc_message_t *m, int n)
{
    T_EQ(ngx_ipc_message_unhandled(n), NGX_OK);
}


static void
note_to(ngx_ipc_message_t *m, int worker)
{
    T_EQ(t_note(NGX_IPC_TO_WORKER(worker), 1), NGX_OK);
}


static void
note_to_one_of(ngx_ipc_message_t *m, int value)
{
    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), value), NGX_OK);
}


static void
hold_other(ngx_ipc_message_t *m, int worker)
{
    T_EQ(t_give_order(worker, T_ORDER_HOLD, 0), NGX_OK);
}


/* Makes a worker call a function, and waits until it has handled the message. */

static void
make_worker(ngx_int_t worker, t_called_pt fn, int arg)
{
    ngx_ipc_load_t  load;

    T_EQ(t_call(NGX_IPC_TO_WORKER(worker), fn, arg), NGX_OK);

    do {
        T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(worker), &load), NGX_OK);
    } while (load.messages != 0);

    T_UNTIL(t_waits_for_events(ngx_processes[worker].pid));
}


/* What a worker has received and not handled counts like what waits for it. */

static void
test_unhandled(void)
{
    int             i;
    pid_t           pid;
    ngx_ipc_load_t  load;

    t_messages_start(3);
    make_worker(1, add_unhandled, 40);

    /* The others have an order that they have not handled. */

    t_hold(0);
    T_EQ(t_give_order(2, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(2)->holding);

    for (i = 0; i < 6; i++) {
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
    }

    /* Now worker 1 has fewer than the others, which have four each. */

    make_worker(1, add_unhandled, -38);
    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
    T_UNTIL(t_of(1)->notes == 1 && t_of(1)->value == 6);

    /* The number is never negative. */

    make_worker(1, add_unhandled, -9);
    make_worker(1, add_unhandled, 40);
    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), i), NGX_OK);
    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(1), &load), NGX_OK);
    T_EQ(load.messages, 0);

    /* A process that is started again has no message. */

    pid = t_kill_worker(1);
    T_UNTIL(ngx_processes[1].pid != pid && t_runs(1)
            && t_waits_for_events(ngx_processes[1].pid));
    T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), 8), NGX_OK);
    T_UNTIL(t_of(1)->notes == 2 && t_of(1)->value == 8);

    t_notes->hold = 0;
    T_UNTIL(notes_of_all() == 9);
    T_EQ(t_of(0)->notes + t_of(2)->notes, 7);
    T_OK(t_of(0)->notes == 3 || t_of(0)->notes == 4);

    t_workers_stop();
}


/* So does one message of each other sender. */

static void
test_other_senders(void)
{
    t_messages_start(4);

    /* Messages of the master and of worker 3 wait for worker 0. */

    t_hold(0);
    make_worker(3, note_to, 0);

    /* One of worker 2 waits for worker 1. */

    make_worker(2, hold_other, 1);
    T_UNTIL(t_of(1)->holding);

    /* Messages of the master and of worker 2 wait for worker 3. */

    t_hold(3);
    make_worker(2, note_to, 3);

    make_worker(2, note_to_one_of, 5);
    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes == 1 && t_of(3)->notes == 1);
    T_UNTIL(t_of(1)->notes == 1);
    T_EQ(t_of(1)->value, 5);

    t_workers_stop();
}


/* The first messages of a sender to worker 1 wait. It had sent one to worker 0 before. */

static void
ten_to_one_of(ngx_ipc_message_t *m, int value)
{
    int  i;

    for (i = 0; i < 10; i++) {
        note_to_one_of(m, value);
    }
}


static void
test_first(void)
{
    t_messages_start(3);
    make_worker(2, note_to, 0);
    T_UNTIL(t_of(0)->notes == 1);

    t_hold(0);
    t_hold(1);
    make_worker(2, ten_to_one_of, 1);
    t_notes->hold = 0;
    T_UNTIL(notes_of_all() == 11);

    T_EQ(t_of(2)->notes, 0);
    T_OK(t_of(0)->notes >= 4);
    T_OK(t_of(1)->notes >= 4);

    t_workers_stop();
}


/* A request, and a message that is built in place, go to one of a set too. */

static void
test_other_ways(void)
{
    int            *data;
    ngx_ipc_to_t    to;
    t_msg_order_t   order = { T_ORDER_REPLY, 6 };

    t_messages_start(2);

    data = ngx_ipc_message_reserve(&t_note_type,
                                   NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), 4);
    T_REQUIRE(data != NULL);
    *data = 5;
    T_EQ(ngx_ipc_message_commit(data, 4), NGX_OK);
    T_UNTIL(t_of(0)->notes + t_of(1)->notes == 1);

    T_EQ(ngx_ipc_message_request(&t_order_type,
                                 NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), &order,
                                 sizeof(order), 10000, t_outcome, NULL),
         NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->reply, 7);

    to = ngx_ipc_message_to_key(NGX_IPC_WORKERS, "k", 1);
    T_EQ(ngx_ipc_message_request(&t_order_type, to, &order, sizeof(order),
                                 10000, t_outcome, NULL), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 2);

    t_workers_stop();
}


/* The worker that has got a note with this value; -1 if there are two. */

static ngx_int_t
worker_of(int value, ngx_int_t n)
{
    int        i;
    ngx_int_t  w, found;

    found = -2;

    for (w = 0; w < n; w++) {
        for (i = 0; i < t_of(w)->notes; i++) {
            if (t_of(w)->values[i] == value) {
                found = (found == -2 || found == w) ? w : -1;
            }
        }
    }

    return found;
}


/* The same key goes to the same worker, whichever process sends. */

static void
test_key(void)
{
    int        i;
    ngx_int_t  w, workers[20];

    t_messages_start(4);

    for (i = 1; i <= 20; i++) {
        T_EQ(t_by_key(&t_note_type, NGX_IPC_WORKERS, i), NGX_OK);
        T_EQ(t_by_key(&t_note_type, NGX_IPC_WORKERS, i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes + t_of(3)->notes
            == 40);

    for (i = 1; i <= 20; i++) {
        workers[i - 1] = worker_of(i, 4);
        T_OK(workers[i - 1] >= 0);
    }

    for (w = 0; w < 4; w++) {
        T_OK(t_of(w)->notes < 40);
    }

    /* A worker sends, and another one was started again. */

    t_kill_worker(2);

    for (i = 1; i <= 20; i++) {
        T_EQ(t_give_order(i % 4, T_ORDER_BY_KEY, i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes + t_of(3)->notes
            == 60);

    for (i = 1; i <= 20; i++) {
        T_EQ(worker_of(i, 4), workers[i - 1]);
    }

    T_EQ(t_by_key(&t_note_type, NGX_IPC_HELPERS, 1), NGX_ERROR);
    T_EQ(errno, ESRCH);

    t_workers_stop();
}


/* A message is dropped while another one with its key waits. */

static void
test_once(void)
{
    int  i;

    t_messages_start(1);
    t_notes->hold = 1;
    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);

    for (i = 0; i < 5; i++) {
        T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
        T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 2), NGX_OK);
    }

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes == 2);
    T_EQ(t_of(0)->values[0], 1);
    T_EQ(t_of(0)->values[1], 2);

    /* The keys do not wait any more. */

    T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 3);

    /* A message that waits for a replacement is dropped once, not twice. */

    t_notes->hold = 1;
    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);
    T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    t_kill_worker(0);
    T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 4);

    T_EQ(t_by_key(&t_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 9), NGX_OK);
    T_UNTIL(t_of(0)->value == 9 && t_of(0)->notes == 6);

    t_workers_stop();
}


/* A key can be used again when the message that had it is lost. */

static void
test_lost(void)
{
    t_messages_start(1);
    t_notes->hold = 1;
    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);
    T_EQ(t_by_key(&t_strict_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    t_kill_worker(0);

    /* The order that the worker was handling, and the message with the key. */

    T_UNTIL(t_of(0)->gaps == 2);
    T_EQ(t_of(0)->notes, 0);

    T_EQ(t_by_key(&t_strict_once_type, NGX_IPC_WORKERS, 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("exactly one worker", test_one_of);
    t_run("idle workers take turns", test_turns);
    t_run("workers that are all busy", test_busy);
    t_run("messages that a program has not handled", test_unhandled);
    t_run("messages of other senders", test_other_senders);
    t_run("the first messages of a sender", test_first);
    t_run("other messages to one of a set", test_other_ways);
    t_run("the same worker for a key", test_key);
    t_run("one message that waits for each key", test_once);
    t_run("a message with a key is lost", test_lost);

    return t_end();
}
