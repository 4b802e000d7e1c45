
/*
 * A master and workers that exchange messages.
 */


#include "t_messages.h"


#if !(T_NGINX)

volatile t_notes_t  *t_notes;


/* The record of this process. */

volatile t_received_t *
t_own(void)
{
    return t_of(ngx_process == NGX_PROCESS_MASTER ? -1
                                                  : (ngx_int_t) ngx_worker);
}


volatile t_received_t *
t_of(ngx_int_t worker)
{
    return &t_notes->of[worker == -1 ? T_RECEIVERS : worker];
}


static void
note_handler(ngx_ipc_message_t *m)
{
    volatile t_received_t  *r;

    r = t_own();

    T_OK(m->len >= sizeof(int));

    r->value = *(int *) m->data;

    if (r->notes < (ngx_int_t) t_nitems(r->values)) {
        r->values[r->notes] = r->value;
    }

    r->from_worker = m->sender->worker;
    r->from_slot = m->sender->slot;
    r->notes++;
}


void
t_outcome(void *data, ngx_uint_t outcome, ngx_ipc_message_t *reply)
{
    volatile t_received_t  *r;

    r = t_own();

    r->outcome = outcome;
    r->reply = reply ? *(int *) reply->data : -1;
    r->outcomes++;
}


static void
obey(ngx_ipc_message_t *m)
{
    int            value;
    t_msg_order_t  order, ask;

    order = *(t_msg_order_t *) m->data;
    value = order.value;

    switch (order.what) {

    case T_ORDER_BROADCAST:
        t_own()->broadcast = ngx_ipc_message_broadcast(&t_note_type,
                               NGX_IPC_WORKERS, &value, sizeof(value));
        break;

    case T_ORDER_BROADCAST_SELF:
        t_own()->broadcast = ngx_ipc_message_broadcast(&t_note_type,
                               NGX_IPC_WORKERS|NGX_IPC_SELF, &value,
                               sizeof(value));
        break;

    case T_ORDER_BROADCAST_KEPT:
        t_own()->broadcast = ngx_ipc_message_broadcast(&t_kept_type,
                               NGX_IPC_WORKERS, &value, sizeof(value));
        break;

    case T_ORDER_TO_MASTER:
        T_EQ(t_note(NGX_IPC_TO_MASTER, value), NGX_OK);
        break;

    case T_ORDER_DIE:
        raise(SIGKILL);
        break;

    case T_ORDER_HOLD:
        t_own()->holding = 1;
        while (t_notes->hold) {
            usleep(1000);
        }
        t_own()->holding = 0;
        break;

    case T_ORDER_REPLY_TWICE:
        value++;
        T_EQ(ngx_ipc_message_reply(m->sender->to, m->request, &value,
                                   sizeof(value)), NGX_OK);
        /* fall through */

    case T_ORDER_REPLY:
        value = order.value + 1;
        T_OK(m->request != 0);
        T_EQ(ngx_ipc_message_reply(m->sender->to, m->request, &value,
                                   sizeof(value)), NGX_OK);
        break;

    case T_ORDER_BY_KEY:
        T_EQ(t_by_key(&t_note_type, NGX_IPC_WORKERS|NGX_IPC_SELF, value),
             NGX_OK);
        break;

    case T_ORDER_ASK:
        ask.what = T_ORDER_REPLY;
        ask.value = 40;
        T_EQ(ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_WORKER(value),
                                     &ask, sizeof(ask), 10000, t_outcome,
                                     NULL), NGX_OK);
        break;
    }
}


static void
kept_handler(ngx_ipc_message_t *m)
{
    t_own()->kept_value = *(int *) m->data;
    t_own()->kept++;
    note_handler(m);
}


/*
 * The structure has no padding.  Padding is not initialized, and valgrind
 * remembers this of the shared memory, also when another process has stored a
 * message there.
 */

typedef struct {
    t_called_pt  fn;
    long         arg;
} t_calling_t;


static void
call_handler(ngx_ipc_message_t *m)
{
    t_calling_t  call;

    /* The function pointers of a forked process are those of its parent. */

    call = *(t_calling_t *) m->data;
    call.fn(m, (int) call.arg);
}


ngx_ipc_message_type_t  t_call_type = {
    .name = "test_call", .handler = call_handler,
    .flags = NGX_IPC_MESSAGE_CONTROL
};

ngx_ipc_message_type_t  t_call_later_type = {
    .name = "test_call_later", .handler = call_handler
};

ngx_ipc_message_type_t  t_note_type = {
    .name = "test_note", .handler = note_handler
};

ngx_ipc_message_type_t  t_order_type = {
    .name = "test_order", .handler = obey, .flags = NGX_IPC_MESSAGE_CONTROL
};

ngx_ipc_message_type_t  t_order_later_type = {
    .name = "test_order_later", .handler = obey
};

ngx_ipc_message_type_t  t_strict_type = {
    .name = "test_strict", .handler = note_handler,
    .flags = NGX_IPC_MESSAGE_THIS_PROCESS
};

ngx_ipc_message_type_t  t_once_type = {
    .name = "test_once", .handler = note_handler,
    .flags = NGX_IPC_MESSAGE_ONCE_PER_KEY
};

ngx_ipc_message_type_t  t_strict_once_type = {
    .name = "test_strict_once", .handler = note_handler,
    .flags = NGX_IPC_MESSAGE_ONCE_PER_KEY|NGX_IPC_MESSAGE_THIS_PROCESS
};

ngx_ipc_message_type_t  t_kept_type = {
    .name = "test_kept", .handler = kept_handler,
    .flags = NGX_IPC_MESSAGE_RETAINED
};


/* Writes the note to each descriptor, and keeps the second one open. */

static void
fds_handler(ngx_ipc_message_t *m)
{
    ngx_uint_t  i;

    for (i = 0; i < m->fds_n; i++) {
        T_OK(fcntl(m->fds[i], F_GETFD) == FD_CLOEXEC);
        T_EQ(write(m->fds[i], m->data, sizeof(int)), sizeof(int));
    }

    if (m->fds_n > 1) {
        m->fds[1] = -1;
    }

    t_own()->fds_n = m->fds_n;
    note_handler(m);
}


int                     t_with_fds;
ngx_ipc_message_type_t  t_fds_type = {
    .name = "test_fds", .handler = fds_handler,
    .flags = NGX_IPC_MESSAGE_DESCRIPTORS
};


ngx_ipc_message_type_t  t_control_fds_type = {
    .name = "test_control_fds", .handler = fds_handler,
    .flags = NGX_IPC_MESSAGE_DESCRIPTORS|NGX_IPC_MESSAGE_CONTROL
};


static void
peer_up(void *data, const ngx_ipc_peer_t *peer)
{
    t_own()->up++;
}


static void
peer_down(void *data, const ngx_ipc_peer_t *peer)
{
    t_own()->down++;
}


static void
gap(void *data, const ngx_ipc_gap_t *gap)
{
    t_own()->gap_cause = gap->cause;
    t_own()->gaps_of[gap->cause] += gap->count;
    t_own()->gaps += gap->count;
}


static void
room(void *data, const ngx_ipc_peer_t *peer)
{
    t_own()->room++;
}


ngx_ipc_message_watch_t  t_message_watch = {
    .peer_up = peer_up, .peer_down = peer_down, .gap = gap, .room = room
};


static ngx_int_t
register_types(ngx_cycle_t *cycle)
{
    /* Each worker registers the types in another order. */

    if (ngx_process_slot % 2) {
        T_EQ(ngx_ipc_message_register(&t_order_type), NGX_OK);
        T_EQ(ngx_ipc_message_register(&t_strict_type), NGX_OK);
    }

    T_EQ(ngx_ipc_message_register(&t_note_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_strict_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_order_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_order_later_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_once_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_strict_once_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_kept_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_call_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&t_call_later_type), NGX_OK);

    if (t_with_fds) {
        T_EQ(ngx_ipc_message_register(&t_fds_type), NGX_OK);
        T_EQ(ngx_ipc_message_register(&t_control_fds_type), NGX_OK);
    }

    return NGX_OK;
}


int  t_early;


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_message_watch(&t_message_watch), NGX_OK);
    T_EQ(ngx_ipc_message_watch(&t_message_watch), NGX_OK);
    register_types(cycle);

    /* A broadcast of the first worker, before the last one is forked. */

    if (t_early && ngx_worker == 0) {
        T_EQ(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS, &t_early,
                                       sizeof(t_early)), t_early);
    }

    return NGX_OK;
}


static ngx_module_t  message_module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CORE_MODULE,
    NULL, NULL, init_process, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t  *modules[] = { &message_module, NULL };


/* Makes a master that has registered the types. */

void
t_messages_init(void)
{
    t_master_init();
    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
    t_notes = t_shared(sizeof(t_notes_t));

    t_cycle()->modules = modules;
    t_cycle()->modules_n = 1;

    register_types(t_cycle());

    /* The wake-up descriptors stay open as long as the program runs. */

    T_OK(ngx_ipc_message_fd() > 2);
    t_keep_fds();
}


/* Starts n workers, unless there are some. */

void
t_messages_start(ngx_int_t n)
{
    if (t_notes == NULL) {
        t_messages_init();
    }

    ngx_start_worker_processes(t_cycle(), n, NGX_PROCESS_RESPAWN);

    T_REQUIRE(ngx_last_process == n);
}


ngx_int_t
t_note(ngx_ipc_to_t to, int value)
{
    return ngx_ipc_message_send(&t_note_type, to, &value, sizeof(value));
}


/* Sends a note with the value as its key. */

ngx_int_t
t_by_key(ngx_ipc_message_type_t *type, ngx_uint_t set, int value)
{
    return ngx_ipc_message_send_by_key(type, set, &value, sizeof(value),
                                       &value, sizeof(value));
}


ngx_int_t
t_give_order(ngx_int_t worker, int what, int value)
{
    t_msg_order_t  order = { what, value };

    return ngx_ipc_message_send(&t_order_type, NGX_IPC_TO_WORKER(worker),
                                &order, sizeof(order));
}


/* Makes a worker call a function, before and after what waits. */

ngx_int_t
t_call(ngx_ipc_to_t to, t_called_pt fn, int arg)
{
    t_calling_t  call = { fn, arg };

    return ngx_ipc_message_send(&t_call_type, to, &call, sizeof(call));
}


ngx_int_t
t_call_later(ngx_ipc_to_t to, t_called_pt fn, int arg)
{
    t_calling_t  call = { fn, arg };

    return ngx_ipc_message_send(&t_call_later_type, to, &call, sizeof(call));
}


/* Keeps a worker in a handler until t_notes->hold is 0. */

void
t_hold(ngx_int_t worker)
{
    t_notes->hold = 1;
    T_EQ(t_give_order(worker, T_ORDER_HOLD, 0), NGX_OK);
    T_UNTIL(t_of(worker)->holding);
}


/* Runs a program with ngx_ipc_main() in a child, and returns the child's pid. */

pid_t
t_start_main(const ngx_core_conf_t *conf)
{
    pid_t  pid;
    char   name[] = "server";     /* the title overwrites it */
    char  *argv[] = { name, NULL };

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        _exit(ngx_ipc_main(conf, 1, argv) == 0 ? 98 : 99);
    }

    return pid;
}


/* Runs a program with ngx_ipc_main() in a child, until the child exits with 0. */

void
t_run_main(const ngx_core_conf_t *conf)
{
    int    status;
    pid_t  pid;

    pid = t_start_main(conf);

    T_EQ(waitpid(pid, &status, 0), pid);
    T_EQ(status, 0);
}

#endif
