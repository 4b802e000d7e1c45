
/* Tests of the numbers of messages: of each type, and of each pair of processes. */


#include "t_counts.h"
#include "t_messages.h"


static void
test_types(void)
{
    int                       i;
    ngx_ipc_message_counts_t  c;

    t_messages_start(3);

    for (i = 0; i < 100; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(1), i), NGX_OK);
    }

    T_EQ(t_give_order(0, T_ORDER_BROADCAST, 5), NGX_OK);
    T_EQ(t_give_order(2, T_ORDER_TO_MASTER, 6), NGX_OK);
    T_UNTIL(t_of(1)->notes == 101 && t_of(2)->notes == 1 && t_of(-1)->notes);
    T_UNTIL(t_of(0)->broadcast == 2);

    /* 100 of the master, 2 of worker 0, 1 of worker 2. */

    T_UNTIL(t_note_counts()->sent == 103);
    T_EQ(t_note_counts()->received, 103);
    T_EQ(t_note_counts()->refused, 0);
    T_EQ(t_note_counts()->unknown, 0);
    T_EQ(t_note_counts()->lost, 0);
    T_EQ(t_note_counts()->waiting, 0);

    T_EQ(t_worker_counts(0)->sent, 2);
    T_EQ(t_worker_counts(0)->received, 0);
    T_EQ(t_worker_counts(1)->sent, 0);
    T_EQ(t_worker_counts(1)->received, 101);
    T_EQ(t_worker_counts(2)->sent, 1);
    T_EQ(t_worker_counts(2)->received, 1);

    T_EQ(t_counts_of(&c, "test_note", NGX_IPC_MASTER, -1), NGX_OK);
    T_EQ(c.sent, 100);
    T_EQ(c.received, 1);
    T_EQ(t_counts_of(&c, "test_note", NGX_IPC_WORKERS, -1), NGX_OK);
    T_EQ(c.sent, 3);
    T_EQ(c.received, 102);
    T_EQ(t_counts_of(&c, "test_note", NGX_IPC_MASTER|NGX_IPC_WORKERS, -1),
         NGX_OK);
    T_EQ(c.sent, 103);
    T_EQ(t_counts_of(&c, "test_note", NGX_IPC_HELPERS, -1), NGX_DECLINED);
    T_EQ(t_counts_of(&c, "test_note", 0, 7), NGX_DECLINED);

    T_EQ(t_counts_of(&c, "test_order", 0, -1), NGX_OK);
    T_EQ(c.sent, 2);
    T_EQ(c.received, 2);

    /* A type without messages is listed, but not for some processes. */

    T_EQ(t_counts_of(&c, "test_once", 0, -1), NGX_OK);
    T_EQ(c.sent, 0);
    T_EQ(t_counts_of(&c, "test_once", NGX_IPC_WORKERS, -1), NGX_DECLINED);

    t_workers_stop();
}


static void
test_pairs(void)
{
    int                     i;
    ngx_int_t               n;
    ngx_ipc_message_pair_t  p;

    t_messages_start(2);

    for (i = 0; i < 30; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(1), i), NGX_OK);
    }

    T_EQ(t_give_order(0, T_ORDER_BROADCAST, 5), NGX_OK);
    T_UNTIL(t_of(1)->notes == 31);

    T_EQ(t_pair_of(-1, 1)->received, 30);
    T_EQ(t_pair_of(-1, 0)->received, 1);
    T_EQ(t_pair_of(0, 1)->received, 1);

    /* The senders publish their numbers from time to time. */

    T_UNTIL(t_pair_of(-1, 1)->sent && t_pair_of(0, 1)->sent);
    T_EQ(t_pair_of(-1, 1)->sent, 30);
    T_EQ(t_pair_of(0, 1)->sent, 1);
    T_EQ(t_pair_of(-1, 1)->waiting, 0);
    T_EQ(t_pair_of(-1, 1)->lost, 0);
    T_EQ(t_pair_of(-1, 1)->sender_worker, -1);
    T_EQ(t_pair_of(-1, 1)->receiver_worker, 1);
    T_EQ(t_pair_of(0, 1)->sender_worker, 0);

    /* No other pair has sent anything. */

    n = 0;
    p.number = -1;

    while (ngx_ipc_message_next_pair(&p) == NGX_OK) {
        n++;
    }

    T_EQ(n, 3);

    t_workers_stop();
}


static void
test_replies(void)
{
    t_msg_order_t             order = { T_ORDER_REPLY, 5 };
    ngx_ipc_message_counts_t  c;

    t_messages_start(1);
    T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(0), &order,
                                 sizeof(order), 10000, t_outcome, NULL),
         NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->reply, 6);

    T_UNTIL(t_counts_of(&c, "(replies)", 0, -1) == NGX_OK && c.sent == 1);
    T_EQ(c.number, NGX_IPC_MESSAGE_REPLIES);
    T_EQ(c.received, 1);
    T_EQ(t_counts_of(&c, "(replies)", NGX_IPC_MASTER, -1), NGX_OK);
    T_EQ(c.sent, 0);
    T_EQ(c.received, 1);

    t_workers_stop();
}


/* Killed workers: their messages are lost, and the numbers continue. */

static void
test_killed(void)
{
    int                       i;
    ngx_ipc_message_counts_t  c;

    t_messages_start(1);
    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 1), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 1);

    /* The worker dies while it handles the order. */

    T_EQ(t_give_order(0, T_ORDER_DIE, 0), NGX_OK);
    T_UNTIL(t_of(0)->gaps == 1);
    T_EQ(t_of(0)->gap_cause, NGX_IPC_GAP_HANDLED);

    T_EQ(t_counts_of(&c, "test_order", 0, -1), NGX_OK);
    T_EQ(c.sent, 2);
    T_EQ(c.received, 2);
    T_EQ(c.lost, 1);
    T_EQ(c.waiting, 0);
    T_EQ(t_pair_of(-1, 0)->lost, 1);

    /* What was for the stopped worker only is lost with it. */

    t_stop_pid(ngx_processes[0].pid);

    for (i = 0; i < 5; i++) {
        T_EQ(ngx_ipc_message_send(&t_strict_type, NGX_IPC_TO_WORKER(0), &i,
                                  sizeof(i)), NGX_OK);
    }

    t_kill_worker(0);
    T_UNTIL(t_of(0)->gaps == 6);
    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 1), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 2);

    T_EQ(t_counts_of(&c, "test_strict", 0, -1), NGX_OK);
    T_EQ(c.sent, 5);
    T_EQ(c.received, 0);
    T_EQ(c.lost, 5);
    T_EQ(c.waiting, 0);
    T_EQ(t_counts_of(&c, "test_strict", NGX_IPC_WORKERS, 0), NGX_OK);
    T_EQ(c.lost, 5);
    T_EQ(t_pair_of(-1, 0)->lost, 6);

    /* The replacement continues the numbers. */

    T_UNTIL(t_worker_counts(0)->sent == 2);
    T_UNTIL(t_pair_of(0, -1)->sent == 2);
    T_EQ(t_pair_of(0, -1)->received, 2);

    t_workers_stop();
}


static ngx_int_t
running(void)
{
    ngx_int_t  s, n;

    for (s = 0, n = 0; s < ngx_last_process; s++) {
        n += (ngx_processes[s].pid != -1);
    }

    return n;
}


/*
 * After a reload the workers have other slots.  The numbers of a worker are those
 * of all processes that have had its number.
 */

static void
test_reload(void)
{
    int                       i, round;
    ngx_int_t                 n;
    ngx_ipc_message_counts_t  c;

    t_messages_start(3);

    for (round = 1; round <= 3; round++) {

        for (i = 0; i < 3; i++) {
            T_EQ(t_give_order(i, T_ORDER_TO_MASTER, i), NGX_OK);
        }

        T_UNTIL(t_of(-1)->notes == 3 * round);

        for (n = 0; n < 3; n++) {
            T_UNTIL(t_worker_counts(n)->sent == (ngx_uint_t) round);
            T_EQ(t_counts_of(&c, "test_order", NGX_IPC_WORKERS, n), NGX_OK);
            T_EQ(c.received, round);
        }

        T_EQ(t_counts_of(&c, "test_note", NGX_IPC_MASTER, -1), NGX_OK);
        T_EQ(c.received, 3 * round);

        if (round == 3) {
            break;
        }

        ngx_start_worker_processes(t_cycle(), 3, NGX_PROCESS_JUST_RESPAWN);

        for (n = 0; n < 3; n++) {
            T_EQ(t_worker_counts(n)->sent, round);
        }

        ngx_signal_worker_processes(t_cycle(), SIGQUIT);
        T_UNTIL(running() == 3);

        for (n = 0; n < 3; n++) {
            T_EQ(t_worker_counts(n)->sent, round);
        }
    }

    t_workers_stop();
}


/* The numbers of a worker that exits at once are complete. */

static void
send_three(ngx_ipc_message_t *m, int arg)
{
    int  i;

    for (i = 0; i < 3; i++) {
        T_EQ(t_note(NGX_IPC_TO_MASTER, i), NGX_OK);
    }

    switch (arg) {

    case 1:
        ngx_quit = 1;
        break;

    case 2:
        ngx_terminate = 1;
        break;

    default:
        exit(2);
    }
}


static void
exits_after_sending(int how)
{
    t_messages_start(1);

    /* The worker is not started again, so no process continues its numbers. */

    ngx_processes[0].respawn = 0;
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), send_three, how), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 3 && t_live == 0);
    T_EQ(t_pair_of(0, -1)->received, 3);
    T_EQ(t_pair_of(0, -1)->sent, 3);

    t_workers_stop();
}


static void
test_quits(void)
{
    exits_after_sending(1);
}


static void
test_terminates(void)
{
    exits_after_sending(2);
}


static void
test_exits(void)
{
    exits_after_sending(3);
}


int
main(void)
{
    t_begin();

    t_run("the numbers of each type", test_types);
    t_run("the numbers of each pair of processes", test_pairs);
    t_run("replies are counted", test_replies);
    t_run("the numbers of killed workers", test_killed);
    t_run("the numbers of workers continue over a reload", test_reload);
    t_run("the numbers of workers that quit", test_quits);
    t_run("the numbers of workers that terminate", test_terminates);
    t_run("the numbers of workers that call exit()", test_exits);

    return t_end();
}
