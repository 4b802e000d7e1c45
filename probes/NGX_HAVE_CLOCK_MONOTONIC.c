/* compile: time that is never set back, clock_gettime(2) */
#define _GNU_SOURCE
#include <time.h>

int
main(void)
{
    struct timespec  ts;

    return clock_gettime(CLOCK_MONOTONIC, &ts);
}
