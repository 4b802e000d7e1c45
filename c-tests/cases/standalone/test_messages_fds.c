
/* Tests of messages with descriptors. */


#include "t_messages.h"


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


/* A control message overtakes a data message.  Both keep their descriptors. */

static void
test_overtakes(void)
{
    int  fd[2], value;

    t_with_fds = 1;
    t_messages_start(1);
    T_REQUIRE(pipe(fd) == 0);
    t_hold(0);

    T_EQ(send_fds(1, &fd[1], 1), NGX_OK);

    value = 2;
    T_EQ(ngx_ipc_message_send_fds(&t_control_fds_type, NGX_IPC_TO_WORKER(0),
                                  &value, sizeof(value), &fd[1], 1), NGX_OK);

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes + t_of(0)->gaps == 2);
    T_EQ(t_of(0)->gaps, 0);
    T_EQ(read_value(fd[0]), 2);
    T_EQ(read_value(fd[0]), 1);

    close(fd[1]);
    close(fd[0]);
    t_workers_stop();
}


static void
die(ngx_ipc_message_t *m)
{
    raise(SIGKILL);
}


/*
 * A worker has received the descriptors of a message when it dies in the handler
 * of another message.  Its replacement is told of both.
 */

static void
test_gap(void)
{
    int                            fd[2];
    static ngx_ipc_message_type_t  type = {
        .name = "test_die", .handler = die,
        .flags = NGX_IPC_MESSAGE_DESCRIPTORS|NGX_IPC_MESSAGE_CONTROL
    };

    t_with_fds = 1;
    t_messages_init();
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    t_messages_start(1);
    T_REQUIRE(pipe(fd) == 0);
    t_hold(0);

    T_EQ(send_fds(1, &fd[1], 1), NGX_OK);
    T_EQ(ngx_ipc_message_send_fds(&type, NGX_IPC_TO_WORKER(0), NULL, 0, &fd[1],
                                  1), NGX_OK);
    T_EQ(send_fds(2, &fd[1], 1), NGX_OK);

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 2);
    T_EQ(read_value(fd[0]), 2);
    T_EQ(t_of(0)->gaps_of[NGX_IPC_GAP_HANDLED], 1);
    T_EQ(t_of(0)->gaps_of[NGX_IPC_GAP_DESCRIPTORS], 1);
    T_EQ(t_of(0)->gaps, 2);

    close(fd[1]);
    close(fd[0]);
    t_workers_stop();
}


/* The socket of a receiver is full: there is a call when there is room. */

static void
test_room(void)
{
    int        fd[2];
    ngx_int_t  rc, sent;

    t_with_fds = 1;
    t_messages_start(1);
    T_EQ(ngx_ipc_message_watch(&t_message_watch), NGX_OK);
    T_REQUIRE(pipe(fd) == 0);
    t_hold(0);

    for (sent = 0; sent < 100000; sent++) {
        rc = send_fds((int) sent, &fd[1], 1);
        if (rc != NGX_OK) {
            break;
        }
    }

    T_EQ(rc, NGX_AGAIN);
    T_EQ(errno, EAGAIN);
    T_OK(sent >= 8);
    T_EQ(t_of(-1)->room, 0);

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes == sent && t_of(-1)->room == 1);
    T_EQ(t_of(0)->gaps, 0);
    T_EQ(send_fds(1, &fd[1], 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == sent + 1);

    close(fd[1]);
    close(fd[0]);
    t_workers_stop();
}


/* Descriptors go to one process of a set, by key, and to all of a set. */

static void
test_to_sets(void)
{
    int           i, fd[2];
    ngx_uint_t    n;
    ngx_ipc_to_t  to;

    t_with_fds = 1;
    t_messages_start(3);
    T_REQUIRE(pipe(fd) == 0);

    i = 4;
    T_EQ(ngx_ipc_message_send_fds(&t_fds_type,
                                  NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), &i,
                                  sizeof(i), &fd[1], 1), NGX_OK);
    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes == 1);
    T_EQ(read_value(fd[0]), 4);

    to = ngx_ipc_message_to_key(NGX_IPC_WORKERS, "k", 1);
    T_OK(to != 0);
    i = 5;
    T_EQ(ngx_ipc_message_send_fds(&t_fds_type, to, &i, sizeof(i), &fd[1], 1),
         NGX_OK);
    T_UNTIL(t_of(0)->notes + t_of(1)->notes + t_of(2)->notes == 2);
    T_EQ(read_value(fd[0]), 5);

    i = 6;
    T_EQ(ngx_ipc_message_broadcast_fds(&t_fds_type, NGX_IPC_WORKERS, &i,
                                       sizeof(i), &fd[1], 1), 3);
    (void) ngx_ipc_message_missed(&n);
    T_EQ(n, 0);

    for (i = 0; i < 3; i++) {
        T_EQ(read_value(fd[0]), 6);
    }

    T_EQ(ngx_ipc_message_broadcast_fds(&t_fds_type, NGX_IPC_HELPERS, &i,
                                       sizeof(i), &fd[1], 1), 0);
    T_EQ(ngx_ipc_message_broadcast_fds(&t_note_type, NGX_IPC_WORKERS, &i,
                                       sizeof(i), &fd[1], 1), NGX_ERROR);
    T_EQ(errno, EINVAL);
    i = -1;
    T_EQ(ngx_ipc_message_broadcast_fds(&t_fds_type, NGX_IPC_WORKERS, &i,
                                       sizeof(i), &i, 1), NGX_ERROR);
    T_EQ(errno, EBADF);

    close(fd[1]);
    close(fd[0]);
    t_workers_stop();
}


/* A worker that has no number left for a descriptor is told that it is lost. */

static void
set_limit(ngx_ipc_message_t *m, int more)
{
    (void) m;

    if (more) {
        t_more_fds();
    } else {
        t_limit_fds(1);
    }

    t_own()->flags[0] = more + 1;
}


static void
test_limit(void)
{
    int  i, fd[2], fds[16];

    t_need_fds_limit();

    t_with_fds = 1;
    t_messages_start(1);
    T_REQUIRE(pipe(fd) == 0);

    for (i = 0; i < 16; i++) {
        fds[i] = fd[1];
    }

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), set_limit, 0), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 1);
    T_EQ(send_fds(1, fds, 16), NGX_OK);
    T_UNTIL(t_of(0)->gaps + t_of(0)->notes == 1);
    T_EQ(t_of(0)->gaps_of[NGX_IPC_GAP_DESCRIPTORS], 1);

    T_EQ(t_call(NGX_IPC_TO_WORKER(0), set_limit, 1), NGX_OK);
    T_UNTIL(t_of(0)->flags[0] == 2);
    T_EQ(send_fds(2, fds, 16), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    for (i = 0; i < 16; i++) {
        T_EQ(read_value(fd[0]), 2);
    }

    close(fd[1]);
    close(fd[0]);
    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("messages with descriptors", test_fds);
    t_run("a control message overtakes descriptors", test_overtakes);
    t_run("descriptors are lost with a worker", test_gap);
    t_run("the socket for descriptors is full", test_room);
    t_run("descriptors for sets and keys", test_to_sets);
    t_run("a worker with too many descriptors", test_limit);

    return t_end();
}
