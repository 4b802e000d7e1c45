
/*
 * Measures ngx_execute(), which runs /bin/true from a master of bench_argument
 * MiB.
 */


#include "bench.h"


#define PAGE  4096


/* Adds memory to the process, in small pages, and writes to each page. */

static void
grow(size_t mib)
{
    size_t         i, size;
    static u_char  *memory;

    if (memory != NULL || mib == 0) {
        return;
    }

    size = mib * 1024 * 1024;
    memory = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,
                  -1, 0);
    bench_check(memory != MAP_FAILED, "mmap()");
    bench_check(madvise(memory, size, MADV_NOHUGEPAGE) == 0, "madvise()");

    for (i = 0; i < size; i += PAGE) {
        memory[i] = 1;
    }
}


/*
 * Measures the time from the call of ngx_execute() until the program has
 * exited.
 */

static double
execute(long n)
{
    double           start;
    static char     *argv[] = { "/bin/true", NULL };
    static char     *envp[] = { NULL };
    ngx_exec_ctx_t   ctx = { "/bin/true", "program", argv, envp };

    bench_init();
    grow(bench_argument);
    start = bench_now();

    while (n-- > 0) {
        bench_check(ngx_execute(&bench_cycle, &ctx) > 0, "ngx_execute()");
        bench_wait_for_exit(ngx_process_slot);
    }

    return bench_now() - start;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "execute", execute },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
