
/* Tests of messages between workers, and between a worker and its master. */


#include "t_messages.h"

#include <sys/syscall.h>


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
    int  fd;

    fd = (int) syscall(SYS_memfd_create, "test", 0);

    if (fd == -1) {
        t_skip("without memfd_create() only workers that are forked get a broadcast");
    }

    close(fd);
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
    ngx_ipc_message_counts_t       c;
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

    c.number = -1;
    c.set = 0;
    c.worker = -1;

    do {
        T_EQ(ngx_ipc_message_next_type(&c), NGX_OK);
    } while (strcmp(c.name, "test_unknown") != 0);

    T_EQ(c.received, 1);
    T_EQ(c.unknown, 1);

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
    t_run("processes that start and die", test_peers);
    t_run("the traffic in the list of processes", test_statistics);
    t_run("a message whose type a worker has not registered", test_unknown);
    t_run("a program without messages", test_off);

    return t_end();
}
