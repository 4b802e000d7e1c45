/* compile: SIGIO for a socket, ioctl(FIOASYNC) and fcntl(F_SETOWN) */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <fcntl.h>

int
main(void)
{
    int  on = 1;

    return ioctl(0, FIOASYNC, &on) == -1 || fcntl(0, F_SETOWN, getpid()) == -1;
}
