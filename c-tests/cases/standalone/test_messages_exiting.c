
/* Tests of workers that shut down while others send to them, and watch them. */


#include "t_messages.h"


#define SIZE   200000
#define NOTES  5000


static void
large_handler(ngx_ipc_message_t *m)
{
    t_own()->flags[2] += t_is_filled(m->data, m->len, 1);
    t_own()->flags[3]++;
}


static ngx_ipc_message_type_t  large_type = {
    .name = "test_large", .handler = large_handler
};


/* Waits until the test goes on. */

static void
wait_for_test(ngx_ipc_message_t *m, int arg)
{
    t_own()->flags[arg] = 1;

    while (t_own()->flags[arg] == 1) {
        usleep(1000);
    }
}


static void
tell_master(ngx_ipc_message_t *m, int value)
{
    T_EQ(t_note(NGX_IPC_TO_MASTER, value), NGX_OK);
}


/*
 * Keeps a worker in a handler.  Then all workers quit, and the worker is kept in
 * another handler, which it calls when it has left: before that it handles a few
 * turns of 256 messages.
 */

static void
make_leave(ngx_int_t worker)
{
    int  i;

    T_EQ(t_call(NGX_IPC_TO_WORKER(worker), wait_for_test, 0), NGX_OK);
    T_UNTIL(t_of(worker)->flags[0] == 1);

    for (i = 0; i < NOTES; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(worker), i), NGX_OK);
    }

    T_EQ(t_call_later(NGX_IPC_TO_WORKER(worker), wait_for_test, 1), NGX_OK);
}


static void
quit(ngx_int_t worker)
{
    ngx_quit = 1;
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);
    t_of(worker)->flags[0] = 2;
    T_UNTIL(t_of(worker)->flags[1] == 1);

    T_EQ(t_note(NGX_IPC_TO_WORKER(worker), 1), NGX_ERROR);
    T_EQ(errno, ESRCH);
}


static void
go_on(ngx_int_t worker)
{
    t_of(worker)->flags[1] = 2;
}


/* A worker that has left handles a large broadcast that was sent before. */

static void
test_large(void)
{
    u_char  *data;

    data = malloc(SIZE);
    T_REQUIRE(data != NULL);

    t_messages_init();
    T_EQ(ngx_ipc_message_register(&large_type), NGX_OK);
    t_messages_start(1);

    make_leave(0);
    memset(data, 1, SIZE);
    T_EQ(ngx_ipc_message_broadcast(&large_type, NGX_IPC_WORKERS, data, SIZE),
         1);

    quit(0);

    /* The master uses the memory of broadcasts that no process needs. */

    memset(data, 2, SIZE);
    T_EQ(ngx_ipc_message_broadcast(&large_type, NGX_IPC_MASTER|NGX_IPC_SELF,
                                   data, SIZE), 1);
    go_on(0);
    t_wait_all_gone();

    T_EQ(t_of(0)->notes, NOTES);
    T_EQ(t_of(0)->flags[3], 1);
    T_EQ(t_of(0)->flags[2], 1);
    T_EQ(t_of(0)->gaps, 0);

    free(data);
}


/* What the master is told of a process, in the order in which it is told. */

#define EVENTS  256

static ngx_ipc_peer_t  events[EVENTS];
static int             is_up[EVENTS];
static int             events_n;


static void
add_event(const ngx_ipc_peer_t *peer, int up)
{
    T_REQUIRE(events_n < EVENTS);
    is_up[events_n] = up;
    events[events_n++] = *peer;
}


static void
master_up(void *ctx, const ngx_ipc_peer_t *peer)
{
    add_event(peer, 1);
}


static void
master_down(void *ctx, const ngx_ipc_peer_t *peer)
{
    add_event(peer, 0);
}


static ngx_ipc_message_watch_t  master_watch = {
    .peer_up = master_up, .peer_down = master_down
};


/* Each process is up once, and then down once. */

static void
check_events(void)
{
    int  i, j, ups, downs;

    for (i = 0; i < events_n; i++) {
        ups = 0;
        downs = 0;

        for (j = 0; j < events_n; j++) {
            if (events[j].to != events[i].to) {
                continue;
            }

            ups += is_up[j];
            downs += !is_up[j];
            T_OK(downs <= ups);
        }

        T_EQ(ups, 1);
        T_EQ(downs, 1);
    }
}


static ngx_int_t
downs(void)
{
    int        i;
    ngx_int_t  n;

    for (n = 0, i = 0; i < events_n; i++) {
        n += !is_up[i];
    }

    return n;
}


static void
test_peers(void)
{
    int  i, before;

    t_messages_init();
    T_EQ(ngx_ipc_message_watch(&master_watch), NGX_OK);
    t_messages_start(3);
    T_UNTIL(events_n == 3);

    /* Kills and replacements. */

    for (i = 0; i < 5; i++) {
        before = events_n;
        t_kill_worker(1);
        T_UNTIL(events_n == before + 2);
        T_EQ(is_up[before], 0);
        T_EQ(is_up[before + 1], 1);
        T_EQ(events[before].incarnation + 1, events[before + 1].incarnation);
    }

    /* A worker that has left still sends, after others have exited. */

    make_leave(0);
    T_EQ(t_call_later(NGX_IPC_TO_WORKER(0), tell_master, 5), NGX_OK);
    before = events_n;
    quit(0);
    T_UNTIL(events_n >= before + 2);
    T_EQ(t_of(-1)->notes, 0);
    go_on(0);
    T_UNTIL(t_of(-1)->notes == 1);
    T_EQ(t_of(-1)->from_worker, 0);
    T_UNTIL(events_n == before + 3);
    T_EQ(is_up[before + 2], 0);
    T_EQ(events[before + 2].worker, 0);

    t_wait_all_gone();
    T_EQ(downs(), events_n / 2);
    check_events();
}


/* A process that has left replies to a request that it got before. */

static void
test_reply(void)
{
    t_msg_order_t  order = { T_ORDER_REPLY, 6 };

    t_messages_start(2);
    make_leave(0);
    T_EQ(ngx_ipc_message_request(&t_order_later_type, NGX_IPC_TO_WORKER(0),
                                 &order, sizeof(order), 10000, t_outcome, NULL),
         NGX_OK);
    quit(0);
    T_UNTIL(!t_runs(1));
    T_EQ(t_of(-1)->outcomes, 0);
    go_on(0);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->outcome, NGX_IPC_REPLIED);
    T_EQ(t_of(-1)->reply, 7);

    t_wait_all_gone();
}


/* The process in slot 1 dies, and gets no replacement. */

static ngx_uint_t  lost_of_master, lost_of_worker;


static void
count_lost(void *ctx, const ngx_ipc_gap_t *gap)
{
    T_EQ(gap->cause, NGX_IPC_GAP_NO_PROCESS);
    T_REQUIRE(gap->receiver != NULL);
    T_EQ(gap->receiver->slot, 1);
    T_EQ(gap->receiver->worker, -1);

    if (gap->sender->slot == 0) {
        lost_of_worker += gap->count;

    } else {
        T_EQ(gap->sender->slot, -1);
        lost_of_master += gap->count;
    }
}


static ngx_ipc_message_watch_t  lost_watch = { .gap = count_lost };


static void
note_to_slot_1(ngx_ipc_message_t *m, int value)
{
    T_EQ(t_note(NGX_IPC_TO_SLOT(1), value), NGX_OK);
    t_own()->flags[0] = value;
}


static void
test_no_process(void)
{
    t_messages_start(1);
    T_EQ(ngx_ipc_message_watch(&lost_watch), NGX_OK);
    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);

    T_EQ(t_note(NGX_IPC_TO_SLOT(1), 1), NGX_OK);
    T_EQ(t_note(NGX_IPC_TO_SLOT(1), 2), NGX_OK);
    T_EQ(t_call(NGX_IPC_TO_WORKER(0), note_to_slot_1, 3), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 3);

    t_kill_worker(1);
    T_UNTIL(lost_of_master + lost_of_worker == 3);
    T_EQ(lost_of_worker, 1);

    /* The next process of the slot is not told of them again. */

    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);
    T_EQ(t_note(NGX_IPC_TO_SLOT(1), 4), NGX_OK);
    t_kill_worker(1);
    T_UNTIL(lost_of_master + lost_of_worker == 4);
    T_EQ(lost_of_worker, 1);

    T_EQ(t_of(0)->gaps, 0);
    t_workers_stop();
    T_EQ(lost_of_master, 3);
}


int
main(void)
{
    t_begin();

    t_run("a worker that has left gets a large broadcast", test_large);
    t_run("each process is reported once as up and down", test_peers);
    t_run("a worker that has left replies", test_reply);
    t_run("a process that gets no replacement", test_no_process);

    return t_end();
}
