/* compile: EPOLLRDHUP, epoll_ctl(2) */
#include <sys/epoll.h>

int
main(void)
{
    return EPOLLRDHUP == 0;
}
