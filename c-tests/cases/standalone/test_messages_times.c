
/* Tests of messages that wait, and of the measured times. */


#include "t_counts.h"
#include "t_messages.h"


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
    t_stop_pid(pid);

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

    T_EQ(t_note_counts()->waiting, 130);
    T_UNTIL(t_note_counts()->deepest == 130);
    T_UNTIL(t_pair_of(-1, 0)->waiting == 130 + (ngx_uint_t) sent);
    T_EQ(t_pair_of(-1, 0)->refused, 1);
    T_UNTIL(t_pair_of(-1, 0)->deepest >= 130 + (ngx_uint_t) sent);

    usleep(20000);
    T_EQ(kill(pid, SIGCONT), 0);
    T_UNTIL(t_of(0)->notes == 131);
    T_UNTIL(t_pair_of(-1, 0)->received == 131 + (ngx_uint_t) sent);

    c = t_note_counts();
    T_EQ(c->sent, 131);
    T_EQ(c->received, 131);
    T_EQ(c->waiting, 0);
    T_EQ(c->deepest, 130);
    T_EQ(c->refused, 0);

    /* One message in 61 is measured: the first one, the 62nd, the 123rd. */

    T_EQ(c->timed, 3);
    T_EQ(t_sum_of_times(c), c->timed);

    /* Two of them have waited for 20 ms, more than 2^24 ns. */

    for (k = 25, late = 0; k < t_nitems(c->times); k++) {
        late += c->times[k];
    }

    T_OK(late == 2 || late == 3);
    T_OK(c->time >= 2 * 20000000);

    static ngx_ipc_message_counts_t  refused;

    T_EQ(t_counts_of(&refused, "test_stopped", 0, -1), NGX_OK);
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

    T_EQ(t_note_counts()->timed, 200);
    T_EQ(t_sum_of_times(t_note_counts()), 200);
    T_EQ(t_worker_counts(0)->timed, 100);
    T_OK(t_note_counts()->time > 0);

    /* A reply is not of this type. */

    t_outcome(NULL, 0, NULL);
    T_EQ(t_counts_of(&c, "(replies)", 0, -1), NGX_DECLINED);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("messages that wait for a stopped worker", test_stopped);
    t_run("a type whose times are all measured", test_timed);

    return t_end();
}
