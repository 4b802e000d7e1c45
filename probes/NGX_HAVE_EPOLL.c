/* compile: the standalone host's event loop, epoll(7) */
#include <sys/epoll.h>

int
main(void)
{
    return epoll_create1(EPOLL_CLOEXEC) == -1;
}
