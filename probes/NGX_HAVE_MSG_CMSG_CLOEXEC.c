/* compile: received descriptors are close-on-exec at once, recvmsg(2) */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/socket.h>

int
main(void)
{
    struct msghdr  msg = { 0 };

    return recvmsg(0, &msg, MSG_CMSG_CLOEXEC) == -1;
}
