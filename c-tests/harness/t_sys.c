
/*
 * Functions that make system calls fail, and functions about descriptors and
 * sockets.
 */


#include "test.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>


#define T_DEADLINE  30000       /* ms */


static rlim_t  t_fds_limit;


/* Functions that make system calls fail. */

int
t_under_valgrind(void)
{
    const char  *value;

    value = getenv("T_VALGRIND");

    return value && *value && *value != '0';
}


/*
 * Skips the case if a seccomp filter cannot be used.  valgrind and
 * AddressSanitizer make system calls of their own in this process, and stop
 * with an error if these calls fail.
 */

void
t_need_seccomp(void)
{
    if (t_under_valgrind()) {
        t_skip("no seccomp filters under valgrind or AddressSanitizer");
    }

#if defined(__SANITIZE_ADDRESS__)
    t_skip("no seccomp filters under valgrind or AddressSanitizer");
#endif

    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1) {
        t_skip("no seccomp in this kernel");
    }
}


static void
t_filter(struct sock_filter *filter, size_t n)
{
    struct sock_fprog  prog;

    prog.len = (unsigned short) n;
    prog.filter = filter;

    T_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    T_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}


/*
 * Makes the system call number "nr" fail with the error "err", from now on, in
 * this process and in the children that it forks.
 */

void
t_fail_syscall(int nr, int err)
{
    struct sock_filter  filter[] = {
        BPF_STMT(BPF_LD|BPF_W|BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (unsigned) nr, 0, 1),
        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO | (unsigned) err),
        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW),
    };

    t_filter(filter, t_nitems(filter));
}


/*
 * Makes a system call fail if the low 32 bits of its argument number "arg",
 * counted from 0, are "value".
 */

void
t_fail_syscall_arg(int nr, int err, int arg, unsigned value)
{
    size_t  at;

    at = offsetof(struct seccomp_data, args) + (size_t) arg * 8;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    at += 4;
#endif

    struct sock_filter  filter[] = {
        BPF_STMT(BPF_LD|BPF_W|BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (unsigned) nr, 0, 3),
        BPF_STMT(BPF_LD|BPF_W|BPF_ABS, (unsigned) at),
        BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO | (unsigned) err),
        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW),
    };

    t_filter(filter, t_nitems(filter));
}


/*
 * Makes fork() fail.  Which system call fork() makes depends on the C library,
 * so each of them fails.
 */

void
t_fail_fork(int err)
{
    t_fail_syscall(SYS_clone, err);

#ifdef SYS_clone3
    t_fail_syscall(SYS_clone3, err);
#endif

#ifdef SYS_fork
    t_fail_syscall(SYS_fork, err);
#endif

#ifdef SYS_vfork
    t_fail_syscall(SYS_vfork, err);
#endif
}


/* Functions that limit, list and compare descriptors. */

/* Skips the case if RLIMIT_NOFILE does not limit the program's descriptors. */

void
t_need_fds_limit(void)
{
    if (t_under_valgrind()) {
        t_skip("valgrind has its own limit of descriptors");
    }
}


/*
 * Lets this process open as many further descriptors as "more" says.  After
 * that, calls that open a descriptor fail with EMFILE.
 */

void
t_limit_fds(int more)
{
    int            i, fd[16];
    struct rlimit  rl;

    t_need_fds_limit();

    T_REQUIRE(more < (int) t_nitems(fd));
    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);

    t_fds_limit = rl.rlim_cur;

    /*
     * RLIMIT_NOFILE is an upper bound of each descriptor's number, not of how
     * many descriptors are open.  So the loop finds the numbers that the next
     * descriptors will get.
     */

    for (i = 0; i <= more; i++) {
        fd[i] = open("/dev/null", O_RDONLY|O_CLOEXEC);
        T_REQUIRE(fd[i] != -1);
        rl.rlim_cur = (rlim_t) fd[i];
    }

    while (i--) {
        close(fd[i]);
    }

    T_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
}


/*
 * Makes all calls that open a descriptor fail, also after others were closed.
 * The limit allows only descriptor 0, which is in use.
 */

void
t_no_more_fds(void)
{
    struct rlimit  rl;

    t_limit_fds(0);

    T_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);
    rl.rlim_cur = 1;
    T_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
}


void
t_more_fds(void)
{
    struct rlimit  rl;

    if (t_fds_limit == 0) {
        return;
    }

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = t_fds_limit;
        setrlimit(RLIMIT_NOFILE, &rl);
    }

    t_fds_limit = 0;
}


void
t_get_fds(t_fds_t *fds)
{
    int             fd;
    DIR            *dir;
    struct dirent  *de;

    memset(fds, 0, sizeof(t_fds_t));

    dir = opendir("/proc/self/fd");
    T_REQUIRE(dir != NULL);

    while ((de = readdir(dir)) != NULL) {

        if (de->d_name[0] == '.') {
            continue;
        }

        fd = atoi(de->d_name);

        if (fd < T_FDS_MAX && fd != dirfd(dir)) {
            fds->open[fd] = 1;
        }
    }

    closedir(dir);
}


int
t_open_fds(void)
{
    int      fd, n;
    t_fds_t  fds;

    t_get_fds(&fds);

    n = 0;

    for (fd = 0; fd < T_FDS_MAX; fd++) {
        n += fds.open[fd];
    }

    return n;
}


int
t_is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}


const char *
t_fd_name(int fd, char *buf, size_t size)
{
    char     path[64];
    ssize_t  n;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    n = readlink(path, buf, size - 1);
    buf[n < 0 ? 0 : n] = '\0';

    return buf;
}


/*
 * Returns 1 if the two descriptors, each in a process of its own, refer to the
 * same file or socket.  The two ends of a socketpair are different sockets.
 */

int
t_same_file(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b)
{
    char         path[64];
    struct stat  a, b;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid_a, fd_a);

    if (stat(path, &a) == -1) {
        return 0;
    }

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid_b, fd_b);

    if (stat(path, &b) == -1) {
        return 0;
    }

    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}


/* The memory that t_shared() has made. */

static void    *own_mappings[64];
static size_t   own_mappings_n;


void *
t_shared(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANONYMOUS|MAP_SHARED,
             -1, 0);

    if (p == MAP_FAILED || own_mappings_n == t_nitems(own_mappings)) {
        perror("mmap");
        _exit(2);
    }

    own_mappings[own_mappings_n++] = p;

    return p;
}


/* Returns 1 if t_shared() has made the memory that begins at this address. */

int
t_is_own_mapping(const void *start)
{
    size_t  i;

    for (i = 0; i < own_mappings_n; i++) {
        if (own_mappings[i] == start) {
            return 1;
        }
    }

    return 0;
}


int
t_is_filled(const u_char *start, size_t size, u_char value)
{
    size_t  i;

    for (i = 0; i < size; i++) {

        if (start[i] != value) {
            return 0;
        }
    }

    return 1;
}


/*
 * Creates a pair of nonblocking stream sockets, as modules do for their own
 * messages.
 */

void
t_socketpair(int *fd)
{
    T_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0,
                         fd)
              == 0);
}


/*
 * Creates a pair of nonblocking sockets that keep messages apart, as
 * ngx_spawn_process() does for a channel.
 */

void
t_message_pair(int *fd)
{
    T_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_NONBLOCK|SOCK_CLOEXEC,
                         0, fd)
              == 0);
}


/*
 * Sends bytes and descriptors with sendmsg(), so that a test can send what
 * ngx_write_channel() refuses.
 */

ssize_t
t_send(int s, const void *buf, size_t size, const int *fd, size_t nfds)
{
    struct iovec     iov;
    struct msghdr    msg;
    struct cmsghdr  *cmsg;

    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(253 * sizeof(int))];
    } control;

    memset(&msg, 0, sizeof(struct msghdr));
    memset(&control, 0, sizeof(control));

    iov.iov_base = (void *) buf;
    iov.iov_len = size;

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    if (nfds) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));

        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(cmsg), fd, nfds * sizeof(int));
    }

    return sendmsg(s, &msg, MSG_NOSIGNAL);
}


/*
 * Waits until the descriptor has data to read or is at its end of file;
 * returns 0 after the time limit.
 */

int
t_readable(int fd)
{
    int            n;
    struct pollfd  pfd;

    pfd.fd = fd;
    pfd.events = POLLIN;
    pfd.revents = 0;

    do {
        n = poll(&pfd, 1, T_DEADLINE);
    } while (n == -1 && errno == EINTR);

    return n == 1 && (pfd.revents & (POLLIN|POLLHUP)) != 0;
}


/* Returns the number of bytes that can be read from the socket, or -1. */

int
t_unread(int fd)
{
    int  n;

    n = -1;

    if (ioctl(fd, FIONREAD, &n) == -1) {
        return -1;
    }

    return n;
}
