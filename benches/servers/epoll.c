/*
 * A prefork echo server with bare system calls, the floor: it has no timers, logs
 * and counters, allocates no memory, and closes a connection that it cannot send to.
 */

#include "server.h"
#include <sys/epoll.h>


static void
watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event  ev = { .events = events, .data.fd = fd };

    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
}


static void
accept_one(int epoll, int listening)
{
    int  fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd != -1) {
        watch(epoll, fd, EPOLLIN | EPOLLRDHUP);
    }
}


static void
echo(int fd)
{
    char     data[4096];
    ssize_t  n = recv(fd, data, sizeof(data), 0);

    if ((n == -1 && errno != EAGAIN)
        || n == 0
        || (n > 0 && send(fd, data, (size_t) n, MSG_NOSIGNAL) != n))
    {
        close(fd);
    }
}


static void
work(int listening)
{
    int                 n, epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event  events[64];

    watch(epoll, listening, EPOLLIN | EPOLLEXCLUSIVE);

    for ( ;; ) {
        n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listening) {
                accept_one(epoll, listening);
            } else {
                echo(events[i].data.fd);
            }
        }
    }
}


int
main(int argc, char **argv)
{
    return run_master(argc, argv, work);
}
