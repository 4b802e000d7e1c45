
/* Tests of messages in a process with an event loop of its own. */


#include "t_messages.h"


static ngx_int_t
ask_slot(ngx_int_t slot, int what, int value)
{
    t_msg_order_t  order = { what, value };

    return ngx_ipc_message_request(&t_order_type, NGX_IPC_TO_SLOT(slot),
                                   &order, sizeof(order), 10000, t_outcome,
                                   NULL);
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


int
main(void)
{
    t_begin();

    t_run("an event loop of the program", test_own_loop);
    t_run("a process that a handler has started", test_spawn_in_handler);

    return t_end();
}
