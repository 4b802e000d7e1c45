
/* Measures the life of a process from its spawn to its exit. */


#include "bench.h"


static void
says_hello(ngx_cycle_t *cycle, void *data)
{
    ngx_channel_t  ch;

    (void) cycle;
    (void) data;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_REOPEN;
    ch.fd = -1;

    _exit(ngx_write_channel(ngx_channel, &ch, sizeof(ngx_channel_t), &bench_log)
          != NGX_OK);
}


static void
waits(ngx_cycle_t *cycle, void *data)
{
    (void) cycle;
    (void) data;

    for ( ;; ) {
        pause();
    }
}


static void
spawn(ngx_spawn_proc_pt proc)
{
    bench_check(ngx_spawn_process(&bench_cycle, proc, NULL, "process",
                                  NGX_PROCESS_NORESPAWN)
                > 0, "ngx_spawn_process()");
}


/* Spawns a process, reads its first message, and reaps it. */

static double
life(long n)
{
    double         start;
    struct pollfd  pfd;
    ngx_channel_t  ch;

    bench_init();
    start = bench_now();

    while (n-- > 0) {
        spawn(says_hello);

        pfd.fd = ngx_processes[ngx_process_slot].channel[0];
        pfd.events = POLLIN;

        /* A signal interrupts poll(): SIGCHLD, and in nginx SIGIO. */

        while (poll(&pfd, 1, -1) == -1) {
            bench_check(errno == EINTR, "poll()");
        }

        bench_check(ngx_read_channel(pfd.fd, &ch, sizeof(ngx_channel_t),
                                     &bench_log)
                    == sizeof(ngx_channel_t), "ngx_read_channel()");

        bench_wait_for_exit(ngx_process_slot);
    }

    return bench_now() - start;
}


static double
faults_so_far(void)
{
    struct rusage  own, children;

    bench_check(getrusage(RUSAGE_SELF, &own) == 0
                && getrusage(RUSAGE_CHILDREN, &children) == 0, "getrusage()");

    return (double) (own.ru_minflt + children.ru_minflt);
}


/* Page faults of the master and of the process, instead of nanoseconds. */

static double
faults(long n)
{
    double  before;

    before = faults_so_far();
    (void) life(n);

    return faults_so_far() - before;
}


/*
 * Spawns processes that send no message, so that only the system calls of a
 * spawn are counted.
 */

static double
only_spawn(long n)
{
    double     start, end;
    ngx_int_t  s;

    bench_init();
    start = bench_now();

    while (n-- > 0) {
        spawn(waits);
    }

    end = bench_now();

    for (s = 0; s < ngx_last_process; s++) {
        (void) kill(ngx_processes[s].pid, SIGKILL);
    }

    for (s = ngx_last_process - 1; s >= 0; s--) {
        bench_wait_for_exit(s);
    }

    return end - start;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "life", life },
        { "faults", faults },
        { "spawn", only_spawn },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
