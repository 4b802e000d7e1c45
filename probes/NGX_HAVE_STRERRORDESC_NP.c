/* compile: error texts in a signal handler, strerror(3) */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>

int
main(void)
{
    return strerrordesc_np(1) == NULL;
}
