
/*
 * demo.c: a master and four workers.
 *
 * Shows what nginx's process layer does, and checks every bit of it: the
 * channels that each process holds, messages from everybody to everybody,
 * counters in shared memory, a worker that is killed and started again, and
 * that nothing is left in the end.  The exit status is 0 only if all held.
 *
 *   demo        prints what was found and what was verified
 *   demo -v     logs nginx's notices and debug lines to stderr as well
 *
 * Workers do what the master orders and answer when it is done, so nobody
 * ever has to sleep.  A channel keeps its messages in order: a worker that
 * answers has seen all that had been sent to it before the order.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>
#include <ngx_ipc.h>

#include <dirent.h>
#include <sys/stat.h>


#define DEMO_WORKERS      4
#define DEMO_MASTER       DEMO_WORKERS      /* its index among all */
#define DEMO_PROCESSES    (DEMO_WORKERS + 1)

#define DEMO_VICTIM       2                 /* the worker to be killed */
#define DEMO_ROUNDS       2                 /* before that and after */

#define DEMO_CONNECTIONS  5000              /* of each worker in each round */
#define DEMO_REQUESTS     3                 /* on each connection */
#define DEMO_KEPT         10                /* stay open for a while */

#define DEMO_TIMEOUT      20000             /* ms for all there is to do */


/* Commands of our own; nginx's are 1 to 5. */

#define DEMO_CMD_HELLO    31                /* to be counted */
#define DEMO_CMD_GREET    32                /* say hello to everybody */
#define DEMO_CMD_SHOW     33                /* report your channels */
#define DEMO_CMD_WORK     34                /* serve connections */
#define DEMO_CMD_CLOSE    35                /* close those that stayed open */
#define DEMO_CMD_DONE     36                /* the answer to these orders */


/*
 * How many checks there are: a program that skips one must not succeed.
 *
 * table:     2 for each descriptor of each slot in each process, and 3 for
 *            each worker
 * messages:  1 for each pair of processes, and 1 for strangers
 * counters:  7, while connections are open and when they are closed
 * kill:      3, quit: 1 and 1 for each worker, left: 3
 */

#define DEMO_CHECKS_TABLE     (2 * 2 * DEMO_WORKERS * DEMO_PROCESSES         \
                               + 3 * DEMO_WORKERS)
#define DEMO_CHECKS_MESSAGES  (DEMO_PROCESSES * DEMO_PROCESSES + 1)
#define DEMO_CHECKS_COUNTERS  (2 * 7)
#define DEMO_CHECKS_KILL      3
#define DEMO_CHECKS_QUIT      (1 + DEMO_WORKERS)
#define DEMO_CHECKS_LEFT      3

#define DEMO_CHECKS                                                          \
    (DEMO_ROUNDS * (DEMO_CHECKS_TABLE + DEMO_CHECKS_MESSAGES                 \
                    + DEMO_CHECKS_COUNTERS)                                  \
     + DEMO_CHECKS_KILL + DEMO_CHECKS_QUIT + DEMO_CHECKS_LEFT)


/* What a process says of its own part of ngx_processes[]. */

typedef struct {
    ngx_pid_t     pid;
    ngx_int_t     slot;
    ngx_socket_t  from;                     /* where the order was read */
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


/* What all processes share. */

typedef struct {
    demo_status_t  status;
    demo_column_t  column[DEMO_PROCESSES];
    ngx_uint_t     received[DEMO_PROCESSES][DEMO_PROCESSES];  /* by, from */
    ngx_uint_t     strangers;               /* messages from anybody else */
    ngx_uint_t     quits;
} demo_shared_t;


/* What was there before the demo and must be there after it. */

typedef struct {
    ngx_int_t     descriptors;
    ngx_int_t     segments;
} demo_left_t;


static ngx_cycle_t *demo_init(ngx_uint_t verbose);
static void demo_spawn(ngx_cycle_t *cycle);
static void demo_round(ngx_cycle_t *cycle);
static void demo_kill(ngx_cycle_t *cycle);
static void demo_quit(ngx_cycle_t *cycle);
static void demo_left(demo_left_t *before);
static int demo_verdict(void);

static void demo_watch(ngx_cycle_t *cycle, ngx_int_t slot);
static void demo_order(ngx_cycle_t *cycle, ngx_uint_t command, char *what);
static void demo_events(ngx_cycle_t *cycle, char *what);
static void demo_give_up(ngx_cycle_t *cycle, char *why, char *what);
static void demo_answer(ngx_event_t *ev);

static void demo_worker(ngx_cycle_t *cycle, void *data);
static void demo_handler(ngx_event_t *ev);
static void demo_obey(ngx_connection_t *c, ngx_channel_t *ch);
static void demo_greet(ngx_log_t *log);
static void demo_work(void);
static void demo_request(void);
static void demo_close(void);

static void demo_send(ngx_socket_t s, ngx_uint_t command, ngx_log_t *log);
static void demo_hello(ngx_channel_t *ch);
static void demo_column(ngx_socket_t from);
static void demo_set_timer(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_log_t *log);
static void demo_timeout(ngx_event_t *ev);
static void demo_count(ngx_uint_t *counter, ngx_int_t n);

static void demo_print_table(void);
static void demo_check_table(void);
static void demo_check_end(ngx_int_t process, ngx_int_t slot, ngx_int_t end,
    ino_t socket);
static void demo_check_messages(void);
static void demo_check_counters(ngx_uint_t kept);
static void demo_check(ngx_int_t found, ngx_int_t expected, char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void demo_verified(ngx_uint_t since, char *text);

static ino_t demo_socket(ngx_pid_t pid, ngx_socket_t fd);
static ngx_int_t demo_holds(ngx_pid_t pid, ino_t socket);
static ngx_int_t demo_descriptors(void);
static ngx_int_t demo_segments(void);


static ngx_shm_t       demo_shm;
static demo_shared_t  *demo;

static ngx_int_t       demo_self = DEMO_MASTER;
static ngx_uint_t      demo_rounds;         /* that have begun */
static ngx_uint_t      demo_answers;        /* to the last order */
static ngx_uint_t      demo_timed_out;

static ngx_uint_t      demo_checks;
static ngx_uint_t      demo_failures;
