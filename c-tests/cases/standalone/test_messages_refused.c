
/* Tests of messages that are refused, or built in place. */


#include "t_messages.h"


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


int
main(void)
{
    t_begin();

    t_run("a receiver that is full", test_full);
    t_run("messages that are refused", test_refused);
    t_run("a message that is built in place", test_reserve);

    return t_end();
}
