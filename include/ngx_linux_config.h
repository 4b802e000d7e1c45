/*
 * ngx_linux_config.h: headers and features of Linux.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_LINUX_CONFIG_H_INCLUDED_
#define _NGX_LINUX_CONFIG_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <ngx_auto_config.h>

#include <sys/types.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if (NGX_HAVE_POSIX_SEM)
#include <semaphore.h>
#endif

#if (NGX_HAVE_CAPABILITIES)
#include <linux/capability.h>
#endif


/*
 * The answers of nginx's configure that are the same on each system with the
 * library.  ngx_auto_config.h has those that differ.  A feature is missing here
 * if sources that test it then use a field or a function of nginx that the
 * library does not have.
 */

#define NGX_LINUX                     1
#define NGX_SMP                       1

#ifndef NGX_DEBUG
#define NGX_DEBUG                     1
#endif

#define NGX_HAVE_INTTYPES_H           1
#define NGX_HAVE_LIMITS_H             1
#define NGX_HAVE_SYS_EVENTFD_H        1
#define NGX_HAVE_SYS_PARAM_H          1
#define NGX_HAVE_SYS_PRCTL_H          1
#define NGX_HAVE_SYS_VFS_H            1
#define NGX_HAVE_UNISTD_H             1

#define NGX_HAVE_ACCEPT4              1
#define NGX_HAVE_C99_VARIADIC_MACROS  1
#define NGX_HAVE_VARIADIC_MACROS      1
#define NGX_HAVE_DLOPEN               1
#define NGX_HAVE_D_TYPE               1
#define NGX_HAVE_EVENTFD              1
#define NGX_HAVE_FIONREAD             1
#define NGX_HAVE_GCC_ATOMIC           1
#define NGX_HAVE_GETADDRINFO          1
#define NGX_HAVE_INET6                1
#define NGX_HAVE_LOCALTIME_R          1
#define NGX_HAVE_MEMALIGN             1
#define NGX_HAVE_OPENAT               1
#define NGX_HAVE_O_DIRECT             1
#define NGX_HAVE_O_PATH               1
#define NGX_HAVE_POLL                 1
#define NGX_HAVE_POSIX_FADVISE        1
#define NGX_HAVE_POSIX_MEMALIGN       1
#define NGX_HAVE_PREAD                1
#define NGX_HAVE_PR_SET_DUMPABLE      1
#define NGX_HAVE_PR_SET_KEEPCAPS      1
#define NGX_HAVE_PWRITE               1
#define NGX_HAVE_SCHED_SETAFFINITY    1
#define NGX_HAVE_SC_NPROCESSORS_ONLN  1
#define NGX_HAVE_SENDFILE             1
#define NGX_HAVE_SENDFILE64           1
#define NGX_HAVE_STATFS               1
#define NGX_HAVE_TCP_INFO             1
#define NGX_HAVE_UNIX_DOMAIN          1

#define NGX_HAVE_INHERITED_NONBLOCK   0
#define NGX_HAVE_OS_SPECIFIC_INIT     0
#define NGX_HAVE_SO_SNDLOWAT          0


/* The number of connections that may wait for accept(2), as in nginx. */
#define NGX_LISTEN_BACKLOG            511

/* The size of a line in the processor's cache, in bytes, if it is unknown. */
#define NGX_CPU_CACHE_LINE            64

#define NGX_SIG_ATOMIC_T_SIZE         4
#define NGX_TIME_T_SIZE               8

#define NGX_MAX_SIZE_T_VALUE          9223372036854775807LL
#define NGX_MAX_OFF_T_VALUE           9223372036854775807LL
#define NGX_MAX_TIME_T_VALUE          9223372036854775807LL

#define NGX_SIZE_T_LEN                (sizeof("-9223372036854775808") - 1)
#define NGX_OFF_T_LEN                 NGX_SIZE_T_LEN
#define NGX_TIME_T_LEN                NGX_SIZE_T_LEN


#define ngx_debug_init()


#endif /* _NGX_LINUX_CONFIG_H_INCLUDED_ */
