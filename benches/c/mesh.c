
/*
 * Measures a mesh of bench_argument processes: the time from the first spawn
 * until each process has the channels of all others, and the time for the
 * replacement of one process.
 */


#include "bench.h"

#include <sched.h>
#include <sys/resource.h>


typedef struct {
    ngx_int_t  ready;               /* processes that know all others */
    ngx_int_t  told;                /* processes that know the replacement */
    ngx_pid_t  replacement;
} mesh_t;


static volatile mesh_t  *mesh;
static ngx_int_t         size;
static int               news[2];       /* a pipe to wake up the master */


static void
notify(volatile ngx_int_t *counter, ngx_int_t all)
{
    if (__sync_add_and_fetch(counter, 1) == all) {
        bench_check(write(news[1], "x", 1) == 1, "write()");
    }
}


/* Handles a message as nginx's ngx_channel_handler() does. */

static void
handle(ngx_channel_t *ch)
{
#if (BENCH_IPC)

    ngx_ipc_channel_command(ch, &bench_log);

#else

    switch (ch->command) {

    case NGX_CMD_OPEN_CHANNEL:
        ngx_processes[ch->slot].pid = ch->pid;
        ngx_processes[ch->slot].channel[0] = ch->fd;
        break;

    case NGX_CMD_CLOSE_CHANNEL:
        bench_check(close(ngx_processes[ch->slot].channel[0]) == 0, "close()");
        ngx_processes[ch->slot].channel[0] = -1;
        break;

#if (BENCH_FLOOR)
    case FLOOR_CMD_TOGETHER:
        floor_enter();
        break;
#endif
    }

#endif
}


/*
 * Searches from the last slot down: messages keep their order, so the process
 * in the last slot is announced last, and most searches end at once.
 */

static int
knows_all(void)
{
    ngx_int_t  s;

    for (s = size - 1; s >= 0; s--) {
        if (s != ngx_process_slot && ngx_processes[s].pid <= 0) {
            return 0;
        }
    }

    return 1;
}


/* Closes the inherited channels as nginx's ngx_worker_process_init() does. */

static void
member_init(void)
{
    ngx_int_t  s;

    for (s = 0; s < ngx_last_process; s++) {
        if (ngx_processes[s].pid != -1 && s != ngx_process_slot
            && ngx_processes[s].channel[1] != -1)
        {
            bench_check(close(ngx_processes[s].channel[1]) == 0, "close()");
        }
    }

    bench_check(close(ngx_processes[ngx_process_slot].channel[0]) == 0,
                "close()");
    ngx_processes[ngx_process_slot].channel[0] = -1;
}


static void
member(ngx_cycle_t *cycle, void *data)
{
    int            ready;
    ngx_int_t      n;
    ngx_pid_t      told;
    ngx_channel_t  ch;
    struct pollfd  pfd;

    (void) cycle;
    (void) data;

    member_init();

    pfd.fd = ngx_channel;
    pfd.events = POLLIN;
    ready = 0;
    told = 0;

    for ( ;; ) {
        for ( ;; ) {
            n = ngx_read_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                                 &bench_log);

            if (n == NGX_ERROR) {
                /*
                 * NGX_ERROR is the end of file after the exit of the master.
                 */
                _exit(0);
            }

            if (n == NGX_AGAIN) {
                break;
            }

            handle(&ch);
        }

        if (!ready && knows_all()) {
            ready = 1;
            notify(&mesh->ready, size);
        }

        if (mesh->replacement != 0 && told != mesh->replacement
            && ngx_processes[size / 2].pid == mesh->replacement)
        {
            told = mesh->replacement;
            notify(&mesh->told, size - 1);
        }

        (void) poll(&pfd, 1, -1);
    }
}


static void
send_to_others(ngx_channel_t *ch)
{
    ngx_int_t  s, rc;

    for (s = 0; s < ngx_last_process; s++) {
        if (s == ch->slot || ngx_processes[s].pid <= 0
            || ngx_processes[s].channel[0] == -1)
        {
            continue;
        }

        /*
         * nginx itself does not retry, and loses a message that does not fit
         * in the channel.  The driver retries, so that the mesh becomes
         * complete.
         */

        do {
            rc = ngx_write_channel(ngx_processes[s].channel[0], ch,
                                   sizeof(ngx_channel_t), &bench_log);
        } while (rc == NGX_AGAIN && sched_yield() == 0);

        bench_check(rc == NGX_OK, "ngx_write_channel()");
    }
}


static void
tell_others(ngx_uint_t command, ngx_int_t slot)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));

    ch.command = command;
    ch.pid = ngx_processes[slot].pid;
    ch.slot = slot;
    ch.fd = (command == NGX_CMD_OPEN_CHANNEL) ? ngx_processes[slot].channel[0]
                                              : -1;
    send_to_others(&ch);
}


static void
spawn_one(ngx_int_t respawn)
{
    bench_check(ngx_spawn_process(&bench_cycle, member, NULL, "member", respawn)
                > 0, "ngx_spawn_process()");

    tell_others(NGX_CMD_OPEN_CHANNEL, ngx_process_slot);
}


/*
 * Spawns the processes one by one, as nginx's ngx_start_worker_processes()
 * does.
 */

static void
start_one_by_one(void)
{
    ngx_int_t  i;

    for (i = 0; i < size; i++) {
        spawn_one(NGX_PROCESS_NORESPAWN);
    }
}


static void
start_together(void)
{
#if (BENCH_IPC)
    bench_check(ngx_ipc_spawn_processes(&bench_cycle, member, size, "member",
                                        NGX_PROCESS_NORESPAWN)
                == size, "ngx_ipc_spawn_processes()");
#elif (BENCH_FLOOR)
    floor_spawn_processes(member, size);
#else
    start_one_by_one();
#endif
}


static void
wait_for_news(void)
{
    int            rc;
    char           c;
    struct pollfd  pfd;

    pfd.fd = news[0];
    pfd.events = POLLIN;

    do {
        rc = poll(&pfd, 1, 1);
        bench_check(rc != -1 || errno == EINTR, "poll()");

#if (BENCH_IPC)
        /* sends the messages that the library has queued for full channels */

        if (rc == 0) {
            ngx_reap_children(&bench_cycle);
        }
#endif

    } while (rc != 1);

    bench_check(read(news[0], &c, 1) == 1, "read()");
}


static void
begin(void)
{
    struct rlimit  rl;

    bench_check(getrlimit(RLIMIT_NOFILE, &rl) == 0, "getrlimit()");
    rl.rlim_cur = ngx_min(rl.rlim_max, 8192);
    bench_check(setrlimit(RLIMIT_NOFILE, &rl) == 0, "setrlimit()");

    size = bench_argument;
    mesh = mmap(NULL, sizeof(mesh_t), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    bench_check(mesh != MAP_FAILED, "mmap()");
    bench_check(pipe(news) == 0, "pipe()");

    bench_init();
}


static void
end(void)
{
    ngx_int_t  s;

    for (s = 0; s < size; s++) {
        (void) kill(ngx_processes[s].pid, SIGKILL);
    }

    for (s = size - 1; s >= 0; s--) {
        bench_wait_for_exit(s);
    }
}


/*
 * Brings up one mesh.  A driver can do this only once, so the result does not
 * depend on n.
 */

static double
bring_up(void (*start)(void))
{
    double  time;

    begin();
    time = bench_now();

    start();
    wait_for_news();

    time = bench_now() - time;
    end();

    return time;
}


static double
one_by_one(long n)
{
    return bring_up(start_one_by_one) * (double) n;
}


static double
together(long n)
{
    return bring_up(start_together) * (double) n;
}


/*
 * Replaces one process n times, and tells the others by messages, as nginx's
 * ngx_reap_children() does.
 */

static double
replace(long n)
{
    double     start;
    ngx_int_t  i, victim;
    sigset_t   set;

    begin();
    start_together();
    wait_for_news();

    victim = size / 2;
    sigemptyset(&set);
    start = bench_now();

    while (n-- > 0) {
        mesh->told = 0;
        bench_check(kill(ngx_processes[victim].pid, SIGKILL) == 0, "kill()");

        while (!ngx_processes[victim].exited) {
            sigsuspend(&set);
        }

        for (i = 0; i < 2; i++) {
            if (ngx_processes[victim].channel[i] > 0) {
                close(ngx_processes[victim].channel[i]);
                ngx_processes[victim].channel[i] = -1;
            }
        }

        tell_others(NGX_CMD_CLOSE_CHANNEL, victim);

        bench_check(ngx_spawn_process(&bench_cycle, member, NULL, "member",
                                      victim)
                    > 0, "ngx_spawn_process()");

        mesh->replacement = ngx_processes[victim].pid;
        tell_others(NGX_CMD_OPEN_CHANNEL, victim);
        wait_for_news();
    }

    start = bench_now() - start;
    end();

    return start;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "one_by_one", one_by_one },
        { "together", together },
        { "replace", replace },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
