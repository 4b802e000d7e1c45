
/*
 * Tests of a master that has given back its slot and then calls functions of
 * ngx_ipc_message.h, in a handler of atexit().  Another process can have the slot
 * then, so the master sends and receives nothing.
 */


#include "t_messages.h"

#include <sys/prctl.h>


static struct {
    pid_t         master;
    ngx_ipc_to_t  witness;      /* the address of the process that outlives the master */
    ngx_pid_t     late_pid;     /* of a process that the master starts too late */
    int           late_err;     /* its errno, after it has sent */
    int           at_witness;   /* messages that the witness got */
    int           is_done;      /* the witness can exit */
    int           outcomes;
    int           is_left;      /* the handler of atexit() has returned */
} *volatile  seen;

static void      *to_commit, *to_cancel;
static ngx_fd_t   a_fd = 2;


static void
handler(ngx_ipc_message_t *m)
{
    if (getpid() != seen->master) {
        seen->at_witness++;
    }
}


static void start_handler(ngx_ipc_message_t *m);
static void ready_handler(ngx_ipc_message_t *m);


static ngx_ipc_message_type_t  note_type = {
    .name = "test_note", .handler = handler
};

static ngx_ipc_message_type_t  kept_type = {
    .name = "test_kept", .handler = handler,
    .flags = NGX_IPC_MESSAGE_RETAINED
};

static ngx_ipc_message_type_t  fds_type = {
    .name = "test_fds", .handler = handler,
    .flags = NGX_IPC_MESSAGE_DESCRIPTORS
};

static ngx_ipc_message_type_t  start_type = {
    .name = "test_start", .handler = start_handler
};

static ngx_ipc_message_type_t  ready_type = {
    .name = "test_ready", .handler = ready_handler
};

static ngx_ipc_message_type_t  late_type = {
    .name = "test_late", .handler = handler
};


static void
outcome(void *ctx, ngx_uint_t outcome, ngx_ipc_message_t *reply)
{
    seen->outcomes++;
}


/* A process that the master does not wait for. */

static void
witness_proc(ngx_cycle_t *cycle, void *data)
{
    int  is_done;

    T_EQ(ngx_ipc_message_send(&ready_type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);

    do {
        is_done = seen->is_done;
        (void) ngx_ipc_message_process();
        usleep(1000);
    } while (!is_done);

    _exit(0);
}


static void
start_handler(ngx_ipc_message_t *m)
{
    T_OK(ngx_spawn_process((ngx_cycle_t *) ngx_cycle, witness_proc, NULL,
                           "witness", NGX_PROCESS_DETACHED)
         != NGX_INVALID_PID);
}


/* The witness runs: the master makes two reservations, and exits. */

static void
ready_handler(ngx_ipc_message_t *m)
{
    seen->witness = m->sender->to;

    to_commit = ngx_ipc_message_reserve(&note_type, m->sender->to, 4);
    T_OK(to_commit != NULL);
    to_cancel = ngx_ipc_message_reserve(&note_type, NGX_IPC_TO_MASTER, 4);
    T_OK(to_cancel != NULL);

    ngx_quit = 1;
}


/* A process that is started by a master that has given back its slot. */

static void
late_proc(ngx_cycle_t *cycle, void *data)
{
    errno = 0;
    T_EQ(ngx_ipc_message_send(&note_type, seen->witness, NULL, 0), NGX_ERROR);
    seen->late_err = errno;
    _exit(0);
}


/* The number of messages that all processes have sent, and the masters. */

static ngx_uint_t
sent(ngx_uint_t set)
{
    ngx_uint_t                n;
    ngx_ipc_message_counts_t  c = { .number = -1, .set = set, .worker = -1 };

    n = 0;

    while (ngx_ipc_message_next_type(&c) == NGX_OK) {
        n += c.sent;
    }

    return n;
}


#define REFUSED(result, expected)                                             \
    do {                                                                      \
        errno = 0;                                                            \
        T_EQ(result, expected);                                               \
        T_EQ(errno, ESHUTDOWN);                                               \
    } while (0)


static void
check_left(void)
{
    ngx_uint_t                set, before, before_master;
    ngx_ipc_to_t              to;
    ngx_ipc_load_t            load;

    static ngx_ipc_message_watch_t  watch;

    set = NGX_IPC_OTHERS|NGX_IPC_SELF;
    to = seen->witness;
    before = sent(0);
    before_master = sent(NGX_IPC_MASTER);

    REFUSED(ngx_ipc_message_send(&note_type, to, "data", 4), NGX_ERROR);
    REFUSED(ngx_ipc_message_send(&note_type, NGX_IPC_TO_MASTER, "data", 4),
            NGX_ERROR);
    REFUSED(ngx_ipc_message_send(&note_type, NGX_IPC_TO_ONE_OF(set), "data", 4),
            NGX_ERROR);
    REFUSED(ngx_ipc_message_send_by_key(&note_type, set, "k", 1, "data", 4),
            NGX_ERROR);
    REFUSED(ngx_ipc_message_to_key(set, "k", 1), 0);
    REFUSED(ngx_ipc_message_load(to, &load), NGX_ERROR);
    REFUSED(ngx_ipc_message_unhandled(1), NGX_ERROR);
    REFUSED(ngx_ipc_message_broadcast(&note_type, set, "data", 4), NGX_ERROR);
    REFUSED(ngx_ipc_message_broadcast(&kept_type, set, "data", 4), NGX_ERROR);
    REFUSED(ngx_ipc_message_request(&note_type, to, "data", 4, 0, outcome, NULL),
            NGX_ERROR);
    REFUSED(ngx_ipc_message_reply(to, 7, "data", 4), NGX_ERROR);
    REFUSED(ngx_ipc_message_send_fds(&fds_type, to, "data", 4, &a_fd, 1),
            NGX_ERROR);
    REFUSED(ngx_ipc_message_broadcast_fds(&fds_type, set, "data", 4, &a_fd, 1),
            NGX_ERROR);

    REFUSED(ngx_ipc_message_reserve(&note_type, to, 4) != NULL, 0);
    REFUSED(ngx_ipc_message_commit(to_commit, 4), NGX_ERROR);
    T_EQ(ngx_ipc_message_cancel(to_cancel), NGX_OK);

    T_EQ(ngx_ipc_message_worker(to), -1);
    T_EQ(ngx_ipc_message_register(&late_type), NGX_OK);
    T_EQ(ngx_ipc_message_watch(&watch), NGX_OK);
    T_EQ(ngx_ipc_message_fd(), -1);
    T_EQ(ngx_ipc_message_process(), -1);

    T_EQ(sent(0), before);
    T_EQ(sent(NGX_IPC_MASTER), before_master);
    T_EQ(seen->outcomes, 0);
}


static void
after_leaving(void)
{
    if (getpid() != seen->master) {
        return;
    }

    check_left();
    seen->late_pid = ngx_spawn_process((ngx_cycle_t *) ngx_cycle, late_proc, NULL,
                                       "late", NGX_PROCESS_NORESPAWN);
    seen->is_left = 1;
}


static ngx_int_t
init_module(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_message_register(&note_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&kept_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&fds_type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&start_type), NGX_OK);

    seen->master = getpid();
    T_EQ(atexit(after_leaving), 0);

    return ngx_ipc_message_register(&ready_type);
}


/* The worker makes the master start the witness. */

static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_message_send(&start_type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);

    return NGX_OK;
}


static void
test_left(void)
{
    int              status;
    ngx_module_t     module = {
        .init_module = init_module, .init_process = init_process
    };
    ngx_module_t    *modules[] = { &module, NULL };
    ngx_core_conf_t  conf;

    seen = t_shared(sizeof(*seen));

    ngx_ipc_conf_init(&conf);
    conf.worker_processes = 1;
    conf.modules = modules;

    T_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

    t_run_main(&conf);
    T_EQ(seen->is_left, 1);

    seen->is_done = 1;

    while (waitpid(-1, &status, 0) != -1) {
        T_EQ(status, 0);
    }

    T_EQ(errno, ECHILD);
    T_EQ(seen->at_witness, 0);
    T_OK(seen->late_pid > 0);
    T_EQ(seen->late_err, ESHUTDOWN);
}


int
main(void)
{
    t_begin();

    t_run("a master that has given back its slot", test_left);

    return t_end();
}
