
/*
 * A worker that an attacker controls writes garbage to the memory of the
 * messages, and to the wake-up descriptors and the sockets that it has
 * inherited.  Meanwhile the master and the other workers send each other
 * messages.  What must hold:
 *
 *   - No process crashes or hangs.
 *   - A message whose checksum is right is for this process and comes from the
 *     process that m->sender names.  The messages of a sender come in order,
 *     and none comes twice.
 *   - Each process receives messages during the attack.  Messages can be lost;
 *     then there is a gap.
 *   - The master can read the numbers of messages.
 *   - When the hostile worker was killed and replaced, all processes receive
 *     all messages of all others, and so does the replacement.
 *
 * The attack takes a second, with T_LONG=1 a minute.
 */


#include "t_attack.h"
#include "t_messages.h"

#include <stdio.h>
#include <sys/socket.h>


#define WORKERS   4
#define HOSTILE   3             /* the worker that attacks */
#define MASTER    4
#define N         5             /* processes */
#define LARGEST   20000
#define ENOUGH    50            /* messages in a row */
#define PATIENCE  30000         /* ms until all talk */
#define POOLS     6             /* of the region that are overwritten */

/* The layout of the region, see docs/messages.md. */
#define HEAD      4096          /* size in bytes */
#define SLOT      960           /* size in bytes */
#define SLOTS     8             /* at least as many as there are processes */


typedef struct {
    uint32_t  from;
    uint32_t  to;
    uint32_t  number;
    uint32_t  len;              /* of the whole message */
    uint32_t  pid;
    uint32_t  unused;
    uint64_t  sum;
} note_t;


/* What a process has received from another one. */

typedef struct {
    volatile uint32_t  last;
    volatile uint32_t  row;     /* numbers without a missing one */
    volatile uint32_t  notes;
    uint32_t           pid;
    ngx_ipc_to_t       to;      /* the address of the sender before the attack */
} from_t;


typedef struct {
    from_t             from[N];
    volatile uint32_t  damaged;
    volatile uint32_t  lost;
    volatile uint32_t  causes[8];       /* gaps by their cause */
} of_t;


typedef struct {
    of_t          of[N];
    volatile int  overwrite;    /* a worker overwrites the slots of all */
    volatile int  started;      /* workers that wait for this */
    volatile int  overwritten;
    volatile int  attack;
    volatile int  attacks;      /* how often a process has begun to attack */
    volatile int  quiet;        /* workers send no more */
    volatile int  silent[N];    /* the worker has seen this */

    /* The number of the last message from a process to another one. */
    volatile uint32_t  sent[N][N];
} shared_t;


static shared_t    *shared;
static uint32_t     numbers[N];
static ngx_event_t  timer;
static int          fds;            /* of the master without workers */


static uint32_t
self(void)
{
    return ngx_process == NGX_PROCESS_MASTER ? MASTER : (uint32_t) ngx_worker;
}


/* Of all other bytes. */

static uint64_t
checksum(const note_t *note)
{
    size_t         i;
    uint64_t       sum;
    const u_char  *p;

    p = (const u_char *) note;
    sum = 0x9e3779b97f4a7c15;

    for (i = 0; i < note->len; i++) {
        if (i < offsetof(note_t, sum) || i >= sizeof(note_t)) {
            sum = (sum ^ p[i]) * 0x100000001b3;
        }
    }

    return sum;
}


static void
received(ngx_ipc_message_t *m)
{
    of_t             *of;
    from_t           *from;
    static uint64_t   copy[LARGEST / 8];
    const note_t     *note;

    of = &shared->of[self()];
    note = (const note_t *) copy;

    /* The hostile worker can change the payload at any time. */

    memcpy(copy, m->data, m->len <= sizeof(copy) ? m->len : 0);

    if (m->len < sizeof(note_t) || m->len > sizeof(copy)
        || note->len != m->len || note->from >= N
        || note->sum != checksum(note))
    {
        of->damaged++;
        return;
    }

    from = &of->from[note->from];

    T_EQ(note->to, self());

    if (!shared->attacks) {
        from->to = m->sender->to;
    }

    /* The incarnation can be unknown. */

    T_EQ(m->sender->to >> 32, from->to >> 32);

    if (note->pid != from->pid) {
        T_OK(from->pid == 0 || note->from == HOSTILE);
        from->pid = note->pid;
        from->last = 0;
    }

    /*
     * A word of a record that was changed can lead to the payload of an older
     * message of the same sender.
     */

    if (shared->attacks && note->number <= from->last) {
        of->damaged++;
        from->row = 0;
        return;
    }

    T_OK(note->number > from->last);

    from->row = note->number == from->last + 1 ? from->row + 1 : 0;
    from->last = note->number;
    from->notes++;
}


static void
gap(void *ctx, const ngx_ipc_gap_t *gap)
{
    T_OK(shared->attacks);
    shared->of[self()].lost += gap->count;
    shared->of[self()].causes[gap->cause % 8]++;
}


static ngx_ipc_message_watch_t  watch = { .gap = gap };

static ngx_ipc_message_type_t  note_type = {
    .name = "hostile_note", .handler = received
};

/* The sockets for descriptors exist only for such a type. */

static ngx_ipc_message_type_t  fds_type = {
    .name = "hostile_fds", .handler = received,
    .flags = NGX_IPC_MESSAGE_DESCRIPTORS
};


static void
send_to(uint32_t to)
{
    static uint64_t  buffer[LARGEST / 8];
    note_t          *note;
    ngx_int_t        rc;
    ngx_ipc_to_t     address;

    static const uint32_t  sizes[] = { 32, 40, 100, 1000, 3000, LARGEST };

    note = (note_t *) buffer;
    note->from = self();
    note->to = to;
    note->pid = (uint32_t) ngx_pid;
    note->unused = 0;
    note->number = numbers[to] + 1;
    note->len = sizes[note->number % t_nitems(sizes)];

    memset(note + 1, (int) (note->number * 31 + to), note->len - sizeof(note_t));
    note->sum = checksum(note);

    address = to == MASTER ? NGX_IPC_TO_MASTER : NGX_IPC_TO_WORKER(to);

    if (note->number % 7 == 0) {
        rc = ngx_ipc_message_send_fds(&fds_type, address, note, note->len,
                                      (int[]) { STDERR_FILENO }, 1);
    } else {
        rc = ngx_ipc_message_send(&note_type, address, note, note->len);
    }

    if (rc == NGX_OK) {
        numbers[to]++;
        shared->sent[self()][to] = numbers[to];
    }
}


static void
send_to_all(void)
{
    uint32_t  to;

    for (to = 0; to < N; to++) {
        if (to != self()) {
            send_to(to);
        }
    }
}


/* The attack. */

static uint64_t
random_number(void)
{
    static uint64_t  x;

    if (x == 0) {
        x = ((uint64_t) t_msec() << 20 | (uint64_t) getpid()) + 1;
    }

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return x;
}


static uint64_t
garbage(volatile uint64_t *words, size_t n, uint64_t old)
{
    uint64_t  x;

    x = random_number();

    switch (random_number() % 8) {
    case 0: return 0;
    case 1: return (uint64_t) -1;
    case 2: return x;
    case 3: return x & 0xffff;
    case 4: return old ^ (1ull << x % 64);
    case 5: return old + 1;
    default: return words[x % n];
    }
}


/*
 * Writes garbage to a mapping.  Half of it goes to the words before the pools,
 * which are in the first two MiB.
 */

static void
scribble(t_mapping_t *m)
{
    size_t              n, at;
    volatile uint64_t  *words;

    words = (volatile uint64_t *) m->start;
    n = m->size / 8;

    if (n > (POOLS << 22) / 8) {
        n = (POOLS << 22) / 8;
    }

    at = random_number() % n;

    if (random_number() % 2) {
        at %= (2 << 20) / 8;
    }

    words[at] = garbage(words, n, words[at]);
}


/* Writes garbage to a descriptor, or takes what it has for another process. */

static void
disturb(int fd)
{
    int             type;
    char            path[32], name[64];
    ssize_t         n;
    uint64_t        word;
    socklen_t       len;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = readlink(path, name, sizeof(name) - 1);

    if (n == -1) {
        return;
    }

    name[n] = '\0';
    word = random_number();
    len = sizeof(type);

    if (strstr(name, "eventfd")) {
        word = word % 2 ? 1 : (uint64_t) -2;

        if (random_number() % 2) {
            (void) !write(fd, &word, sizeof(word));
        } else {
            (void) !read(fd, &word, sizeof(word));
        }

    } else if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0
               && type == SOCK_SEQPACKET)
    {
        if (random_number() % 4) {
            (void) send(fd, &word, random_number() % 9, MSG_DONTWAIT);
        } else {
            (void) recv(fd, &word, sizeof(word), MSG_DONTWAIT);
        }
    }
}


/* The largest mapping that is smaller than "limit". */

static t_mapping_t
largest_mapping(size_t limit)
{
    size_t       i, n;
    t_mapping_t  m[64], largest;

    n = t_shared_mappings(m, t_nitems(m));
    largest.size = 0;

    for (i = 0; i < n; i++) {
        if (m[i].size > largest.size && m[i].size < limit) {
            largest = m[i];
        }
    }

    return largest;
}


/* Until the test kills this process. */

static void
attack(void)
{
    size_t       i;
    long long    end;
    t_mapping_t  region, board;

    region = largest_mapping((size_t) -1);
    board = largest_mapping(region.size);
    end = t_msec() + 120000;

    while (t_msec() < end) {
        for (i = 0; i < 1000; i++) {
            scribble(i % 4 ? &region : &board);
        }

        disturb((int) (random_number() % 256));
    }
}


static void
tick(ngx_event_t *ev)
{
    if (self() == HOSTILE && shared->attack) {
        shared->attacks++;
        attack();
    }

    if (shared->quiet) {
        shared->silent[self()] = 1;
    } else {
        send_to_all();
    }

    ev->cancelable = 1;
    ngx_add_timer(ev, 1);
}


static ngx_int_t
register_types(void)
{
    return ngx_ipc_message_register(&note_type) == NGX_OK
           && ngx_ipc_message_register(&fds_type) == NGX_OK
           && ngx_ipc_message_watch(&watch) == NGX_OK ? NGX_OK : NGX_ERROR;
}


/* Makes all slots of the region vacant, as far as their words say. */

static void
overwrite_slots(void)
{
    size_t              slot;
    t_mapping_t         region;
    volatile uint64_t  *words;

    region = largest_mapping((size_t) -1);
    words = (volatile uint64_t *) region.start;

    for (slot = 0; slot < SLOTS; slot++) {
        words[(HEAD + slot * SLOT) / 8] = 0;
    }
}


/* Overwrites the slots when all workers run and none has sent or received. */

static void
overwrite_once(void)
{
    if (__sync_add_and_fetch(&shared->started, 1) == WORKERS) {
        overwrite_slots();
        shared->overwritten = 1;
    }

    while (!shared->overwritten) {
        usleep(1000);
    }
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    static ngx_connection_t  none;

    if (shared->overwrite) {
        overwrite_once();
    }

    none.fd = -1;
    timer.data = &none;
    timer.handler = tick;
    timer.log = cycle->log;

    ngx_add_timer(&timer, 1);
    memset(numbers, 0, sizeof(numbers));

    return register_types();
}


static ngx_module_t  module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CORE_MODULE,
    NULL, NULL, init_process, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t  *modules[] = { &module, NULL };


/* A crash would be the only fault: the numbers can be any. */

static void
read_numbers(void)
{
    ngx_ipc_process_t         process = { .slot = -1 };
    ngx_ipc_message_pair_t    pair = { .number = -1 };
    ngx_ipc_message_counts_t  counts = { .number = -1, .set = 0, .worker = -1 };

    while (ngx_ipc_next_process(&process) == NGX_OK) { /* void */ }
    while (ngx_ipc_message_next_pair(&pair) == NGX_OK) { /* void */ }
    while (ngx_ipc_message_next_type(&counts) == NGX_OK) { /* void */ }
}


static void
run_for(ngx_msec_t msec)
{
    long long  end;

    end = t_msec() + (long long) msec;

    while (t_msec() < end) {
        send_to_all();
        t_master_round();
    }

    read_numbers();
}


/* Whether all processes have received enough from all others, with no gap. */

static int
all_talk(void)
{
    uint32_t  of, from;

    for (of = 0; of < N; of++) {
        for (from = 0; from < N; from++) {
            if (of != from && shared->of[of].from[from].row < ENOUGH) {
                return 0;
            }
        }
    }

    return 1;
}


/* Sends and receives until all talk. */

static void
wait_until_all_talk(void)
{
    long long  end;
    uint32_t   of, from;

    end = t_msec() + PATIENCE;

    while (!all_talk() && t_msec() < end) {
        run_for(10);
    }

    if (all_talk()) {
        return;
    }

    for (of = 0; of < N; of++) {
        for (from = 0; from < N; from++) {
            if (of != from && shared->of[of].from[from].row < ENOUGH) {
                t_diag("%u has not enough from %u", of, from);
            }
        }

        t_diag("%u: gaps of each cause: %u %u %u %u", of,
               shared->of[of].causes[1], shared->of[of].causes[2],
               shared->of[of].causes[3], shared->of[of].causes[4]);
    }

    T_REQUIRE(all_talk());
}


static void
forget_rows(void)
{
    uint32_t  of, from;

    for (of = 0; of < N; of++) {
        for (from = 0; from < N; from++) {
            shared->of[of].from[from].row = 0;
        }
    }
}


/* The number of messages that a process has received from honest ones. */

static uint32_t
notes(uint32_t of)
{
    uint32_t  sum, from;

    for (sum = 0, from = 0; from < N; from++) {
        if (from != HOSTILE) {
            sum += shared->of[of].from[from].notes;
        }
    }

    return sum;
}


static void
start(void)
{
    t_master_init();
    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
    t_cycle()->modules = modules;
    t_cycle()->modules_n = 1;
    T_REQUIRE(register_types() == NGX_OK);
    T_REQUIRE(ngx_ipc_message_fd() > 2);
    t_keep_fds();
    fds = t_open_fds();

    ngx_start_worker_processes(t_cycle(), WORKERS, NGX_PROCESS_RESPAWN);
}


/* The master closes the descriptors of messages that the workers have left. */

static void
stop(void)
{
    t_workers_stop();
    T_UNTIL(t_open_fds() <= fds);
}


/* Whether all that was sent has arrived. */

static int
all_arrived(void)
{
    uint32_t  of, from;

    for (of = 0; of < N; of++) {
        for (from = 0; from < N; from++) {
            if (of != from
                && shared->of[of].from[from].last != shared->sent[from][of])
            {
                return 0;
            }
        }
    }

    return 1;
}


static int
all_silent(void)
{
    uint32_t  i;

    for (i = 0; i < WORKERS; i++) {
        if (!shared->silent[i]) {
            return 0;
        }
    }

    return 1;
}


/* What is sent to a worker that exits would be a gap. */

static void
send_no_more(void)
{
    shared->quiet = 1;
    T_UNTIL(all_silent());
    T_UNTIL(all_arrived());
}


static void
test_hostile(void)
{
    pid_t      pids[WORKERS];
    uint32_t   i, before[N];
    long long  end;

    shared = t_shared(sizeof(shared_t));

    start();
    wait_until_all_talk();

    for (i = 0; i < N; i++) {
        T_EQ(shared->of[i].damaged, 0);
        before[i] = notes(i);
    }

    for (i = 0; i < WORKERS; i++) {
        pids[i] = ngx_processes[i].pid;
    }

    shared->attack = 1;
    end = t_msec() + (t_long() ? 60000 : 1000);

    while (t_msec() < end) {
        run_for(50);
    }

    shared->attack = 0;

    T_EQ(shared->attacks, 1);

    for (i = 0; i < N; i++) {
        t_diag("process %u: %u messages, %u damaged, %u in gaps", i,
              notes(i) - before[i], shared->of[i].damaged, shared->of[i].lost);

        if (i != HOSTILE) {
            T_OK(notes(i) > before[i]);
        }
    }

    (void) t_kill_worker(HOSTILE);
    T_UNTIL(ngx_processes[HOSTILE].pid != pids[HOSTILE]);
    forget_rows();

    wait_until_all_talk();

    for (i = 0; i < WORKERS; i++) {
        T_OK(i == HOSTILE || ngx_processes[i].pid == pids[i]);
    }

    stop();
}


/*
 * The slots are overwritten after the master has given them to the workers, and
 * before the workers have used them.  No message is overwritten, so none is lost.
 */

static void
test_overwritten_slots(void)
{
    shared = t_shared(sizeof(shared_t));
    shared->overwrite = 1;

    start();
    T_UNTIL(shared->overwritten);
    wait_until_all_talk();
    send_no_more();

    stop();
}


int
main(void)
{
    t_begin();

    t_run("garbage in the memory of the messages", test_hostile);
    t_run("slots that are overwritten before they are used",
          test_overwritten_slots);

    return t_end();
}
