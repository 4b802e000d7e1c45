
/*
 * Tests of arguments that are wrong, of processes that die or have no messages, and of
 * how much waits.
 */


#include "t_messages.h"

#define EINVALID(call)                                                       \
    errno = 0;                                                               \
    T_EQ(call, NGX_ERROR);                                                   \
    T_EQ(errno, EINVAL)


static void
test_arguments(void)
{
    int             value;
    ngx_ipc_load_t  load;

    t_messages_start(1);
    value = 1;

    /* Sets without a role, or with unknown bits. */

    EINVALID(ngx_ipc_message_broadcast(&t_note_type, 0, &value, sizeof(value)));
    EINVALID(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_SELF, &value,
                                       sizeof(value)));
    EINVALID(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS|64, &value,
                                       sizeof(value)));
    EINVALID(t_note(NGX_IPC_TO_ONE_OF(0), 1));
    EINVALID(t_note(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS|4096), 1));
    EINVALID(t_by_key(&t_note_type, NGX_IPC_ALL_GENERATIONS, 1));

    /* NULL. */

    EINVALID(ngx_ipc_message_broadcast(NULL, NGX_IPC_WORKERS, &value, 4));
    EINVALID(ngx_ipc_message_broadcast(&t_note_type, NGX_IPC_WORKERS, NULL, 4));
    EINVALID(ngx_ipc_message_send_by_key(&t_note_type, NGX_IPC_WORKERS, NULL, 1,
                                         &value, 4));
    EINVALID(ngx_ipc_message_request(NULL, NGX_IPC_TO_WORKER(0), &value, 4, 1,
                                     t_outcome, NULL));
    EINVALID(ngx_ipc_message_reply(NGX_IPC_TO_WORKER(0), 1, &value, 4));
    EINVALID(ngx_ipc_message_reply(0, 1, &value, 4));
    EINVALID(ngx_ipc_message_commit(NULL, 0));
    EINVALID(ngx_ipc_message_commit(&value, 0));
    EINVALID(ngx_ipc_message_cancel(NULL));
    EINVALID(ngx_ipc_message_load(NGX_IPC_TO_WORKER(0), NULL));
    EINVALID(ngx_ipc_message_load_size(NGX_IPC_TO_WORKER(0), &load, 4));
    EINVALID(ngx_ipc_message_load(NGX_IPC_TO_ONE_OF(NGX_IPC_WORKERS), &load));
    T_OK(ngx_ipc_message_missed(NULL) != NULL);

    errno = 0;
    T_OK(ngx_ipc_message_reserve(NULL, NGX_IPC_TO_WORKER(0), 1) == NULL);
    T_EQ(errno, EINVAL);
    errno = 0;
    T_OK(ngx_ipc_message_reserve(&t_note_type, 0, 1) == NULL);
    T_EQ(errno, EINVAL);
    errno = 0;
    T_OK(ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_WORKER(0), 1 << 24)
         == NULL);
    T_EQ(errno, EMSGSIZE);
    errno = 0;
    T_OK(ngx_ipc_message_to_key(0, "k", 1) == 0);
    T_EQ(errno, EINVAL);
    T_OK(ngx_ipc_message_to_key(NGX_IPC_WORKERS, NULL, 1) == 0);
    T_EQ(errno, EINVAL);
    T_OK(ngx_ipc_message_to_key(NGX_IPC_HELPERS, "k", 1) == 0);
    T_EQ(errno, ESRCH);
    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(5), &load), NGX_ERROR);
    T_EQ(errno, ESRCH);

    /* The master has the slot -1. */

    T_EQ(t_note(NGX_IPC_TO_SLOT(-1), 9), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 1);

    /* Nothing was sent. */

    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 5), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 5);

    t_workers_stop();
}


/* A message is reserved for a process that dies, and by another process. */

static void *volatile  place;


static void
commit_of_parent(ngx_cycle_t *cycle, void *data)
{
    EINVALID(ngx_ipc_message_commit(place, 4));
    EINVALID(ngx_ipc_message_cancel(place));
    exit(0);
}


static void
test_reserved(void)
{
    int  *data;

    t_messages_start(1);
    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);

    place = ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_SLOT(1), 4);
    T_REQUIRE(place != NULL);
    t_kill_worker(1);
    T_UNTIL(ngx_last_process == 1);
    T_EQ(ngx_ipc_message_commit(place, 4), NGX_ERROR);
    T_EQ(errno, ESRCH);
    EINVALID(ngx_ipc_message_commit(place, 4));

    /* Another process has the slot when the message is committed. */

    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);
    place = ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_SLOT(1), 4);
    T_REQUIRE(place != NULL);
    t_kill_worker(1);
    T_UNTIL(ngx_last_process == 1);
    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_ipc_message_cancel(place), NGX_OK);
    t_kill_worker(1);
    T_UNTIL(ngx_last_process == 1);

    /* The replacement of a worker gets what was reserved before. */

    data = ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_WORKER(0), 4);
    T_REQUIRE(data != NULL);
    *data = 6;
    place = data;
    (void) t_spawn(commit_of_parent, NULL, "child", NGX_PROCESS_NORESPAWN);
    T_UNTIL(ngx_last_process == 1);
    t_kill_worker(0);
    T_EQ(ngx_ipc_message_commit(data, 4), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    T_EQ(t_of(0)->value, 6);

    t_workers_stop();
}


/*
 * How much waits for a worker.  ngx_ipc_load_t counts records of the library too: one
 * with the time of a message, and one that closes a lane that was not used for a
 * second.
 */

static ngx_uint_t
waiting(void)
{
    ngx_ipc_load_t  load;

    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(0), &load), NGX_OK);

    return load.messages;
}


static void
test_load(void)
{
    int              i;
    ngx_int_t        sent;
    ngx_ipc_load_t   load;
    static char      data[2000];

    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 0), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);
    t_hold(0);

    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(0), &load), NGX_OK);
    T_OK(load.messages <= 2);
    T_OK(load.used <= 4096);
    T_EQ(load.limit, 2 * 1024 * 1024);
    T_EQ(load.memory, 4 * 1024 * 1024 - 16 * 4096);

    for (i = 0; i < 10; i++) {
        T_EQ(t_note(NGX_IPC_TO_WORKER(0), i), NGX_OK);
    }

    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(0), &load), NGX_OK);
    T_OK(load.messages >= 10 && load.messages <= 15);
    T_OK(load.memory_used >= load.used);

    /* A sender that holds back is not refused. */

    for (sent = 0; ; sent++) {
        T_EQ(ngx_ipc_message_load(NGX_IPC_TO_SLOT(0), &load), NGX_OK);

        if (load.used + 2 * 4096 > load.limit) {
            break;
        }

        T_EQ(ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_WORKER(0), data,
                                  sizeof(data)), NGX_OK);
    }

    T_OK(sent > 500);
    t_notes->hold = 0;
    T_UNTIL(t_of(0)->notes == sent + 11);
    T_UNTIL(waiting() == 0);

    t_workers_stop();
}


/* A process for which the shared memory has no room has no messages. */

static void
no_messages(ngx_cycle_t *cycle, void *data)
{
    ngx_ipc_load_t  load;

    T_EQ(ngx_ipc_message_fd(), -1);
    T_EQ(ngx_ipc_message_process(), -1);
    T_EQ(t_note(NGX_IPC_TO_MASTER, 1), NGX_ERROR);
    T_EQ(errno, ENOTSUP);
    T_OK(ngx_ipc_message_reserve(&t_note_type, NGX_IPC_TO_MASTER, 1) == NULL);
    T_EQ(errno, ENOTSUP);
    T_OK(ngx_ipc_message_to_key(NGX_IPC_MASTER, "k", 1) == 0);
    T_EQ(errno, ENOTSUP);
    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_MASTER, &load), NGX_ERROR);
    T_EQ(errno, ENOTSUP);
    T_EQ(ngx_ipc_message_unhandled(1), NGX_ERROR);
    T_EQ(errno, ENOTSUP);

    t_notes->of[0].flags[0] = 1;
    t_pause(cycle, NULL);
}


static void
test_too_many_processes(void)
{
    int  i;

    t_messages_init();

    for (i = 0; i < 64; i++) {
        (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);
        T_EQ(t_note(NGX_IPC_TO_SLOT(i), 1), NGX_OK);
    }

    T_EQ(t_logged(NGX_LOG_ALERT, "no room for the messages"), 0);
    (void) t_spawn(no_messages, NULL, "late", NGX_PROCESS_NORESPAWN);
    T_EQ(t_logged(NGX_LOG_ALERT, "no room for the messages of the process in "
                                 "slot 64, see \"message_processes\""), 1);
    T_UNTIL(t_of(0)->flags[0] == 1);
    T_EQ(t_note(NGX_IPC_TO_SLOT(64), 1), NGX_ERROR);
    T_EQ(errno, ESRCH);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("wrong arguments", test_arguments);
    t_run("reserved messages and processes that die", test_reserved);
    t_run("how much waits for a process", test_load);
    t_run("more processes than have messages", test_too_many_processes);

    return t_end();
}
