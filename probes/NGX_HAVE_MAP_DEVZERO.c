/* run: shared memory mapped from /dev/zero, zero(4) */
#include <stddef.h>
#include <sys/types.h>
#include <sys/mman.h>
#include <fcntl.h>

int
main(void)
{
    int  fd;

    fd = open("/dev/zero", O_RDWR);

    return fd == -1
           || mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0)
              == MAP_FAILED;
}
