
/*
 * What a worker that has been stopped knows of the others when it continues.
 *
 *   runtime_table table    it knows who there is: D14
 *   runtime_table quit     SIGQUIT does not wait for it to read
 *
 * Says "ok" at the end; what is wrong is said before, and the code is 1.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RT_SIBLINGS  600
#define RT_REPLACED  300
#define RT_REPORT    100    /* a command of our own */
#define RT_MESSAGES  4096


typedef struct {
    ngx_uint_t       command;
    ngx_pid_t        pid;
    ngx_int_t        slot;
} rt_message_t;

typedef struct {
    ngx_pid_t        pid;
    ino_t            socket;
} rt_slot_t;

/* What the worker that is stopped tells. */

typedef struct {
    volatile int     done;
    int              n;
    rt_message_t     messages[RT_MESSAGES];
    rt_slot_t        table[NGX_MAX_PROCESSES];
    ngx_int_t        last;
} rt_report_t;


static ngx_cycle_t   rt_cycle;
static rt_report_t  *rt_report;

/* What the master has done. */

static int           rt_n;
static rt_message_t  rt_events[RT_MESSAGES];
static int           rt_failed;


static void
rt_fail(const char *what, long a, long b)
{
    printf("%s: %ld, %ld\n", what, a, b);
    rt_failed = 1;
}


static void
rt_look(rt_slot_t *table)
{
    ngx_int_t    s;
    struct stat  st;

    for (s = 0; s < ngx_last_process; s++) {
        table[s].pid = ngx_processes[s].pid;
        table[s].socket = 0;

        if (ngx_processes[s].channel[0] > 0
            && fstat(ngx_processes[s].channel[0], &st) == 0)
        {
            table[s].socket = st.st_ino;
        }
    }
}


static void
rt_observe(ngx_event_t *ev)
{
    ngx_int_t         n;
    ngx_channel_t     ch;
    rt_message_t     *m;
    ngx_connection_t  *c;

    c = ev->data;

    for ( ;; ) {
        n = ngx_read_channel(c->fd, &ch, sizeof(ngx_channel_t), ev->log);

        if (n == NGX_AGAIN) {
            return;
        }

        if (n == NGX_ERROR) {
            exit(1);
        }

        if (ch.command == RT_REPORT) {
            rt_look(rt_report->table);
            rt_report->last = ngx_last_process;
            rt_report->done = 1;
            continue;
        }

        if (rt_report->n < RT_MESSAGES) {
            m = &rt_report->messages[rt_report->n++];
            m->command = ch.command;
            m->pid = ch.pid;
            m->slot = ch.slot;
        }

        ngx_ipc_channel_command(&ch, ev->log);
    }
}


static void
rt_worker(ngx_cycle_t *cycle, void *data)
{
    /* role and signal mask as those of ngx_worker_process_cycle() */

    ngx_process = NGX_PROCESS_WORKER;

    if (ngx_ipc_init_channel(cycle, data ? rt_observe : ngx_channel_handler)
        != NGX_OK)
    {
        exit(2);
    }

    while (!ngx_quit && !ngx_terminate) {
        ngx_process_events_and_timers(cycle);
    }

    exit(0);
}


static void
rt_event(ngx_uint_t command, ngx_pid_t pid, ngx_int_t slot)
{
    rt_message_t  *e;

    e = &rt_events[rt_n++];
    e->command = command;
    e->pid = pid;
    e->slot = slot;
}


static void
rt_spawn(void *data, ngx_int_t respawn)
{
    ngx_pid_t  pid;

    pid = ngx_spawn_process(&rt_cycle, rt_worker, data, "worker process",
                            respawn);

    if (pid == NGX_INVALID_PID) {
        printf("no process\n");
        exit(1);
    }

    ngx_pass_open_channel(&rt_cycle, NULL);

    if (data == NULL) {
        rt_event(NGX_CMD_OPEN_CHANNEL, pid, ngx_process_slot);
    }
}


static char
rt_state(pid_t pid)
{
    int    n;
    char   path[64], text[512], *p;
    FILE  *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
    f = fopen(path, "r");

    if (f == NULL) {
        return '\0';
    }

    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);

    p = strrchr(text, ')');

    return (p == NULL) ? '\0' : p[2];
}


/* The master's loop, once. */

static ngx_uint_t
rt_turn(void)
{
    ngx_uint_t  live;

    ngx_process_events_and_timers(&rt_cycle);

    live = 1;

    if (ngx_reap) {
        ngx_reap = 0;
        live = ngx_reap_children(&rt_cycle);
    }

    return live;
}


/* Every second one of the first is killed, and started again. */

static void
rt_replace(void)
{
    int         left;
    ngx_int_t   s;
    ngx_pid_t   old[NGX_MAX_PROCESSES];

    for (s = 1; s < ngx_last_process; s++) {
        old[s] = -1;

        if (s <= 2 * RT_REPLACED && s % 2) {
            old[s] = ngx_processes[s].pid;
            kill(old[s], SIGKILL);
        }
    }

    do {
        /* only ngx_reap_children() changes the table */
        rt_turn();

        left = 0;

        for (s = 1; s < ngx_last_process; s++) {
            if (old[s] == -1) {
                continue;
            }

            if (ngx_processes[s].pid == old[s] || ngx_processes[s].pid == -1) {
                left++;
                continue;
            }

            /* of the order among different slots nothing is promised here */
            rt_event(NGX_CMD_CLOSE_CHANNEL, old[s], s);
            rt_event(NGX_CMD_OPEN_CHANNEL, ngx_processes[s].pid, s);
            old[s] = -1;
        }

    } while (left);
}


/*
 * For each slot, what has arrived is what was done, in order; an OPEN of a
 * process that had gone before it could be sent need not have.
 */

static void
rt_check_messages(void)
{
    int            i, k;
    ngx_int_t      s;
    rt_message_t  *e, *m;

    for (s = 1; s < ngx_last_process; s++) {
        k = 0;

        for (i = 0; i < rt_n; i++) {
            e = &rt_events[i];

            if (e->slot != s) {
                continue;
            }

            while (k < rt_report->n && rt_report->messages[k].slot != s) {
                k++;
            }

            m = (k < rt_report->n) ? &rt_report->messages[k] : NULL;

            if (m != NULL && m->pid == e->pid && m->command == e->command) {
                k++;
                continue;
            }

            if (e->command == NGX_CMD_OPEN_CHANNEL
                && ngx_processes[s].pid != e->pid)
            {
                continue;
            }

            rt_fail("lost: slot, pid", s, e->pid);
        }

        for ( /* void */ ; k < rt_report->n; k++) {
            if (rt_report->messages[k].slot == s) {
                rt_fail("one too many: slot, pid", s,
                        rt_report->messages[k].pid);
            }
        }
    }
}


/* The first OPENs arrive in the order of their slots. */

static void
rt_check_order(void)
{
    int        i;
    ngx_int_t  last;

    last = 0;

    for (i = 0; i < rt_report->n; i++) {
        if (rt_report->messages[i].command == NGX_CMD_CLOSE_CHANNEL) {
            break;
        }

        if (rt_report->messages[i].slot <= last) {
            rt_fail("out of order: slot", i, rt_report->messages[i].slot);
        }

        last = rt_report->messages[i].slot;
    }
}


static void
rt_check_table(void)
{
    ngx_int_t         s;
    static rt_slot_t  table[NGX_MAX_PROCESSES];

    rt_look(table);

    if (rt_report->last != ngx_last_process) {
        rt_fail("last process", rt_report->last, ngx_last_process);
    }

    for (s = 1; s < ngx_last_process; s++) {
        if (rt_report->table[s].pid != table[s].pid) {
            rt_fail("pid in slot", s, rt_report->table[s].pid);
        }

        if (table[s].socket == 0
            || rt_report->table[s].socket != table[s].socket)
        {
            rt_fail("socket in slot", s, (long) rt_report->table[s].socket);
        }
    }
}


static void
rt_ask_for_report(void)
{
    ngx_int_t      rc;
    ngx_channel_t  ch;

    ngx_memzero(&ch, sizeof(ngx_channel_t));
    ch.command = RT_REPORT;
    ch.fd = -1;

    /* it does not overtake what waits */

    do {
        rc = ngx_write_channel(ngx_processes[0].channel[0], &ch,
                               sizeof(ngx_channel_t), rt_cycle.log);

        if (rc == NGX_AGAIN) {
            rt_turn();
        }

    } while (rc == NGX_AGAIN);

    if (rc != NGX_OK) {
        rt_fail("report", rc, 0);
        return;
    }

    while (!rt_report->done) {
        /* it is running: the report comes */
        sched_yield();
    }
}


static long
rt_msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
rt_quit(void)
{
    long           begin;
    ngx_int_t      rc;
    ngx_channel_t  ch;

    ngx_memzero(&ch, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_QUIT;
    ch.fd = -1;

    rc = ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), rt_cycle.log);

    if (rc != NGX_AGAIN) {
        rt_fail("QUIT behind a queue", rc, NGX_AGAIN);
    }

    begin = rt_msec();
    ngx_signal_worker_processes(&rt_cycle, SIGQUIT);

    if (rt_msec() - begin > 2000) {
        rt_fail("SIGQUIT takes milliseconds", rt_msec() - begin, 0);
    }
}


int
main(int argc, char **argv)
{
    int            i;
    ngx_pid_t      stopped;
    struct rlimit  limit;

    if (argc != 2) {
        return 2;
    }

    setvbuf(stdout, NULL, _IONBF, 0);

    limit.rlim_cur = 4096;
    limit.rlim_max = 4096;
    setrlimit(RLIMIT_NOFILE, &limit);

    rt_report = mmap(NULL, sizeof(rt_report_t), PROT_READ|PROT_WRITE,
                     MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (rt_report == MAP_FAILED || ngx_ipc_init(&rt_cycle) != NGX_OK) {
        return 1;
    }

    ngx_process = NGX_PROCESS_MASTER;

    rt_spawn(rt_report, NGX_PROCESS_NORESPAWN);
    stopped = ngx_processes[0].pid;

    kill(stopped, SIGSTOP);

    while (rt_state(stopped) != 'T') {
        sched_yield();
    }

    for (i = 0; i < RT_SIBLINGS; i++) {
        rt_spawn(NULL, NGX_PROCESS_RESPAWN);
    }

    rt_replace();

    if (strcmp(argv[1], "quit") == 0) {
        rt_quit();
        kill(stopped, SIGCONT);

    } else {
        kill(stopped, SIGCONT);
        rt_ask_for_report();
        rt_check_messages();
        rt_check_order();
        rt_check_table();
        ngx_quit = 1;
        ngx_signal_worker_processes(&rt_cycle, SIGQUIT);
    }

    ngx_quit = 1;

    while (rt_turn()) { /* void */ }

    printf("%s\n", rt_failed ? "failed" : "ok");

    return rt_failed;
}
