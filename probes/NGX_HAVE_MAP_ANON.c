/* run: anonymous shared memory, mmap(2) */
#include <stddef.h>
#include <sys/types.h>
#include <sys/mman.h>

int
main(void)
{
    return mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0)
           == MAP_FAILED;
}
