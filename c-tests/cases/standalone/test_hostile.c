
/*
 * Workers that an attacker controls attack a master that runs as root, and a
 * healthy worker, their sibling.  The master respawns each worker that has
 * died.  It makes no more rounds of its event loop, opens no more descriptors
 * and needs no more memory than before.  The sibling answers its master, and
 * dies only by an attack that kills it with a signal.
 *
 * A run makes each attack once.  With T_LONG=1 it makes random attacks for a
 * minute.
 */


#include "t_attack.h"
#include "t_workers.h"

#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>


#define HOSTILE      2          /* workers, in the slots 1 and 2 */
#define ANSWER       10000      /* ms until the sibling answers */
#define LONGEST      1000       /* ms that an attack may take */
#define LENGTH       60000      /* ms of a long run */
#define ROUNDS       1000       /* of the master in a second */
#define NOT_CHOSEN   (-1)

#if defined(__SANITIZE_ADDRESS__)
#define RSS_GROWTH   (64 * 1024)
#else
#define RSS_GROWTH   (4 * 1024) /* KiB */
#endif


typedef struct {
    volatile int            next;           /* index of the next attack */
    volatile int            attack[1 + HOSTILE];
    volatile long long      began[1 + HOSTILE];
    volatile int            done;
    volatile int            starts;         /* how often the sibling started */
    volatile int            stop;
    volatile unsigned long  answers;
} shared_t;


static shared_t  *shared;
static int        attacks_n;
static uid_t      uid;
static unsigned   rounds;


static void
become_worker(ngx_cycle_t *cycle)
{
    if (setgroups(0, NULL) == -1 || setgid(uid) == -1 || setuid(uid) == -1
        || getuid() == 0
        || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1
        || ngx_ipc_init_channel(cycle, ngx_channel_handler) != NGX_OK)
    {
        _exit(3);
    }
}


static void
sibling_proc(ngx_cycle_t *cycle, void *data)
{
    become_worker(cycle);
    shared->starts++;

    for ( ;; ) {
        ngx_process_events_and_timers(cycle);

        if (ngx_reopen) {
            ngx_reopen = 0;
            shared->answers++;
        }

        if (ngx_quit && shared->stop) {
            _exit(0);
        }

        ngx_quit = 0;
    }
}


/* Chooses an attack; NOT_CHOSEN when each has been made once. */

static int
choose(void)
{
    int       n;
    unsigned  seed;

    n = __atomic_fetch_add(&shared->next, 1, __ATOMIC_SEQ_CST);

    if (t_long()) {
        seed = (unsigned) (n + getpid() + t_msec());

        return rand_r(&seed) % attacks_n;
    }

    return n < attacks_n ? n : NOT_CHOSEN;
}


static void
hostile_proc(ngx_cycle_t *cycle, void *data)
{
    int  slot;

    slot = (int) ngx_process_slot;
    shared->attack[slot] = NOT_CHOSEN;
    become_worker(cycle);

    while (t_victims_channel() <= 2 && !ngx_quit) {
        ngx_process_events_and_timers(cycle);
    }

    if (!shared->stop) {
        shared->began[slot] = t_msec();
        shared->attack[slot] = choose();
    }

    if (shared->attack[slot] != NOT_CHOSEN) {
        t_attack(shared->attack[slot])->run();
        shared->done++;
        _exit(0);
    }

    while (!ngx_quit) {
        ngx_process_events_and_timers(cycle);
    }

    _exit(0);
}


static void
start(ngx_spawn_proc_pt proc, char *name)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));

    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = t_spawn(proc, NULL, name, NGX_PROCESS_RESPAWN);
    ch.slot = ngx_process_slot;
    ch.fd = ngx_processes[ngx_process_slot].channel[0];

    ngx_pass_open_channel(t_cycle(), &ch);
}


static void
print_attacks(void)
{
    int  i;

    for (i = 1; i <= HOSTILE; i++) {
        if (shared->attack[i] != NOT_CHOSEN) {
            t_diag("worker %d made this attack last: %s", i,
                   t_attack(shared->attack[i])->name);
        }
    }
}


#define REQUIRE(expr)                                                        \
    if (!(expr)) {                                                           \
        print_attacks();                                                     \
        T_REQUIRE(expr);                                                     \
    }


/* Kills workers whose attack takes too long. */

static void
one_round(void)
{
    int  i;

    t_master_round();
    rounds++;

    for (i = 1; i <= HOSTILE; i++) {
        if (shared->attack[i] != NOT_CHOSEN && t_runs(i)
            && t_msec() - shared->began[i] > LONGEST)
        {
            shared->began[i] = t_msec();
            (void) kill(ngx_processes[i].pid, SIGKILL);
        }
    }
}


/* Sends a message to the sibling, or a signal as nginx does if that fails. */

static void
ask(void)
{
    ngx_int_t      rc;
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_REOPEN;
    ch.fd = -1;

    rc = ngx_write_channel(ngx_processes[T_VICTIM].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log());

    if (rc != NGX_OK) {
        (void) kill(ngx_processes[T_VICTIM].pid, SIGUSR1);
    }
}


static void
ping(void)
{
    pid_t          asked;
    long long      start, before;
    unsigned long  answers;

    asked = 0;
    start = t_msec();
    answers = shared->answers;

    while (shared->answers == answers) {
        REQUIRE(t_msec() - start < ANSWER);

        if (t_runs(T_VICTIM) && asked != ngx_processes[T_VICTIM].pid) {
            asked = ngx_processes[T_VICTIM].pid;
            before = t_msec();
            ask();
            REQUIRE(t_msec() - before < LONGEST);
        }

        one_round();
    }
}


/*
 * The rounds of the master's loop without those for its children.  A child that
 * exits causes a few rounds.
 */

static long
rounds_without_cause(void)
{
    return (long) rounds - 4 * t_attacks->children;
}


static int
is_over(long long start)
{
    int  i;

    if (t_long()) {
        return t_msec() - start > LENGTH;
    }

    for (i = 1; i <= HOSTILE; i++) {
        if (!t_runs(i) || shared->attack[i] != NOT_CHOSEN) {
            return 0;
        }
    }

    return shared->next >= attacks_n + HOSTILE;
}


static void
watch(void)
{
    int        fds, i, last;
    long       memory, before;
    long long  start, second, from[1 + HOSTILE];

    ping();

    last = 0;
    fds = t_open_fds();
    memory = t_rss(getpid());
    start = second = t_msec();
    before = 0;

    while (!is_over(start)) {
        ping();

        /* one more epoll instance while a channel is full */
        REQUIRE(t_open_fds() <= fds + 1);
        REQUIRE(rounds_without_cause() < before + ROUNDS);

        if (t_msec() - second > 1000) {
            second = t_msec();
            before = rounds_without_cause();
        }

        REQUIRE(shared->starts <= 1 + t_attacks->kills);
        REQUIRE(t_rss(getpid()) < memory + RSS_GROWTH);

        /* both hostile workers run again in time */
        for (i = 1; i <= HOSTILE; i++) {
            if (t_runs(i) || last != shared->next) {
                from[i] = t_msec();
            }

            REQUIRE(t_msec() - from[i] < ANSWER);
        }
        last = shared->next;
    }
}


/* All processes get QUIT, and exit. */

static void
end(pid_t bystander)
{
    siginfo_t  info;

    shared->stop = 1;
    ngx_quit = 1;
    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    while (t_live) {
        one_round();
    }

    t_wait_all_gone();

    T_EQ(ngx_processes[T_VICTIM].status, 0);

    t_attacks->over = 1;

    info.si_pid = 0;
    T_EQ(waitid(P_PID, (id_t) bystander, &info, WEXITED|WNOHANG|WNOWAIT), 0);
    T_EQ(info.si_pid, 0);
    (void) kill(bystander, SIGKILL);

    /*
     * processes that attacks have forked are now children of the master, which
     * reaps them
     */

    T_UNTIL(waitid(P_ALL, 0, &info, WEXITED|WNOHANG|WNOWAIT) == -1);
}


static void
test_attacks(void)
{
    int    i;
    pid_t  bystander;

    if (getuid() != 0) {
        t_skip("only root can start workers of another user");
        return;
    }

    if (t_under_valgrind()) {
        t_skip("valgrind does not know all system calls of the attacks");
        return;
    }

    while (t_attack(attacks_n)) {
        attacks_n++;
    }

    shared = t_shared(sizeof(shared_t));
    t_attacks_init();
    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
    t_master_init();
    t_log()->log_level = NGX_LOG_STDERR;

    /* if a worker dies, its children become children of the master */

    T_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

    /*
     * a user of its own: an attack that uses up the limits of its user must
     * not disturb other tests
     */

    uid = (uid_t) (50000 + getpid() % 10000);
    bystander = fork();
    T_REQUIRE(bystander != -1);

    if (bystander == 0) {
        t_pause(NULL, NULL);
    }

    start(sibling_proc, "sibling");

    for (i = 1; i <= HOSTILE; i++) {
        start(hostile_proc, "hostile");
    }

    watch();
    t_diag("%d of %d attacks returned, %u rounds", shared->done,
           t_long() ? shared->next : attacks_n, rounds);
    end(bystander);
}


int
main(void)
{
    t_begin();

    t_run("attacks of hostile workers", test_attacks);

    return t_end();
}
