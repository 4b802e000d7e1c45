/* compile: semaphores shared between processes, sem_overview(7) */
#include <semaphore.h>

int
main(void)
{
    sem_t  sem;

    return sem_init(&sem, 1, 0) == -1 || sem_destroy(&sem) == -1;
}
