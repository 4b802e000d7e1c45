/* run: System V shared memory, shmget(2) */
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int
main(void)
{
    int    id;
    void  *p;

    id = shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600);
    if (id == -1) {
        return 1;
    }

    p = shmat(id, NULL, 0);

    return shmctl(id, IPC_RMID, NULL) == -1 || p == (void *) -1;
}
