
/*
 * A master and four workers: shows what nginx's process layer does, and checks
 * each step.
 *
 *     demo        prints the process table, the counters and the checks
 *     demo -v     logs nginx's notices and debug lines to stderr as well
 *
 * The exit status is 0 only if all checks were made and none has failed.
 *
 * The master sends the workers orders, and each worker answers when it has
 * carried out an order, so that no process waits for a fixed time.  A channel
 * keeps the order of its messages: a worker that answers has read all messages
 * that were sent to it before the order.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>
#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

#include <dirent.h>
#include <sys/stat.h>


#define DEMO_WORKERS      4
#define DEMO_MASTER       DEMO_WORKERS      /* index of the master */
#define DEMO_PROCESSES    (DEMO_WORKERS + 1)

#define DEMO_VICTIM       2                 /* the worker that is killed */
#define DEMO_ROUNDS       2                 /* before and after the kill */

#define DEMO_CONNECTIONS  5000              /* for each worker in each round */
#define DEMO_KEPT         10                /* connections closed last */
#define DEMO_REQUESTS     3                 /* on each connection */

#define DEMO_TIMEOUT      20000             /* ms, for the whole program */


/* The commands of this program.  nginx's own commands are 1 to 5. */

#define DEMO_CMD_HELLO    31                /* the receiver counts these */
#define DEMO_CMD_DONE     32                /* the answer to these orders: */

#define DEMO_CMD_GREET    33                /* send hello to all processes */
#define DEMO_CMD_SHOW     34                /* copy the table to the memory */
#define DEMO_CMD_WORK     35                /* serve connections */
#define DEMO_CMD_CLOSE    36                /* close the open connections */


/*
 * The number of checks, so that a check that is left out makes the demo fail.
 * Table: 2 for each descriptor and 3 for each worker.  Messages: 1 for each
 * pair of processes and 1 for unknown senders.  Counters: 7, with open
 * connections and without.  Broadcast: the number of receivers.
 */

#define DEMO_CHECKS_TABLE     (DEMO_PROCESSES * DEMO_WORKERS * 2 * 2         \
                               + DEMO_WORKERS * 3)
#define DEMO_CHECKS_MESSAGES  (DEMO_PROCESSES * DEMO_PROCESSES + 1)
#define DEMO_CHECKS_COUNTERS  (7 * 2)
#define DEMO_CHECKS_BROADCAST 1
#define DEMO_CHECKS_ROUND     (DEMO_CHECKS_TABLE + DEMO_CHECKS_MESSAGES      \
                               + DEMO_CHECKS_COUNTERS + DEMO_CHECKS_BROADCAST)

#define DEMO_CHECKS_INIT      1
#define DEMO_CHECKS_KILL      3
#define DEMO_CHECKS_QUIT      (1 + DEMO_WORKERS)
#define DEMO_CHECKS_LEFT      3

#define DEMO_CHECKS           (DEMO_CHECKS_INIT                              \
                               + DEMO_CHECKS_ROUND * DEMO_ROUNDS             \
                               + DEMO_CHECKS_KILL                            \
                               + DEMO_CHECKS_QUIT                            \
                               + DEMO_CHECKS_LEFT)


/* The channels in the ngx_processes[] of one process. */

typedef struct {
    ngx_pid_t     pid;
    ngx_int_t     slot;
    ngx_socket_t  reads;                    /* the channel it reads from */
    ngx_socket_t  channel[DEMO_WORKERS][2];
} demo_column_t;


/* The counters of nginx's stub_status page. */

typedef struct {
    ngx_uint_t    accepted;
    ngx_uint_t    handled;
    ngx_uint_t    requests;
    ngx_uint_t    active;
    ngx_uint_t    reading;
    ngx_uint_t    writing;
    ngx_uint_t    waiting;
} demo_status_t;


/* The memory that the master and the workers share. */

typedef struct {
    demo_status_t  status;
    demo_column_t  columns[DEMO_PROCESSES];

    /* how many hellos each process got from each other process */
    ngx_uint_t     hellos[DEMO_PROCESSES][DEMO_PROCESSES];
    ngx_uint_t     unknown;
    ngx_uint_t     news;                    /* broadcasts that workers got */
    ngx_uint_t     quits;
} demo_shared_t;


static ngx_cycle_t *demo_init(ngx_uint_t verbose);
static void demo_spawn(ngx_cycle_t *cycle);
static void demo_round(ngx_cycle_t *cycle);
static void demo_broadcast(ngx_cycle_t *cycle);
static void demo_news(ngx_ipc_message_t *m);
static void demo_kill(ngx_cycle_t *cycle);
static void demo_quit(ngx_cycle_t *cycle);
static void demo_left(ngx_int_t descriptors, ngx_int_t segments);
static int demo_verdict(void);

static void demo_watch(ngx_cycle_t *cycle, ngx_int_t slot);
static void demo_order(ngx_cycle_t *cycle, ngx_uint_t command, char *what);
static void demo_answer(ngx_event_t *ev);
static void demo_wait(ngx_cycle_t *cycle, char *what);
static void demo_give_up(ngx_cycle_t *cycle, char *what, char *why);

static void demo_worker(ngx_cycle_t *cycle, void *data);
static void demo_handler(ngx_event_t *ev);
static void demo_command(ngx_connection_t *c, ngx_channel_t *ch);
static void demo_greet(ngx_log_t *log);
static void demo_work(void);
static void demo_request(demo_status_t *status);
static void demo_close(ngx_uint_t n);
static void demo_count(ngx_uint_t *counter, ngx_int_t n);

static ngx_uint_t demo_known(ngx_channel_t *ch);
static void demo_hello(ngx_channel_t *ch);
static void demo_show(ngx_socket_t reads);
static void demo_send(ngx_socket_t s, ngx_uint_t command, ngx_log_t *log);
static void demo_timer(ngx_msec_t timer, ngx_log_t *log);
static void demo_timeout(ngx_event_t *ev);

static void demo_check_table(void);
static void demo_check_descriptor(ngx_int_t process, ngx_int_t slot,
    ngx_int_t end, ino_t ino);
static ngx_int_t demo_expected(ngx_int_t process, ngx_int_t slot,
    ngx_int_t end);
static void demo_check_messages(void);
static void demo_check_counters(ngx_uint_t open);
static void demo_check(ngx_int_t found, ngx_int_t expected, char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void demo_verified(char *what);

static void demo_print_table(void);
static void demo_print_cell(ngx_int_t process, ngx_int_t slot);
static void demo_print_status(void);

static ino_t demo_socket(ngx_pid_t pid, ngx_socket_t fd);
static ngx_int_t demo_holds(ngx_pid_t pid, ino_t ino);
static ngx_int_t demo_descriptors(void);
static ngx_int_t demo_segments(void);


static char           *demo_names[DEMO_PROCESSES] = {
    "worker 0", "worker 1", "worker 2", "worker 3", "master"
};

static ngx_ipc_message_type_t  demo_type = {
    .name = "demo_news", .handler = demo_news
};

static ngx_shm_t       demo_shm;
static demo_shared_t  *demo_shared;

static ngx_int_t       demo_self = DEMO_MASTER;
static ngx_uint_t      demo_rounds;         /* number of this round, from 1 */
static ngx_uint_t      demo_answers;        /* answers to the last order */

static ngx_event_t     demo_watchdog;
static ngx_uint_t      demo_timed_out;

static ngx_uint_t      demo_checks;
static ngx_uint_t      demo_failures;
static ngx_uint_t      demo_told;           /* failures printed so far */


int
main(int argc, char *const *argv)
{
    ngx_int_t     descriptors, segments;
    ngx_cycle_t  *cycle;

    segments = demo_segments();
    cycle = demo_init(argc > 1 && ngx_strcmp(argv[1], "-v") == 0);
    descriptors = demo_descriptors();

    demo_spawn(cycle);
    demo_round(cycle);
    demo_kill(cycle);
    demo_round(cycle);
    demo_quit(cycle);
    demo_left(descriptors, segments);

    return demo_verdict();
}


static ngx_cycle_t *
demo_init(ngx_uint_t verbose)
{
    static ngx_cycle_t  cycle;

    if (ngx_ipc_init(&cycle) != NGX_OK) {
        exit(1);
    }

    cycle.log->log_level = verbose ? NGX_LOG_DEBUG_ALL : NGX_LOG_ERR;
    ngx_process = NGX_PROCESS_MASTER;

    demo_shm.size = sizeof(demo_shared_t);
    demo_shm.log = cycle.log;
    ngx_str_set(&demo_shm.name, "demo");

    if (ngx_shm_alloc(&demo_shm) != NGX_OK) {
        exit(1);
    }

    demo_shared = (demo_shared_t *) demo_shm.addr;

    /* the memory and descriptors for messages exist until the demo ends */

    if (ngx_ipc_message_register(&demo_type) != NGX_OK
        || ngx_ipc_message_fd() == -1)
    {
        exit(1);
    }

    /*
     * Checks that the timer expires.  This also initializes the event loop,
     * whose descriptors stay open.
     */

    demo_timer(0, cycle.log);
    ngx_process_events_and_timers(&cycle);
    demo_check(demo_timed_out, 1, "the watchdog");

    demo_timer(DEMO_TIMEOUT, cycle.log);

    return &cycle;
}


static void
demo_spawn(ngx_cycle_t *cycle)
{
    ngx_int_t  i;

    printf("ngx-ipc %s: master %d starts %d workers\n",
           ngx_ipc_version(), (int) ngx_pid, DEMO_WORKERS);

    /* without this, each child would print the buffered text again */
    fflush(stdout);

    for (i = 0; i < DEMO_WORKERS; i++) {

        if (ngx_spawn_process(cycle, demo_worker, (void *) i,
                              "worker process", NGX_PROCESS_RESPAWN)
            == NGX_INVALID_PID)
        {
            demo_give_up(cycle, "the workers", "one could not be started");
        }

        ngx_pass_open_channel(cycle, NULL);
        demo_watch(cycle, ngx_process_slot);
    }
}


static void
demo_round(ngx_cycle_t *cycle)
{
    ngx_int_t  i;

    demo_rounds++;

    for (i = 0; i < DEMO_WORKERS; i++) {
        demo_send(ngx_processes[i].channel[0], DEMO_CMD_HELLO, cycle->log);
    }

    demo_order(cycle, DEMO_CMD_GREET, "all workers to greet each other");

    demo_show(-1);
    demo_order(cycle, DEMO_CMD_SHOW, "all workers to show their channels");

    demo_print_table();
    demo_check_table();
    demo_check_messages();

    demo_order(cycle, DEMO_CMD_WORK, "all workers to serve connections");

    demo_print_status();
    demo_check_counters(DEMO_KEPT * DEMO_WORKERS);

    demo_order(cycle, DEMO_CMD_CLOSE, "all workers to close connections");

    demo_check_counters(0);
    demo_verified("4 workers counted at the same time: the counters are exact");

    demo_broadcast(cycle);
}


/* Sends one message in shared memory to all workers. */

static void
demo_broadcast(ngx_cycle_t *cycle)
{
    demo_check(ngx_ipc_message_broadcast(&demo_type, NGX_IPC_OTHERS,
                                         "news", 4),
               DEMO_WORKERS, "workers that a message was sent to");

    while (demo_shared->news < demo_rounds * DEMO_WORKERS) {
        demo_wait(cycle, "a message in shared memory");
    }

    demo_verified("1 broadcast in shared memory reached 4 workers");
}


static void
demo_news(ngx_ipc_message_t *m)
{
    if (m->len == 4 && ngx_memcmp(m->data, "news", 4) == 0) {
        demo_count(&demo_shared->news, 1);
    }
}


static void
demo_kill(ngx_cycle_t *cycle)
{
    int        status;
    ngx_pid_t  pid;

    pid = ngx_processes[DEMO_VICTIM].pid;

    printf("\nkill -9 %d, worker %d; the log line of its exit is an alert:\n\n",
           (int) pid, DEMO_VICTIM);
    fflush(stdout);

    if (kill(pid, SIGKILL) == -1) {
        demo_give_up(cycle, "the exit of a worker", "kill() has failed");
    }

    while (ngx_processes[DEMO_VICTIM].pid == pid
           || ngx_processes[DEMO_VICTIM].pid == NGX_INVALID_PID)
    {
        demo_wait(cycle, "the respawn of the killed worker");

        if (ngx_reap) {
            ngx_reap = 0;
            ngx_reap_children(cycle);
        }
    }

    demo_watch(cycle, DEMO_VICTIM);

    status = ngx_processes[DEMO_VICTIM].status;

    demo_check(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL,
               "the signal that worker %d was killed by", DEMO_VICTIM);
    demo_check(kill(pid, 0) == -1 ? errno : 0, ESRCH,
               "the error of a signal to the killed worker");
    demo_check(ngx_last_process, DEMO_WORKERS, "slots in use");

    printf("\n");
    demo_verified("the worker was reaped and respawned in its slot");
}


static void
demo_quit(ngx_cycle_t *cycle)
{
    ngx_int_t   i;
    ngx_uint_t  live;

    printf("\nQUIT over the channels:\n\n");
    fflush(stdout);

    ngx_signal_worker_processes(cycle, ngx_signal_value(NGX_SHUTDOWN_SIGNAL));

    live = 1;

    while (live) {
        demo_wait(cycle, "all workers to quit");

        if (ngx_reap) {
            ngx_reap = 0;
            live = ngx_reap_children(cycle);
        }
    }

    demo_check(demo_shared->quits, DEMO_WORKERS, "workers that got QUIT");

    for (i = 0; i < DEMO_WORKERS; i++) {
        demo_check(ngx_processes[i].status, 0, "the status of %s",
                   demo_names[i]);
    }

    demo_verified("4 workers got QUIT and exited with code 0");
}


static void
demo_left(ngx_int_t descriptors, ngx_int_t segments)
{
    ngx_shm_free(&demo_shm);

    demo_check(demo_descriptors(), descriptors, "open descriptors");
    demo_check(waitpid(-1, NULL, WNOHANG) == -1 ? errno : 0, ECHILD,
               "the error of a wait for children");
    demo_check(demo_segments(), segments, "System V segments");

    demo_verified("no descriptor, zombie or System V segment is left");
}


static int
demo_verdict(void)
{
    if (demo_failures == 0 && demo_checks == DEMO_CHECKS) {
        printf("\nall %d checks passed\n", DEMO_CHECKS);
        return 0;
    }

    printf("\nFAILED: %d of %d checks were made, and %d of these failed\n",
           (int) demo_checks, DEMO_CHECKS, (int) demo_failures);

    return 1;
}


/* Watches the channel of a worker for answers. */

static void
demo_watch(ngx_cycle_t *cycle, ngx_int_t slot)
{
    if (ngx_add_channel_event(cycle, ngx_processes[slot].channel[0],
                              NGX_READ_EVENT, demo_answer)
        != NGX_OK)
    {
        demo_give_up(cycle, "answers", "a channel cannot be watched");
    }
}


/* Sends an order to all workers, and returns when all have answered. */

static void
demo_order(ngx_cycle_t *cycle, ngx_uint_t command, char *what)
{
    ngx_int_t  i;

    demo_answers = 0;

    for (i = 0; i < DEMO_WORKERS; i++) {
        demo_send(ngx_processes[i].channel[0], command, cycle->log);
    }

    while (demo_answers < DEMO_WORKERS) {
        demo_wait(cycle, what);

        for (i = 0; i < DEMO_WORKERS; i++) {
            if (ngx_processes[i].exited) {
                demo_give_up(cycle, what, "a worker has exited");
            }
        }
    }
}


static void
demo_answer(ngx_event_t *ev)
{
    ngx_int_t          n;
    ngx_channel_t      ch;
    ngx_connection_t  *c;

    c = ev->data;

    for ( ;; ) {
        n = ngx_read_channel(c->fd, &ch, sizeof(ngx_channel_t), ev->log);

        if (n == NGX_AGAIN) {
            return;
        }

        if (n == NGX_ERROR) {

            /*
             * The worker has exited.  ngx_reap_children() will close its
             * channel.
             */

            ngx_free_connection(c);
            return;
        }

        if (!demo_known(&ch) || ngx_processes[ch.slot].channel[0] != c->fd) {
            demo_count(&demo_shared->unknown, 1);
            continue;
        }

        switch (ch.command) {

        case DEMO_CMD_HELLO:
            demo_hello(&ch);
            break;

        case DEMO_CMD_DONE:
            demo_answers++;
            break;
        }
    }
}


static void
demo_wait(ngx_cycle_t *cycle, char *what)
{
    ngx_process_events_and_timers(cycle);

    if (demo_timed_out) {
        demo_give_up(cycle, what, "it takes too long");
    }

    if (ngx_quit || ngx_terminate) {
        demo_give_up(cycle, what, "interrupted");
    }
}


static void
demo_give_up(ngx_cycle_t *cycle, char *what, char *why)
{
    printf("\nFAILED: waiting for %s: %s\n", what, why);

    ngx_signal_worker_processes(cycle, SIGKILL);

    exit(1);
}


static void
demo_worker(ngx_cycle_t *cycle, void *data)
{
    ngx_process = NGX_PROCESS_WORKER;
    demo_self = (ngx_int_t) data;

    demo_timer(DEMO_TIMEOUT, cycle->log);

    if (ngx_ipc_init_channel(cycle, demo_handler) != NGX_OK) {

        /* a worker that exits with code 2 is not respawned */
        exit(2);
    }

    while (!ngx_quit && !ngx_terminate && !demo_timed_out) {
        ngx_process_events_and_timers(cycle);
    }

    exit(demo_timed_out ? 1 : 0);
}


static void
demo_handler(ngx_event_t *ev)
{
    ngx_int_t          n;
    ngx_channel_t      ch;
    ngx_connection_t  *c;

    c = ev->data;

    for ( ;; ) {
        n = ngx_read_channel(c->fd, &ch, sizeof(ngx_channel_t), ev->log);

        if (n == NGX_AGAIN) {
            return;
        }

        if (n == NGX_ERROR) {

            /* the master has exited */
            exit(1);
        }

        if (ch.command == NGX_CMD_QUIT) {
            demo_count(&demo_shared->quits, 1);
        }

        if (ngx_ipc_channel_command(&ch, ev->log) == NGX_DECLINED) {
            demo_command(c, &ch);
        }
    }
}


static void
demo_command(ngx_connection_t *c, ngx_channel_t *ch)
{
    if (!demo_known(ch)) {
        demo_count(&demo_shared->unknown, 1);
        return;
    }

    switch (ch->command) {

    case DEMO_CMD_HELLO:
        demo_hello(ch);
        return;

    case DEMO_CMD_GREET:
        demo_greet(c->log);
        break;

    case DEMO_CMD_SHOW:
        demo_show(c->fd);
        break;

    case DEMO_CMD_WORK:
        demo_work();
        break;

    case DEMO_CMD_CLOSE:
        demo_close(DEMO_KEPT);
        break;
    }

    demo_send(ngx_channel, DEMO_CMD_DONE, c->log);
}


static void
demo_greet(ngx_log_t *log)
{
    ngx_int_t  i;

    for (i = 0; i < ngx_last_process; i++) {
        if (i != ngx_process_slot && ngx_processes[i].pid > 0) {
            demo_send(ngx_processes[i].channel[0], DEMO_CMD_HELLO, log);
        }
    }

    demo_send(ngx_channel, DEMO_CMD_HELLO, log);
}


/* Opens connections, serves requests, and closes all but DEMO_KEPT. */

static void
demo_work(void)
{
    ngx_uint_t      i, n;
    demo_status_t  *status;

    status = &demo_shared->status;

    for (i = 0; i < DEMO_CONNECTIONS; i++) {
        demo_count(&status->accepted, 1);
        demo_count(&status->handled, 1);
        demo_count(&status->active, 1);
        demo_count(&status->waiting, 1);

        for (n = 0; n < DEMO_REQUESTS; n++) {
            demo_request(status);
        }

        if (i >= DEMO_KEPT) {
            demo_close(1);
        }
    }
}


static void
demo_request(demo_status_t *status)
{
    demo_count(&status->waiting, -1);
    demo_count(&status->reading, 1);

    demo_count(&status->reading, -1);
    demo_count(&status->writing, 1);

    demo_count(&status->requests, 1);

    demo_count(&status->writing, -1);
    demo_count(&status->waiting, 1);
}


static void
demo_close(ngx_uint_t n)
{
    while (n--) {
        demo_count(&demo_shared->status.waiting, -1);
        demo_count(&demo_shared->status.active, -1);
    }
}


/* Adds n atomically, since other processes change the counter as well. */

static void
demo_count(ngx_uint_t *counter, ngx_int_t n)
{
    (void) __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}


/* Returns 1 if the slot that a message names has the sender's pid. */

static ngx_uint_t
demo_known(ngx_channel_t *ch)
{
    if (ch->slot == DEMO_MASTER) {
        return demo_self != DEMO_MASTER && ch->pid == ngx_parent;
    }

    return ch->slot >= 0
           && ch->slot < DEMO_WORKERS
           && ch->pid == ngx_processes[ch->slot].pid;
}


static void
demo_hello(ngx_channel_t *ch)
{
    demo_count(&demo_shared->hellos[demo_self][ch->slot], 1);
}


static void
demo_show(ngx_socket_t reads)
{
    ngx_int_t       i;
    demo_column_t  *column;

    column = &demo_shared->columns[demo_self];

    column->pid = ngx_pid;
    column->slot = ngx_process_slot;
    column->reads = reads;

    for (i = 0; i < DEMO_WORKERS; i++) {
        column->channel[i][0] = ngx_processes[i].channel[0];
        column->channel[i][1] = ngx_processes[i].channel[1];
    }
}


static void
demo_send(ngx_socket_t s, ngx_uint_t command, ngx_log_t *log)
{
    ngx_channel_t  ch;

    /* the padding bytes of the structure are sent too */
    ngx_memzero(&ch, sizeof(ngx_channel_t));

    ch.command = command;
    ch.pid = ngx_pid;
    ch.slot = demo_self;
    ch.fd = -1;

    if (ngx_write_channel(s, &ch, sizeof(ngx_channel_t), log) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "message %ui was not sent",
                      command);
    }
}


static void
demo_timer(ngx_msec_t timer, ngx_log_t *log)
{
    static ngx_connection_t  dumb;

    demo_timed_out = 0;

    /* in a worker the event is a copy of the master's, with its timer set */
    ngx_memzero(&demo_watchdog, sizeof(ngx_event_t));

    /* the debug lines of a timer contain the descriptor of a connection */
    dumb.fd = -1;

    demo_watchdog.data = &dumb;
    demo_watchdog.handler = demo_timeout;
    demo_watchdog.log = log;

    ngx_add_timer(&demo_watchdog, timer);
}


static void
demo_timeout(ngx_event_t *ev)
{
    demo_timed_out = ev->timedout;
}


/* Checks the table of each process, and compares it with /proc/PID/fd. */

static void
demo_check_table(void)
{
    ino_t           ino[2];
    ngx_int_t       i, n;
    demo_column_t  *column;

    for (n = 0; n < DEMO_WORKERS; n++) {
        column = &demo_shared->columns[n];

        demo_check(column->pid, ngx_processes[n].pid,
                   "the pid of %s", demo_names[n]);
        demo_check(column->slot, n, "the slot of %s", demo_names[n]);

        /* data that is written to channel[0] is read from channel[1] */

        demo_check(column->reads, column->channel[n][1],
                   "the descriptor that %s reads", demo_names[n]);

        ino[0] = demo_socket(ngx_pid, ngx_processes[n].channel[0]);
        ino[1] = demo_socket(column->pid, column->channel[n][1]);

        for (i = 0; i < DEMO_PROCESSES; i++) {
            demo_check_descriptor(i, n, 0, ino[0]);
            demo_check_descriptor(i, n, 1, ino[1]);
        }
    }

    demo_verified("each table is correct, and /proc/PID/fd agrees");
}


/*
 * Checks ngx_processes[slot].channel[end] of a process.  ino is the socket of
 * this channel end.  Either the table names the only descriptor that the
 * process has for the socket, or the process has no descriptor for the socket
 * and the table names none.
 */

static void
demo_check_descriptor(ngx_int_t process, ngx_int_t slot, ngx_int_t end,
    ino_t ino)
{
    ngx_int_t       held, expected;
    demo_column_t  *column;

    column = &demo_shared->columns[process];

    held = demo_holds(column->pid, ino);
    expected = demo_expected(process, slot, end);

    demo_check(column->channel[slot][end], expected > 0 ? held : expected,
               "ngx_processes[%d].channel[%d] of %s",
               (int) slot, (int) end, demo_names[process]);

    demo_check(held > 0, expected > 0,
               "whether the socket of ngx_processes[%d].channel[%d] "
               "is held by %s",
               (int) slot, (int) end, demo_names[process]);
}


/*
 * Returns what ngx_processes[slot].channel[end] of a process must be: 1 for an
 * open descriptor, -1 for a closed one, 0 if the slot was never used.
 */

static ngx_int_t
demo_expected(ngx_int_t process, ngx_int_t slot, ngx_int_t end)
{
    if (process == DEMO_MASTER) {
        return (end == 0) ? 1 : -1;
    }

    if (process == slot) {
        return (end == 0) ? -1 : 1;
    }

    if (end == 0) {
        return 1;
    }

    /* a process closes channel[1] of each worker that was started before it */

    if (slot < process || (process == DEMO_VICTIM && demo_rounds > 1)) {
        return -1;
    }

    return 0;
}


static void
demo_check_messages(void)
{
    ngx_int_t  i, n;

    for (i = 0; i < DEMO_PROCESSES; i++) {
        for (n = 0; n < DEMO_PROCESSES; n++) {
            demo_check(demo_shared->hellos[i][n], i == n ? 0 : demo_rounds,
                       "messages to %s from %s",
                       demo_names[i], demo_names[n]);
        }
    }

    demo_check(demo_shared->unknown, 0, "messages from unknown senders");

    demo_verified("20 messages, one from each process to each other, "
                  "came once each");
}


static void
demo_check_counters(ngx_uint_t open)
{
    ngx_uint_t      connections;
    demo_status_t  *status;

    status = &demo_shared->status;
    connections = demo_rounds * DEMO_WORKERS * DEMO_CONNECTIONS;

    demo_check(status->accepted, connections, "accepted");
    demo_check(status->handled, connections, "handled");
    demo_check(status->requests, connections * DEMO_REQUESTS, "requests");
    demo_check(status->active, open, "active");
    demo_check(status->reading, 0, "reading");
    demo_check(status->writing, 0, "writing");
    demo_check(status->waiting, open, "waiting");
}


static void
demo_check(ngx_int_t found, ngx_int_t expected, char *fmt, ...)
{
    va_list  args;

    demo_checks++;

    if (found == expected) {
        return;
    }

    demo_failures++;

    printf("  FAILED  ");

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf(": expected %ld, found %ld\n", (long) expected, (long) found);
}


static void
demo_verified(char *what)
{
    printf("  %s  %s\n", demo_failures == demo_told ? "ok" : "FAILED", what);

    demo_told = demo_failures;
}


static void
demo_print_table(void)
{
    ngx_int_t  i, n;

    printf("\nngx_processes[].channel of each process"
           "  (* its own, -1 closed, 0 never used)\n\n"
           "        %10s", demo_names[DEMO_MASTER]);

    for (i = 0; i < DEMO_WORKERS; i++) {
        printf("  %10s", demo_names[i]);
    }

    printf("\n  pid   %10d", (int) ngx_pid);

    for (i = 0; i < DEMO_WORKERS; i++) {
        printf("  %10d", (int) demo_shared->columns[i].pid);
    }

    for (n = 0; n < DEMO_WORKERS; n++) {
        printf("\n  slot %d", (int) n);

        demo_print_cell(DEMO_MASTER, n);

        for (i = 0; i < DEMO_WORKERS; i++) {
            printf("  ");
            demo_print_cell(i, n);
        }
    }

    printf("\n\n");
}


static void
demo_print_cell(ngx_int_t process, ngx_int_t slot)
{
    char           cell[32];
    ngx_socket_t  *channel;

    channel = demo_shared->columns[process].channel[slot];

    snprintf(cell, sizeof(cell), "%s[%d,%d]", (process == slot) ? "*" : "",
             channel[0], channel[1]);

    printf("%10s", cell);
}


/* Prints the counters in the form of nginx's stub_status page. */

static void
demo_print_status(void)
{
    demo_status_t  *status;

    status = &demo_shared->status;

    printf("\n  Active connections: %lu\n"
           "  server accepts handled requests\n"
           "   %lu %lu %lu\n"
           "  Reading: %lu Writing: %lu Waiting: %lu\n\n",
           (unsigned long) status->active,
           (unsigned long) status->accepted,
           (unsigned long) status->handled,
           (unsigned long) status->requests,
           (unsigned long) status->reading,
           (unsigned long) status->writing,
           (unsigned long) status->waiting);
}


/* Returns the inode number of a process's socket fd; 0: fd is no socket. */

static ino_t
demo_socket(ngx_pid_t pid, ngx_socket_t fd)
{
    char         path[64];
    struct stat  st;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, fd);

    if (stat(path, &st) == -1 || !S_ISSOCK(st.st_mode)) {
        return 0;
    }

    return st.st_ino;
}


/* Returns the descriptor of a process for the socket ino; -1: it has none. */

static ngx_int_t
demo_holds(ngx_pid_t pid, ino_t ino)
{
    DIR            *dir;
    char            path[64];
    ngx_int_t       fd, found;
    struct dirent  *de;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);

    dir = opendir(path);
    if (dir == NULL) {
        return -1;
    }

    found = -1;

    while ((de = readdir(dir)) != NULL) {
        fd = atoi(de->d_name);

        if (ino != 0 && demo_socket(pid, fd) == ino) {

            /* two descriptors for one socket are an error */
            found = (found == -1) ? fd : -2;
        }
    }

    closedir(dir);

    return found;
}


static ngx_int_t
demo_descriptors(void)
{
    DIR        *dir;
    ngx_int_t   n;

    dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return -1;
    }

    n = 0;

    while (readdir(dir) != NULL) {
        n++;
    }

    closedir(dir);

    return n;
}


/* Counts the System V segments that this process has created. */

static ngx_int_t
demo_segments(void)
{
    int         pid;
    FILE       *file;
    char        line[512];
    ngx_int_t   n;

    file = fopen("/proc/sysvipc/shm", "r");
    if (file == NULL) {

        /* the kernel has no System V shared memory */
        return 0;
    }

    n = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%*d %*d %*o %*u %d", &pid) == 1
            && pid == (int) ngx_getpid())
        {
            n++;
        }
    }

    fclose(file);

    return n;
}
