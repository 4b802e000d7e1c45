
/* Tests of the numbers of messages: for each type, and for each pair of processes. */


#include "t_messages.h"


/* The numbers of a type, for processes of a set or for one worker. */

static ngx_int_t
counts_of(ngx_ipc_message_counts_t *c, const char *name, ngx_uint_t set,
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


/* The numbers of a type, for all processes. */

static ngx_ipc_message_counts_t *
note_counts(void)
{
    static ngx_ipc_message_counts_t  c;

    T_EQ(counts_of(&c, "test_note", 0, -1), NGX_OK);

    return &c;
}


static ngx_ipc_message_counts_t *
worker_counts(ngx_int_t worker)
{
    static ngx_ipc_message_counts_t  c;

    if (counts_of(&c, "test_note", NGX_IPC_WORKERS, worker) != NGX_OK) {
        memset(&c, 0, sizeof(c));
    }

    return &c;
}


/* The numbers of a pair of slots. */

static ngx_ipc_message_pair_t *
pair_of(ngx_int_t sender, ngx_int_t receiver)
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


static ngx_uint_t
sum_of_times(ngx_ipc_message_counts_t *c)
{
    size_t      i;
    ngx_uint_t  sum;

    sum = 0;

    for (i = 0; i < t_nitems(c->times); i++) {
        sum += c->times[i];
    }

    return sum;
}


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

    T_UNTIL(note_counts()->sent == 103);
    T_EQ(note_counts()->received, 103);
    T_EQ(note_counts()->refused, 0);
    T_EQ(note_counts()->unknown, 0);
    T_EQ(note_counts()->lost, 0);
    T_EQ(note_counts()->waiting, 0);

    T_EQ(worker_counts(0)->sent, 2);
    T_EQ(worker_counts(0)->received, 0);
    T_EQ(worker_counts(1)->sent, 0);
    T_EQ(worker_counts(1)->received, 101);
    T_EQ(worker_counts(2)->sent, 1);
    T_EQ(worker_counts(2)->received, 1);

    T_EQ(counts_of(&c, "test_note", NGX_IPC_MASTER, -1), NGX_OK);
    T_EQ(c.sent, 100);
    T_EQ(c.received, 1);
    T_EQ(counts_of(&c, "test_note", NGX_IPC_WORKERS, -1), NGX_OK);
    T_EQ(c.sent, 3);
    T_EQ(c.received, 102);
    T_EQ(counts_of(&c, "test_note", NGX_IPC_MASTER|NGX_IPC_WORKERS, -1), NGX_OK);
    T_EQ(c.sent, 103);
    T_EQ(counts_of(&c, "test_note", NGX_IPC_HELPERS, -1), NGX_DECLINED);
    T_EQ(counts_of(&c, "test_note", 0, 7), NGX_DECLINED);

    T_EQ(counts_of(&c, "test_order", 0, -1), NGX_OK);
    T_EQ(c.sent, 2);
    T_EQ(c.received, 2);

    /* A type without messages is listed, but not for some processes. */

    T_EQ(counts_of(&c, "test_once", 0, -1), NGX_OK);
    T_EQ(c.sent, 0);
    T_EQ(counts_of(&c, "test_once", NGX_IPC_WORKERS, -1), NGX_DECLINED);

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

    T_EQ(pair_of(-1, 1)->received, 30);
    T_EQ(pair_of(-1, 0)->received, 1);
    T_EQ(pair_of(0, 1)->received, 1);

    /* The senders publish their numbers from time to time. */

    T_UNTIL(pair_of(-1, 1)->sent && pair_of(0, 1)->sent);
    T_EQ(pair_of(-1, 1)->sent, 30);
    T_EQ(pair_of(0, 1)->sent, 1);
    T_EQ(pair_of(-1, 1)->waiting, 0);
    T_EQ(pair_of(-1, 1)->lost, 0);
    T_EQ(pair_of(-1, 1)->sender_worker, -1);
    T_EQ(pair_of(-1, 1)->receiver_worker, 1);
    T_EQ(pair_of(0, 1)->sender_worker, 0);

    /* No other pair has sent anything. */

    n = 0;
    p.number = -1;

    while (ngx_ipc_message_next_pair(&p) == NGX_OK) {
        n++;
    }

    T_EQ(n, 3);

    t_workers_stop();
}


/* A worker is stopped: messages wait, are refused, and are measured later. */

static void
test_stopped(void)
{
    int                        i, sent;
    char                       large[60000];
    pid_t                      pid;
    ngx_uint_t                 k, late;
    ngx_ipc_message_counts_t  *c;

    static ngx_ipc_message_type_t  type = { .name = "test_stopped" };

    memset(large, 0, sizeof(large));
    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    pid = ngx_processes[0].pid;
    T_EQ(kill(pid, SIGSTOP), 0);

    /* With those below, the time of two notes at least is measured. */

    for (i = 0; i < 130; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
    }

    T_EQ(ngx_ipc_message_register(&type), NGX_OK);

    for (sent = 0; sent < 1000; sent++) {
        if (ngx_ipc_message_send(&type, NGX_IPC_TO_WORKER(0), large,
                                 sizeof(large)) != NGX_OK)
        {
            break;
        }
    }

    T_EQ(errno, EAGAIN);
    T_OK(sent > 10);

    T_EQ(note_counts()->waiting, 130);
    T_UNTIL(note_counts()->deepest == 130);
    T_UNTIL(pair_of(-1, 0)->waiting == 130 + (ngx_uint_t) sent);
    T_EQ(pair_of(-1, 0)->refused, 1);
    T_UNTIL(pair_of(-1, 0)->deepest >= 130 + (ngx_uint_t) sent);

    usleep(20000);
    T_EQ(kill(pid, SIGCONT), 0);
    T_UNTIL(t_of(0)->notes == 131);
    T_UNTIL(pair_of(-1, 0)->received == 131 + (ngx_uint_t) sent);

    c = note_counts();
    T_EQ(c->sent, 131);
    T_EQ(c->received, 131);
    T_EQ(c->waiting, 0);
    T_EQ(c->deepest, 130);
    T_EQ(c->refused, 0);

    /* One message in 61 is measured: the first one, the 62nd, the 123rd. */

    T_EQ(c->timed, 3);
    T_EQ(sum_of_times(c), c->timed);

    /* Two of them have waited for 20 ms, more than 2^24 ns. */

    for (k = 25, late = 0; k < t_nitems(c->times); k++) {
        late += c->times[k];
    }

    T_OK(late == 2 || late == 3);
    T_OK(c->time >= 2 * 20000000);

    static ngx_ipc_message_counts_t  refused;

    T_EQ(counts_of(&refused, "test_stopped", 0, -1), NGX_OK);
    T_EQ(refused.sent, sent);
    T_EQ(refused.refused, 1);
    T_EQ(refused.received, sent);
    T_EQ(refused.unknown, sent);

    t_workers_stop();
}


/* The time of each message of a type is measured if its flag says so. */

static void
test_timed(void)
{
    int                       i;
    ngx_ipc_message_counts_t  c;

    t_note_type.flags = NGX_IPC_MESSAGE_TIMED;
    t_messages_start(2);

    for (i = 0; i < 200; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(i % 2), i), NGX_OK);
    }

    T_UNTIL(t_of(0)->notes == 100 && t_of(1)->notes == 100);

    T_EQ(note_counts()->timed, 200);
    T_EQ(sum_of_times(note_counts()), 200);
    T_EQ(worker_counts(0)->timed, 100);
    T_OK(note_counts()->time > 0);

    /* A reply is not of this type. */

    t_outcome(NULL, 0, NULL);
    T_EQ(counts_of(&c, "(replies)", 0, -1), NGX_DECLINED);

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

    T_UNTIL(counts_of(&c, "(replies)", 0, -1) == NGX_OK && c.sent == 1);
    T_EQ(c.number, NGX_IPC_MESSAGE_REPLIES);
    T_EQ(c.received, 1);
    T_EQ(counts_of(&c, "(replies)", NGX_IPC_MASTER, -1), NGX_OK);
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

    T_EQ(counts_of(&c, "test_order", 0, -1), NGX_OK);
    T_EQ(c.sent, 2);
    T_EQ(c.received, 2);
    T_EQ(c.lost, 1);
    T_EQ(c.waiting, 0);
    T_EQ(pair_of(-1, 0)->lost, 1);

    /* What was for the stopped worker only is lost with it. */

    T_EQ(kill(ngx_processes[0].pid, SIGSTOP), 0);

    for (i = 0; i < 5; i++) {
        T_EQ(ngx_ipc_message_send(&t_strict_type, NGX_IPC_TO_WORKER(0), &i,
                                  sizeof(i)), NGX_OK);
    }

    t_kill_worker(0);
    T_UNTIL(t_of(0)->gaps == 6);
    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 1), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 2);

    T_EQ(counts_of(&c, "test_strict", 0, -1), NGX_OK);
    T_EQ(c.sent, 5);
    T_EQ(c.received, 0);
    T_EQ(c.lost, 5);
    T_EQ(c.waiting, 0);
    T_EQ(counts_of(&c, "test_strict", NGX_IPC_WORKERS, 0), NGX_OK);
    T_EQ(c.lost, 5);
    T_EQ(pair_of(-1, 0)->lost, 6);

    /* The replacement continues the numbers. */

    T_UNTIL(worker_counts(0)->sent == 2);
    T_UNTIL(pair_of(0, -1)->sent == 2);
    T_EQ(pair_of(0, -1)->received, 2);

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
            T_UNTIL(worker_counts(n)->sent == (ngx_uint_t) round);
            T_EQ(counts_of(&c, "test_order", NGX_IPC_WORKERS, n), NGX_OK);
            T_EQ(c.received, round);
        }

        T_EQ(counts_of(&c, "test_note", NGX_IPC_MASTER, -1), NGX_OK);
        T_EQ(c.received, 3 * round);

        if (round == 3) {
            break;
        }

        ngx_start_worker_processes(t_cycle(), 3, NGX_PROCESS_JUST_RESPAWN);

        for (n = 0; n < 3; n++) {
            T_EQ(worker_counts(n)->sent, round);
        }

        ngx_signal_worker_processes(t_cycle(), SIGQUIT);
        T_UNTIL(running() == 3);

        for (n = 0; n < 3; n++) {
            T_EQ(worker_counts(n)->sent, round);
        }
    }

    t_workers_stop();
}


static char  lines[16384];


static void
keep_line(void *data, const char *text, size_t len)
{
    (void) data;

    if (strlen(lines) + len < sizeof(lines)) {
        strncat(lines, text, len);
    }
}


static void
test_lines(void)
{
    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    ngx_ipc_print_processes(keep_line, NULL);

    T_OK(strstr(lines, "\nmessages type:\"test_note\" sent:1 refused:0 "
                       "received:1 unknown:0 lost:0 waiting:0 deepest:")
         != NULL);
    T_OK(strstr(lines, " timed:1 time:") != NULL);
    T_OK(strstr(lines, " times:") != NULL);
    T_OK(strstr(lines, "\nmessages type:\"test_order\" sent:0 ") != NULL);

    /* Nothing waits and nothing is lost, so no pair has a line. */

    T_OK(strstr(lines, "messages from:") == NULL);

    T_EQ(kill(ngx_processes[0].pid, SIGSTOP), 0);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(pair_of(-1, 0)->waiting == 1);
    lines[0] = '\0';
    ngx_ipc_print_processes(keep_line, NULL);
    T_OK(strstr(lines, "\nmessages from:-1 to:0 sent:2 refused:0 received:1 "
                       "waiting:1 ") != NULL);
    T_EQ(kill(ngx_processes[0].pid, SIGCONT), 0);

    t_workers_stop();
}


/* Programs of other versions, and wrong arguments. */

static void
test_sizes(void)
{
    struct {
        ngx_ipc_message_counts_t  c;
        char                      later[16];
    } newer;

    ngx_ipc_message_pair_t  p;

    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    T_EQ(ngx_ipc_message_next_type(NULL), NGX_ERROR);
    T_EQ(ngx_ipc_message_next_pair(NULL), NGX_ERROR);

    memset(&newer, 'x', sizeof(newer));
    newer.c.number = -1;
    newer.c.set = 0;
    newer.c.worker = -1;
    T_EQ(ngx_ipc_message_next_type_size(&newer.c, sizeof(newer.c) - 8), NGX_ERROR);
    T_EQ(newer.c.name[0], 'x');
    T_EQ(ngx_ipc_message_next_type_size(&newer.c, sizeof(newer)), NGX_OK);
    T_OK(newer.c.name[0] != 'x');
    T_EQ(newer.later[0], 0);
    T_EQ(newer.later[15], 0);

    newer.c.number = 100000;
    T_EQ(ngx_ipc_message_next_type(&newer.c), NGX_DECLINED);

    memset(&p, 0, sizeof(p));
    p.number = -1;
    T_EQ(ngx_ipc_message_next_pair_size(&p, sizeof(p) - 8), NGX_ERROR);
    p.number = -77;
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_OK);
    p.number = 1000000000;
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_DECLINED);

    t_workers_stop();
}


/* A program without messages has an empty list. */

static void
test_off(void)
{
    ngx_ipc_message_counts_t  c;
    ngx_ipc_message_pair_t    p;

    t_master_init();
    t_workers_start(1, NGX_PROCESS_RESPAWN);

    c.number = -1;
    c.set = 0;
    c.worker = -1;
    p.number = -1;
    T_EQ(ngx_ipc_message_next_type(&c), NGX_DECLINED);
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_DECLINED);

    lines[0] = '\0';
    ngx_ipc_print_processes(keep_line, NULL);
    T_OK(strstr(lines, "messages") == NULL);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("the numbers of each type", test_types);
    t_run("the numbers of each pair of processes", test_pairs);
    t_run("messages that wait for a stopped worker", test_stopped);
    t_run("a type whose times are all measured", test_timed);
    t_run("replies are counted", test_replies);
    t_run("the numbers of killed workers", test_killed);
    t_run("the numbers of workers continue over a reload", test_reload);
    t_run("the lines in the log", test_lines);
    t_run("structures of other versions", test_sizes);
    t_run("a program without messages has no numbers", test_off);

    return t_end();
}
