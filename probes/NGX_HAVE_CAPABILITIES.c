/* compile: capset(2) with the structures of <linux/capability.h> */
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/capability.h>

int
main(void)
{
    struct __user_cap_data_struct    data[2];
    struct __user_cap_header_struct  header;

    header.version = _LINUX_CAPABILITY_VERSION_3;
    header.pid = 0;

    data[0].effective = CAP_TO_MASK(CAP_NET_RAW);
    data[0].permitted = 0;
    data[0].inheritable = 0;
    data[1] = data[0];

    return syscall(SYS_capset, &header, data) == -1;
}
