
/* Functions for all drivers. */


#include "bench.h"

#include <sched.h>


ngx_cycle_t  bench_cycle;
ngx_log_t    bench_log;
size_t       bench_argument;


double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}


void
bench_check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
        exit(1);
    }
}


void
bench_init(void)
{
    sigset_t  set;

    /* No lines are logged, because the drivers check each result. */

    bench_log.log_level = NGX_LOG_EMERG;
    bench_cycle.log = &bench_log;
    ngx_cycle = &bench_cycle;

#if (BENCH_IPC)

    bench_check(ngx_ipc_init(&bench_cycle) == NGX_OK, "ngx_ipc_init()");

#else

    ngx_pid = getpid();
    ngx_time_init();
    bench_check(ngx_init_signals(&bench_log) == NGX_OK, "ngx_init_signals()");

#endif

    ngx_process = NGX_PROCESS_MASTER;

    /* SIGCHLD is blocked and awaited in sigsuspend(), as in nginx's master. */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    bench_check(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask()");
}


void
bench_wait_for_exit(ngx_int_t slot)
{
    int             i;
    sigset_t        set;
    ngx_process_t  *process;

    process = &ngx_processes[slot];

    sigemptyset(&set);

    while (!process->exited) {
        sigsuspend(&set);
    }

    for (i = 0; i < 2; i++) {
        if (process->channel[i] > 0) {
            close(process->channel[i]);
            process->channel[i] = -1;
        }
    }

    process->pid = -1;
    process->exited = 0;

    if (slot == ngx_last_process - 1) {
        ngx_last_process--;
    }
}


static void
pin(const char *cpu)
{
    cpu_set_t  set;

    if (cpu == NULL) {
        return;
    }

    CPU_ZERO(&set);
    CPU_SET(atoi(cpu), &set);

    /*
     * If this fails, the driver runs on any processor, and the results of the
     * rounds vary more.
     */

    (void) sched_setaffinity(0, sizeof(set), &set);
}


int
bench_main(int argc, char **argv, const bench_case_t *cases)
{
    long  n;
    char  line[32];

    bench_check(argc > 1, "no case: reading the arguments");

    if (argc > 2) {
        bench_argument = strtoul(argv[2], NULL, 0);
    }

    while (cases->name != NULL && strcmp(cases->name, argv[1]) != 0) {
        cases++;
    }

    bench_check(cases->name != NULL, "no such case: reading the arguments");

    pin(getenv("BENCH_CPU"));

    while (fgets(line, sizeof(line), stdin) != NULL) {
        n = atol(line);
        printf("%.1f\n", cases->round(n) / (double) (n > 0 ? n : 1));
        fflush(stdout);
    }

    return 0;
}
