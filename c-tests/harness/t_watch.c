
/* What tests that run for some time watch: the time, and memory. */


#include "test.h"

#include <stdio.h>
#include <time.h>


/* The monotonic clock, in milliseconds. */

long long
t_msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* The memory of a process that is in RAM, in KiB; negative if unknown. */

long
t_rss(pid_t pid)
{
    long   pages;
    FILE  *f;
    char   path[64];

    pages = -1;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int) pid);
    f = fopen(path, "re");

    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1) {
            pages = -1;
        }

        fclose(f);
    }

    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}
