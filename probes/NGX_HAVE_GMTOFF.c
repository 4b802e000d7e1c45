/* compile: struct tm has tm_gmtoff, ctime(3) */
#define _GNU_SOURCE
#include <time.h>

int
main(void)
{
    struct tm  t;

    t.tm_gmtoff = 0;

    return (int) t.tm_gmtoff;
}
