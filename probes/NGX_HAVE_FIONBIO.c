/* compile: ioctl(FIONBIO), ioctl_tty(2) */
#include <sys/types.h>
#include <sys/ioctl.h>

int
main(void)
{
    int  on = 1;

    return ioctl(0, FIONBIO, &on) == -1;
}
