/* compile: descriptors are passed in msg_control, not in msg_accrights, cmsg(3) */
#include <stddef.h>
#include <sys/types.h>
#include <sys/socket.h>

int
main(void)
{
    struct msghdr  msg;

    msg.msg_control = NULL;

    return msg.msg_control != NULL;
}
