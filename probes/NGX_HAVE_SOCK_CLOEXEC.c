/* compile: close-on-exec and non-blocking sockets in one call, socket(2) */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/socket.h>

int
main(void)
{
    int  s[2];

    return socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, s);
}
