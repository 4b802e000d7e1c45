
/*
 * Tests of messages in a program that has no master of the library's host: it
 * calls ngx_init_signals() and ngx_spawn_process(), and has an event loop of its
 * own.
 */


#include "t_messages.h"


typedef struct {
    int  notes[8];      /* by the slot of the receiver */
    int  values[8];
    int  from[8];
    int  gaps;
} t_seen_t;


static volatile t_seen_t  *seen;
static int                 replies;
static ngx_uint_t          outcome;
static int                 down;


static void
note(ngx_ipc_message_t *m)
{
    ngx_int_t  slot;

    slot = ngx_process_slot;
    seen->values[slot] = *(int *) m->data;
    seen->from[slot] = (int) m->sender->slot;
    seen->notes[slot]++;

    if (m->request) {
        T_EQ(ngx_ipc_message_reply(m->sender->to, m->request, m->data, m->len),
             NGX_OK);
    }
}


static ngx_ipc_message_type_t  type = { .name = "test_note", .handler = note };


static void
told(void *ctx, ngx_uint_t result, ngx_ipc_message_t *reply)
{
    outcome = result;
    replies++;
}


static void
peer_down(void *ctx, const ngx_ipc_peer_t *peer)
{
    down++;
}


static ngx_ipc_message_watch_t  watch = { .peer_down = peer_down };


/* One round of the event loop. */

static void
a_round(int most)
{
    int            timeout;
    struct pollfd  fds;

    timeout = (int) ngx_ipc_message_process();

    if (timeout == -1 || timeout > most) {
        timeout = most;
    }

    fds.fd = ngx_ipc_message_fd();
    fds.events = POLLIN;
    (void) poll(&fds, 1, timeout);
}


#define UNTIL(expr)  while (!(expr)) { a_round(5); }


static void
child(ngx_cycle_t *cycle, void *data)
{
    int  value;

    value = 40 + (int) ngx_process_slot;
    T_EQ(ngx_ipc_message_broadcast(&type, NGX_IPC_MASTER|NGX_IPC_OTHERS, &value,
                                   sizeof(value)), ngx_process_slot + 1);

    for ( ;; ) {
        a_round(1000);
    }
}


/*
 * Kills a child, and reaps it when the SIGCHLD handler has its status.  ngx_reap
 * does not say that: it is set for a child that stops, too.
 */

static void
kill_child(ngx_int_t slot)
{
    kill(ngx_processes[slot].pid, SIGKILL);
    UNTIL(ngx_processes[slot].exited);
    (void) ngx_reap_children(t_cycle());
}


static void
test_library(void)
{
    int        value;
    sigset_t   set;
    ngx_int_t  wait;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);

    seen = t_shared(sizeof(t_seen_t));

    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_watch(&watch), NGX_OK);
    T_OK(ngx_ipc_message_fd() != -1);
    t_keep_fds();

    (void) t_spawn(child, NULL, "first", NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 0);
    UNTIL(seen->notes[0] == 1);         /* the master has slot 0 in its variable */
    T_EQ(seen->values[0], 40);
    T_EQ(seen->from[0], 0);

    (void) t_spawn(child, NULL, "second", NGX_PROCESS_NORESPAWN);
    UNTIL(seen->notes[0] == 2 && seen->notes[1] == 1);

    value = 7;
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_SLOT(1), &value, sizeof(value)),
         NGX_OK);
    UNTIL(seen->notes[1] == 2);         /* note() counts last */
    T_EQ(seen->values[1], 7);
    T_EQ(seen->from[1], -1);

    T_EQ(ngx_ipc_message_request(&type, NGX_IPC_TO_SLOT(0), &value,
                                 sizeof(value), 10000, told, NULL), NGX_OK);
    UNTIL(replies == 1);
    T_EQ(outcome, NGX_IPC_REPLIED);

    /* The death of a child is known when the program has reaped it. */

    t_stop_pid(ngx_processes[1].pid);
    T_EQ(ngx_ipc_message_request(&type, NGX_IPC_TO_SLOT(1), &value,
                                 sizeof(value), 10000, told, NULL), NGX_OK);

    /* SIGCHLD has come for the stop. */

    UNTIL(ngx_reap);
    ngx_reap = 0;
    (void) ngx_reap_children(t_cycle());
    a_round(0);
    T_EQ(replies, 1);
    T_EQ(down, 0);

    /* The loop may wait until the request is too late. */

    while ((wait = ngx_ipc_message_process()) == 0) { /* void */ }
    T_OK(wait > 0 && wait <= 10000);

    kill_child(1);
    UNTIL(replies == 2 && down == 1);
    T_EQ(outcome, NGX_IPC_DIED);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_SLOT(1), &value, sizeof(value)),
         NGX_ERROR);
    T_EQ(errno, ESRCH);

    kill_child(0);
}


/* A program that has started a process before it registers has no messages. */

static void
test_late(void)
{
    int  value;

    t_init_signals();
    (void) t_spawn(t_pause, NULL, "pause", NGX_PROCESS_NORESPAWN);
    value = 1;

    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_SLOT(0), &value, sizeof(value)),
         NGX_ERROR);
    T_EQ(errno, ENOTSUP);
    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("a program without the library's host", test_library);
    t_run("a process before the first type", test_late);

    return t_end();
}
