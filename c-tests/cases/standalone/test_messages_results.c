
/*
 * Tests of the results of the functions that send: what each of them returns, and
 * sets errno to, in each situation.
 */


#include "t_messages.h"


#define LARGEST  (1024 * 1024)


/* What is sent, and the same process as an address of each kind. */

typedef struct {
    int              is_unknown;    /* 1: a type that is not registered */
    ngx_ipc_to_t     to;
    ngx_ipc_to_t     process;
    ngx_uint_t       set;
    ngx_uint_t       request;
    const void      *data;
    size_t           len;
} t_attempt_t;


static u_char        data[LARGEST + 1];
static ngx_fd_t      a_fd;
static ngx_ipc_to_t  worker_process;


static ngx_ipc_message_type_t *
type(const t_attempt_t *a, ngx_ipc_message_type_t *registered)
{
    static ngx_ipc_message_type_t  unknown = {
        .name = "test_never_registered",
        .flags = NGX_IPC_MESSAGE_DESCRIPTORS|NGX_IPC_MESSAGE_RETAINED
    };

    return a->is_unknown ? &unknown : registered;
}


static ngx_int_t
send_to(const t_attempt_t *a)
{
    return ngx_ipc_message_send(type(a, &t_note_type), a->to, a->data, a->len);
}


static ngx_int_t
send_to_process(const t_attempt_t *a)
{
    return ngx_ipc_message_send(type(a, &t_note_type), a->process, a->data,
                                a->len);
}


static ngx_int_t
send_to_one_of(const t_attempt_t *a)
{
    return ngx_ipc_message_send(type(a, &t_note_type),
                                NGX_IPC_TO_ONE_OF(a->set), a->data, a->len);
}


static ngx_int_t
send_by_key(const t_attempt_t *a)
{
    return ngx_ipc_message_send_by_key(type(a, &t_note_type), a->set, "k", 1,
                                       a->data, a->len);
}


/* A message that was refused does not wait, so the next one is not dropped. */

static ngx_int_t
send_once(const t_attempt_t *a)
{
    return ngx_ipc_message_send_by_key(type(a, &t_once_type), a->set, "k", 1,
                                       a->data, a->len);
}


static ngx_int_t
request(const t_attempt_t *a)
{
    return ngx_ipc_message_request(type(a, &t_note_type), a->to, a->data,
                                   a->len, 0, t_outcome, NULL);
}


static ngx_int_t
reply(const t_attempt_t *a)
{
    return ngx_ipc_message_reply(a->process, a->request, a->data, a->len);
}


/* Has no result but errno. */

static ngx_int_t
reserve(const t_attempt_t *a)
{
    void  *place;

    place = ngx_ipc_message_reserve(type(a, &t_note_type), a->to, a->len);

    if (place == NULL) {
        return errno == EAGAIN ? NGX_AGAIN
                               : errno == EMSGSIZE ? NGX_DECLINED : NGX_ERROR;
    }

    T_EQ(ngx_ipc_message_cancel(place), NGX_OK);

    return NGX_OK;
}


static ngx_int_t
send_fds(const t_attempt_t *a)
{
    return ngx_ipc_message_send_fds(type(a, &t_fds_type), a->to, a->data,
                                    a->len, &a_fd, 1);
}


static ngx_int_t
broadcast(const t_attempt_t *a)
{
    return ngx_ipc_message_broadcast(type(a, &t_note_type), a->set, a->data,
                                     a->len);
}


static ngx_int_t
broadcast_kept(const t_attempt_t *a)
{
    return ngx_ipc_message_broadcast(type(a, &t_kept_type), a->set, a->data,
                                     a->len);
}


static ngx_int_t
broadcast_fds(const t_attempt_t *a)
{
    return ngx_ipc_message_broadcast_fds(type(a, &t_fds_type), a->set, a->data,
                                         a->len, &a_fd, 1);
}


static const struct {
    const char   *name;
    ngx_int_t   (*call)(const t_attempt_t *a);
    int           counts;       /* 1: returns the number of processes */
} functions[] = {
    { "ngx_ipc_message_send() to a worker", send_to, 0 },
    { "ngx_ipc_message_send() to a process", send_to_process, 0 },
    { "ngx_ipc_message_send() to one of a set", send_to_one_of, 0 },
    { "ngx_ipc_message_send_by_key()", send_by_key, 0 },
    { "ngx_ipc_message_send_by_key() once", send_once, 0 },
    { "ngx_ipc_message_request()", request, 0 },
    { "ngx_ipc_message_reply()", reply, 0 },
    { "ngx_ipc_message_reserve()", reserve, 0 },
    { "ngx_ipc_message_send_fds()", send_fds, 0 },
    { "ngx_ipc_message_broadcast()", broadcast, 1 },
    { "ngx_ipc_message_broadcast() of a type that is kept", broadcast_kept, 1 },
    { "ngx_ipc_message_broadcast_fds()", broadcast_fds, 1 },
};


/*
 * Calls each function.  The result is the second argument, or the third one for
 * functions that return a number; errno is the fourth argument, unless the result
 * is not negative.
 */

static void
check(const t_attempt_t *a, ngx_int_t result, ngx_int_t count, int err)
{
    size_t     i;
    ngx_int_t  rc, expected;

    for (i = 0; i < t_nitems(functions); i++) {

        /* These two have no such argument. */

        if ((functions[i].call == reserve && a->data == NULL && a->len > 0)
            || (functions[i].call == reply && a->is_unknown))
        {
            continue;
        }

        expected = functions[i].counts ? count : result;
        errno = 0;
        rc = functions[i].call(a);

        if (rc != expected || (rc < 0 && errno != err)) {
            t_diag("%s: %ld, errno %d", functions[i].name, (long) rc, errno);
            T_OK(0);
        }
    }
}


static t_attempt_t
to_worker(void)
{
    t_attempt_t  a = {
        .to = NGX_IPC_TO_WORKER(0), .process = worker_process,
        .set = NGX_IPC_WORKERS, .request = 7, .data = data, .len = 4
    };

    return a;
}


static void
worker_up(void *ctx, const ngx_ipc_peer_t *peer)
{
    worker_process = peer->to;
}


static ngx_ipc_message_watch_t  watch = { .peer_up = worker_up };


static void
start(void)
{
    t_with_fds = 1;
    t_messages_init();
    T_EQ(ngx_ipc_message_watch(&watch), NGX_OK);
    a_fd = open("/dev/null", O_WRONLY|O_CLOEXEC);
    T_REQUIRE(a_fd != -1);
    t_keep_fds();
    t_messages_start(1);
    T_UNTIL(worker_process != 0);
}


/* Waits until the worker has handled what was sent, and checks how much that was. */

static void
check_notes(ngx_int_t notes)
{
    ngx_int_t  before;

    before = t_of(0)->notes;
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), -1), NGX_OK);
    T_UNTIL(t_of(0)->value == -1 && t_of(0)->notes == before + notes + 1);
}


static void
test_sent(void)
{
    t_attempt_t  a;

    start();
    a = to_worker();
    check(&a, NGX_OK, 1, 0);
    T_UNTIL(t_of(0)->notes == (ngx_int_t) t_nitems(functions) - 2);
    check_notes(0);
    T_UNTIL(t_of(-1)->outcomes == 1);
    T_EQ(t_of(-1)->outcome, NGX_IPC_TOO_LATE);
    t_workers_stop();
}


static void
test_too_large(void)
{
    t_attempt_t  a;

    start();
    a = to_worker();
    a.len = LARGEST + 1;
    check(&a, NGX_DECLINED, NGX_DECLINED, EMSGSIZE);
    check_notes(0);
    T_EQ(t_of(-1)->outcomes, 0);
    t_workers_stop();
}


static void
test_gone(void)
{
    t_attempt_t  a;

    start();

    /* A process that is dead, a worker that does not exist, and an empty set. */

    a = to_worker();
    t_kill_worker(0);
    T_UNTIL(worker_process != a.process);
    a.to = NGX_IPC_TO_WORKER(1);
    a.set = NGX_IPC_HELPERS;
    check(&a, NGX_ERROR, 0, ESRCH);
    check_notes(0);
    T_EQ(t_of(-1)->outcomes, 0);
    t_workers_stop();
}


static void
test_invalid(void)
{
    t_attempt_t  a;

    start();

    a = to_worker();
    a.is_unknown = 1;
    check(&a, NGX_ERROR, NGX_ERROR, EINVAL);

    a = to_worker();
    a.data = NULL;
    check(&a, NGX_ERROR, NGX_ERROR, EINVAL);

    a = to_worker();
    a.to = 0;
    a.process = 0;
    a.set = NGX_IPC_SELF;
    check(&a, NGX_ERROR, NGX_ERROR, EINVAL);

    check_notes(0);
    T_EQ(t_of(-1)->outcomes, 0);
    t_workers_stop();
}


/* A message is reserved for the worker. */

static void
test_busy(void)
{
    void                *place;
    ngx_uint_t           n;
    t_attempt_t          a;
    const ngx_ipc_to_t  *missed;

    start();
    a = to_worker();

    place = ngx_ipc_message_reserve(&t_note_type, a.to, 4);
    T_REQUIRE(place != NULL);
    check(&a, NGX_ERROR, 0, EBUSY);
    missed = ngx_ipc_message_missed(&n);
    T_EQ(n, 1);
    T_OK(missed[0] == worker_process);
    T_EQ(ngx_ipc_message_worker(missed[0]), 0);
    T_EQ(ngx_ipc_message_worker(NGX_IPC_TO_MASTER), -1);
    T_EQ(ngx_ipc_message_worker(0), -1);
    T_EQ(t_of(-1)->outcomes, 0);

    /* The message that is kept arrives although nothing else does. */

    T_UNTIL(t_of(0)->kept == 1);

    /* Control messages, and other processes, are not concerned. */

    T_EQ(t_give_order(0, T_ORDER_TO_MASTER, 3), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 1);
    T_EQ(t_note(NGX_IPC_TO_MASTER, 4), NGX_OK);
    T_UNTIL(t_of(-1)->notes == 2);

    T_EQ(ngx_ipc_message_cancel(place), NGX_OK);
    check_notes(0);
    T_EQ(t_of(0)->notes, 2);

    /* Nothing is reserved now. */

    check(&a, NGX_OK, 1, 0);
    t_workers_stop();
}


static void
test_full(void)
{
    ngx_uint_t   n;
    t_attempt_t  a;

    start();
    a = to_worker();
    t_hold(0);

    while (ngx_ipc_message_send(&t_note_type, a.to, data, 4000) == NGX_OK) {
        /* void */
    }

    while (t_note(a.to, 0) == NGX_OK) { /* void */ }

    check(&a, NGX_AGAIN, 0, EAGAIN);
    (void) ngx_ipc_message_missed(&n);
    T_EQ(n, 1);
    T_EQ(t_of(-1)->outcomes, 0);

    t_notes->hold = 0;
    T_UNTIL(t_of(0)->kept == 1);
    check(&a, NGX_OK, 1, 0);
    t_workers_stop();
}


/* A program without messages. */

static void
test_off(void)
{
    ngx_ipc_load_t  load;
    t_attempt_t     a;

    t_master_init();
    t_workers_start(1, NGX_PROCESS_RESPAWN);
    a_fd = 2;

    /* The address of a process has the largest number of its kind. */

    a = to_worker();
    a.process = (ngx_ipc_to_t) 3 << 56 | 1;
    check(&a, NGX_ERROR, NGX_ERROR, ENOTSUP);

    T_EQ(ngx_ipc_message_to_key(NGX_IPC_WORKERS, "k", 1), 0);
    T_EQ(errno, ENOTSUP);
    T_EQ(ngx_ipc_message_load(NGX_IPC_TO_WORKER(0), &load), NGX_ERROR);
    T_EQ(errno, ENOTSUP);
    T_EQ(ngx_ipc_message_commit(data, 1), NGX_ERROR);
    T_EQ(errno, EINVAL);
    T_EQ(ngx_ipc_message_cancel(data), NGX_ERROR);
    T_EQ(errno, EINVAL);

    t_workers_stop();
}


/* A program with a larger message_max: a message that is kept has at most 1 MiB. */

static ngx_int_t
init_large(ngx_cycle_t *cycle)
{
    return ngx_ipc_message_register(&t_note_type) == NGX_OK
           ? ngx_ipc_message_register(&t_kept_type) : NGX_ERROR;
}


static ngx_int_t
send_large(ngx_cycle_t *cycle)
{
    ngx_uint_t  self;

    self = NGX_IPC_MASTER|NGX_IPC_SELF;

    T_EQ(ngx_ipc_message_send(&t_note_type, NGX_IPC_TO_MASTER, data,
                              LARGEST + 1), NGX_OK);
    T_EQ(ngx_ipc_message_broadcast(&t_note_type, self, data, LARGEST + 1), 1);
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, self, data, LARGEST + 1),
         NGX_DECLINED);
    T_EQ(errno, EMSGSIZE);
    T_EQ(ngx_ipc_message_broadcast(&t_kept_type, self, data, LARGEST), 1);
    _exit(0);
}


static void
test_larger(void)
{
    ngx_module_t     module = {
        .init_module = init_large, .init_process = send_large
    };
    ngx_module_t    *modules[] = { &module, NULL };
    ngx_core_conf_t  conf;

    ngx_ipc_conf_init(&conf);
    conf.master = 0;
    conf.message_max = 4 * LARGEST;
    conf.modules = modules;

    t_run_main(&conf);
}


int
main(void)
{
    t_begin();

    t_run("results: sent", test_sent);
    t_run("results: too large", test_too_large);
    t_run("results: no such process", test_gone);
    t_run("results: wrong arguments", test_invalid);
    t_run("results: a message is reserved", test_busy);
    t_run("results: a receiver that is full", test_full);
    t_run("results: no messages", test_off);
    t_run("results: a larger message_max", test_larger);

    return t_end();
}
