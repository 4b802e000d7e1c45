/* compile: sched_yield(2) */
#include <sched.h>

int
main(void)
{
    return sched_yield();
}
