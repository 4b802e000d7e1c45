
/* Tests of messages between workers, and between a worker and its master. */


#include "t_messages.h"


static void
test_to_worker(void)
{
    int  i;

    t_messages_start(3);

    /* A worker that is being started gets what is sent before it runs. */

    for (i = 0; i < 50; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(1), i), NGX_OK);
    }

    T_UNTIL(t_of(1)->notes == 50);

    for (i = 0; i < 50; i++) {
        T_EQ(t_of(1)->values[i], i);
    }

    T_EQ(t_of(1)->from_worker, -1);
    T_EQ(t_of(1)->from_slot, -1);
    T_EQ(t_of(0)->notes, 0);
    T_EQ(t_of(2)->notes, 0);

    T_EQ(t_note(NGX_IPC_TO_SLOT(2), 7), NGX_OK);
    T_UNTIL(t_of(2)->notes == 1);
    T_EQ(t_of(2)->value, 7);

    T_EQ(t_note(NGX_IPC_TO_WORKER(3), 1), NGX_ERROR);
    T_EQ(errno, ESRCH);
    T_EQ(t_note(NGX_IPC_TO_SLOT(500), 1), NGX_ERROR);
    T_EQ(errno, ESRCH);
    T_EQ(t_note(0, 1), NGX_ERROR);
    T_EQ(errno, EINVAL);

    t_workers_stop();
}


static void
test_broadcast(void)
{
    int         value;
    ngx_uint_t  n;

    t_messages_start(3);

    T_EQ(t_give_order(1, T_ORDER_BROADCAST, 5), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1 && t_of(2)->notes == 1);
    T_EQ(t_of(0)->value, 5);
    T_EQ(t_of(0)->from_worker, 1);
    T_UNTIL(t_of(1)->broadcast == 2);
    T_EQ(t_of(1)->notes, 0);

    T_EQ(t_give_order(1, T_ORDER_BROADCAST_SELF, 6), NGX_OK);
    T_UNTIL(t_of(0)->notes == 2 && t_of(1)->notes == 1 && t_of(2)->notes == 2);
    T_UNTIL(t_of(1)->broadcast == 3);

    value = 8;
    T_EQ(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS, &value,
                                   sizeof(value)), 3);
    (void) ngx_ipc_message_missed(&n);
    T_EQ(n, 0);
    T_UNTIL(t_of(0)->notes == 3 && t_of(1)->notes == 2 && t_of(2)->notes == 3);

    t_workers_stop();
}


/* The first worker sends to workers that are not forked yet. */

static void
test_early(void)
{
    t_early = 4;
    t_messages_start(5);

    T_UNTIL(t_of(1)->notes && t_of(2)->notes && t_of(3)->notes
            && t_of(4)->notes);
    T_EQ(t_of(4)->notes, 1);
    T_EQ(t_of(4)->value, 4);

    t_workers_stop();
}


static void
test_to_master(void)
{
    t_messages_start(2);

    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 3), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 1);
    T_EQ(t_of(-1)->value, 3);
    T_EQ(t_of(-1)->from_worker, 0);
    T_EQ(t_of(-1)->from_slot, 0);

    t_workers_stop();
}


/* What is sent to a dead worker waits for its replacement. */

static void
test_replacement(void)
{
    int    i;
    pid_t  pid;

    t_messages_start(2);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 0), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    pid = t_kill_worker(0);

    for (i = 1; i < 40; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes == 40);
    T_OK(ngx_processes[0].pid != pid);

    for (i = 0; i < 40; i++) {
        T_EQ(t_of(0)->values[i], i);
    }

    /* The kill can come before the worker has recorded that note 0 is handled. */

    T_OK(t_of(0)->gaps == 0
         || (t_of(0)->gaps == 1
             && t_of(0)->gap_cause == NGX_IPC_GAP_HANDLED));

    /* The replacement is known to the others. */

    T_EQ(t_give_order(1, T_ORDER_BROADCAST, 77), NGX_OK);
    T_UNTIL(t_of(0)->notes == 41);
    T_EQ(t_of(0)->value, 77);

    t_workers_stop();
}


/* A worker that shuts down gracefully handles what was sent to it before. */

static void
test_shuts_down(void)
{
    int  i;

    t_messages_start(2);
    t_notes->hold = 1;
    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);

    for (i = 0; i < 1000; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
    }

    ngx_quit = 1;
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    t_notes->hold = 0;
    t_wait_all_gone();

    T_EQ(t_of(0)->notes, 1000);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_ERROR);
    T_EQ(errno, ESRCH);
}


/* A worker dies while it handles a message, which is not handled again. */

static void
test_dies_while_handling(void)
{
    t_messages_start(2);

    T_EQ(t_give_order(0, T_ORDER_DIE, 0), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 5), NGX_OK);

    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 5);
    T_UNTIL(t_of(0)->gaps == 1);
    T_EQ(t_of(0)->gap_cause, NGX_IPC_GAP_HANDLED);
    T_EQ(t_logged(NGX_LOG_ALERT, "exited on signal 9"), 1);

    t_workers_stop();
}


/* A message of this type is for the process that runs now only. */

static void
test_this_process(void)
{
    int  value;

    t_messages_start(1);
    t_notes->hold = 1;

    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);

    value = 3;
    T_EQ(ngx_ipc_message_send(&t_strict_type, NGX_IPC_TO_WORKER(0), &value,
                              sizeof(value)), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 4), NGX_OK);

    t_kill_worker(0);

    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 4);

    /* The order that the worker was handling, and the strict message. */

    T_UNTIL(t_of(0)->gaps == 2);

    t_workers_stop();
}


/* A full receiver: nothing is lost, and there is a call when there is room. */

static void
test_full(void)
{
    int        value;
    ngx_int_t  rc, sent;

    t_messages_start(1);
    T_EQ(ngx_ipc_message_watch(NULL), NGX_ERROR);
    t_notes->hold = 1;

    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);

    for (sent = 0; sent < 10000000; sent++) {
        value = (int) sent;
        rc = ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_WORKER(0), &value,
                                  sizeof(value));
        if (rc != NGX_OK) {
            break;
        }
    }

    T_EQ(rc, NGX_AGAIN);
    T_EQ(errno, EAGAIN);
    T_OK(sent > 10000);

    /* Orders overtake the notes, and have room of their own. */

    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 9), NGX_OK);

    t_notes->hold = 0;
    T_UNTIL(t_of(-1)->notes == 1);
    T_UNTIL(t_of(0)->notes == sent);
    T_EQ(t_of(0)->value, sent - 1);
    T_EQ(t_of(0)->gaps, 0);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == sent + 1);

    t_workers_stop();
}


static void
test_refused(void)
{
    u_char                         *data;
    static ngx_ipc_message_type_t   unknown = { .name = "test_unknown" };
    static ngx_ipc_message_type_t   copy = { .name = "test_note" };
    static ngx_ipc_message_type_t   empty = { .name = "" };

    t_messages_start(1);

    data = calloc(1, 2 * 1024 * 1024);

    T_EQ(ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_WORKER(0), data,
                              1024 * 1024 + 1), NGX_DECLINED);
    T_EQ(errno, EMSGSIZE);
    T_EQ(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS, data,
                                   1024 * 1024 + 1), NGX_DECLINED);
    T_EQ(ngx_ipc_message_send(&unknown, NGX_IPC_TO_WORKER(0), NULL, 0),
         NGX_ERROR);
    T_EQ(errno, EINVAL);
    T_EQ(ngx_ipc_message_send(NULL, NGX_IPC_TO_WORKER(0), NULL, 0), NGX_ERROR);
    T_EQ(ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_WORKER(0), NULL, 4),
         NGX_ERROR);

    T_EQ(ngx_ipc_message_register(&copy), NGX_ERROR);
    T_EQ(ngx_ipc_message_register(&empty), NGX_ERROR);
    T_EQ(ngx_ipc_message_register(NULL), NGX_ERROR);
    T_EQ(ngx_ipc_message_register(&t_note_type), NGX_OK);

    /* The worker counts a message that it has no handler for. */

    T_EQ(ngx_ipc_message_register(&unknown), NGX_OK);
    T_EQ(ngx_ipc_message_send(&unknown, NGX_IPC_TO_WORKER(0), data, 1000),
         NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 2), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_logged(NGX_LOG_WARN, "has no handler"), 1);

    free(data);
    t_workers_stop();
}


static void
test_reserve(void)
{
    int  *place;

    t_messages_start(1);

    place = ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_WORKER(0), 4096);
    T_REQUIRE(place != NULL);
    T_EQ((uintptr_t) place % 16, 0);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_ERROR);
    T_EQ(errno, EBUSY);
    T_EQ(ngx_ipc_message_cancel(place), NGX_OK);
    T_EQ(ngx_ipc_message_cancel(place), NGX_ERROR);

    place = ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_WORKER(0), 4096);
    T_REQUIRE(place != NULL);
    *place = 5;
    T_EQ(ngx_ipc_message_commit(place, sizeof(int)), NGX_OK);
    T_EQ(ngx_ipc_message_commit(place, sizeof(int)), NGX_ERROR);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 6), NGX_OK);

    T_UNTIL(t_of(0)->notes == 2);
    T_EQ(t_of(0)->values[0], 5);
    T_EQ(t_of(0)->values[1], 6);

    T_OK(ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_WORKER(9), 1) == NULL);
    T_EQ(errno, ESRCH);

    t_workers_stop();
}


static void
test_peers(void)
{
    t_messages_start(3);

    /* Each worker is told of the two others; the master is not watching. */

    T_UNTIL(t_of(0)->up >= 2 && t_of(1)->up >= 2 && t_of(2)->up >= 2);
    T_EQ(t_of(0)->down, 0);
    T_EQ(t_of(-1)->up, 0);

    t_kill_worker(1);
    T_UNTIL(t_of(0)->down == 1 && t_of(2)->down == 1);
    T_UNTIL(t_of(0)->up == 4 && t_of(2)->up == 4);

    t_workers_stop();
}


static ngx_int_t
ask(ngx_int_t worker, int what, int value, ngx_msec_t timeout)
{
    t_msg_order_t  order = { what, value };

    return ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(worker),
                                   &order, sizeof(order), timeout, t_outcome,
                                   NULL);
}


static ngx_int_t
ask_slot(ngx_int_t slot, int what, int value)
{
    t_msg_order_t  order = { what, value };

    return ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_SLOT(slot),
                                   &order, sizeof(order), 10000, t_outcome,
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
    T_UNTIL(t_of(0)->value == 9);
    T_EQ(t_of(0)->notes, 6);

    t_workers_stop();
}


/* The last message is kept for processes that come later. */

static void
test_kept(void)
{
    int          value;
    static char  data[65505];

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

    t_workers_stop();
}


static ngx_int_t
send_fds(int value, const int *fds, ngx_uint_t n)
{
    return ngx_ipc_message_send_fds(&t_fds_type, NGX_IPC_TO_WORKER(0), &value,
                                    sizeof(value), fds, n);
}


/* What a worker has written to the pipe; -1 at its end. */

static int
read_value(int fd)
{
    int  value;

    return read(fd, &value, sizeof(value)) == sizeof(value) ? value : -1;
}


static void
test_fds(void)
{
    int        i, fd[2], fds[17];
    pid_t      pid;
    ngx_int_t  n;

    t_with_fds = 1;
    t_messages_start(2);
    T_REQUIRE(pipe(fd) == 0);

    for (i = 0; i < 17; i++) {
        fds[i] = fd[1];
    }

    T_EQ(send_fds(5, fds, 1), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 6), NGX_OK);
    T_UNTIL(t_of(0)->notes == 2);
    T_EQ(t_of(0)->fds_n, 1);
    T_EQ(read_value(fd[0]), 5);

    T_EQ(send_fds(7, fds, 16), NGX_OK);
    T_UNTIL(t_of(0)->notes == 3);
    T_EQ(t_of(0)->fds_n, 16);

    for (i = 0; i < 16; i++) {
        T_EQ(read_value(fd[0]), 7);
    }

    T_EQ(send_fds(1, fds, 0), NGX_ERROR);
    T_EQ(errno, EINVAL);
    T_EQ(send_fds(1, fds, 17), NGX_ERROR);
    T_EQ(errno, EINVAL);
    T_EQ(ngx_ipc_message_send_fds(&t_note_type, NGX_IPC_TO_WORKER(0), fds, 4,
                                  fds, 1), NGX_ERROR);
    T_EQ(errno, EINVAL);
    fds[0] = -1;
    T_EQ(send_fds(1, fds, 1), NGX_ERROR);
    T_EQ(errno, EBADF);
    fds[0] = fd[1];

    /* The replacement of a worker gets the descriptors. */

    t_notes->hold = 1;
    T_EQ(t_give_order(0, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(0)->holding);
    T_EQ(send_fds(8, fds, 1), NGX_OK);
    T_EQ(send_fds(9, fds, 1), NGX_OK);
    t_kill_worker(0);
    T_UNTIL(t_of(0)->notes == 5);
    T_EQ(read_value(fd[0]), 8);
    T_EQ(read_value(fd[0]), 9);
    T_EQ(t_of(0)->gaps, 1);
    t_notes->hold = 0;

    /* The replacement has only the two ends that it has inherited. */

    pid = ngx_processes[0].pid;
    n = 0;

    for (i = 3; i < 400; i++) {
        n += t_same_file(pid, i, getpid(), fd[1]);
    }

    T_EQ(n, 2);

    close(fd[1]);
    close(fd[0]);

    t_workers_stop();
}


/* A process with an event loop of its own. */

static void
poll_messages(ngx_cycle_t *cycle, void *data)
{
    int            timeout;
    struct pollfd  fds;

    fds.fd = ngx_ipc_message_fd();
    fds.events = POLLIN;

    T_REQUIRE(fds.fd > 2);

    for ( ;; ) {
        timeout = (int) ngx_ipc_message_process();
        (void) poll(&fds, 1, timeout);
    }
}


static void
test_own_loop(void)
{
    int        i;
    ngx_int_t  n;

    t_messages_init();
    (void) t_spawn(poll_messages, NULL, "poll", NGX_PROCESS_NORESPAWN);

    /* It sleeps each time: the number tells when it has got the last one. */

    for (i = 1; i <= 20; i++) {
        T_EQ(t_note(NGX_IPC_TO_SLOT(0), i), NGX_OK);
        T_UNTIL(t_of(0)->notes == i);
    }

    T_EQ(ask_slot(0, T_ORDER_REPLY, 6), NGX_OK);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->reply, 7);

    /* More messages than a turn has. */

    for (n = t_of(0)->notes, i = 0; i < 3000; i++) {
        T_EQ(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_OTHERS), i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes == n + 3000);

    /* The process does not read its channel. */

    t_kill_worker(0);
    t_wait_all_gone();
}


/* A handler of the master starts a process, which has messages too. */

static void
spawn_handler(ngx_ipc_message_t *m)
{
    (void) t_spawn(poll_messages, NULL, "poll", NGX_PROCESS_NORESPAWN);
}


static void
test_spawn_in_handler(void)
{
    static ngx_ipc_message_type_t  type = {
        .name = "test_spawn", .handler = spawn_handler
    };

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);
    T_UNTIL(ngx_last_process == 1);

    T_EQ(t_note(NGX_IPC_TO_SLOT(0), 5), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    t_kill_worker(0);
    t_wait_all_gone();
}


static char  lines[4096];


static void
keep_line(void *data, const char *text, size_t len)
{
    strncat(lines, text, len);
}


/* The traffic is in the list of processes. */

static void
test_statistics(void)
{
    int                i;
    ngx_ipc_process_t  p;

    t_messages_start(2);

    for (i = 0; i < 30; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(1), i), NGX_OK);
    }

    T_EQ(t_give_order(0, T_ORDER_BROADCAST, 5), NGX_OK);
    T_UNTIL(t_of(1)->notes == 31);

    p.slot = 0;
    T_EQ(ngx_ipc_next_process(&p), NGX_OK);
    T_EQ(p.slot, 1);
    T_EQ(p.messages_received, 31);
    T_EQ(p.messages_lost, 0);

    /* The sender publishes its numbers from time to time. */

    do {
        t_master_round();
        p.slot = -1;
        T_EQ(ngx_ipc_next_process(&p), NGX_OK);
    } while (p.messages_sent == 0);

    T_EQ(p.messages_sent, 1);
    T_EQ(p.messages_received, 1);

    ngx_ipc_print_processes(keep_line, NULL);
    T_OK(strstr(lines, " messages_received:31 ") != NULL);

    t_workers_stop();
}


/* A worker has not registered the type of a message. */

static void
test_unknown(void)
{
    ngx_ipc_process_t              p;
    static ngx_ipc_message_type_t  type = { .name = "test_unknown" };

    t_messages_start(1);
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), "a", 1), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 3), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    p.slot = -1;
    T_EQ(ngx_ipc_next_process(&p), NGX_OK);
    T_EQ(p.messages_unknown, 1);
    T_EQ(p.messages_lost, 0);

    t_workers_stop();
}


/* A program that registers no type has no messages, and pays nothing. */

static void
test_off(void)
{
    int                            fds;
    static ngx_ipc_message_type_t  type = { .name = "test_off" };

    t_master_init();
    fds = t_open_fds();
    t_workers_start(1, NGX_PROCESS_RESPAWN);

    T_EQ(t_open_fds(), fds + 1);
    T_EQ(ngx_ipc_message_fd(), -1);
    T_EQ(ngx_ipc_message_process(), -1);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), NULL, 0), NGX_ERROR);
    T_EQ(errno, ENOTSUP);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("messages to one worker", test_to_worker);
    t_run("messages to all workers", test_broadcast);
    t_run("messages to workers that are not forked yet", test_early);
    t_run("a message to the master", test_to_master);
    t_run("messages wait for the replacement of a worker", test_replacement);
    t_run("a worker that shuts down", test_shuts_down);
    t_run("a worker dies while it handles a message", test_dies_while_handling);
    t_run("a message for this process only", test_this_process);
    t_run("a receiver that is full", test_full);
    t_run("messages that are refused", test_refused);
    t_run("a message that is built in place", test_reserve);
    t_run("processes that start and die", test_peers);
    t_run("requests and replies", test_reply);
    t_run("requests without a reply", test_no_reply);
    t_run("exactly one worker", test_one_of);
    t_run("the same worker for a key", test_key);
    t_run("one message that waits for each key", test_once);
    t_run("a message that is kept", test_kept);
    t_run("messages with descriptors", test_fds);
    t_run("an event loop of the program", test_own_loop);
    t_run("a process that a handler has started", test_spawn_in_handler);
    t_run("the traffic in the list of processes", test_statistics);
    t_run("a message whose type a worker has not registered", test_unknown);
    t_run("a program without messages", test_off);

    return t_end();
}
