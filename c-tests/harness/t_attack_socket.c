
/*
 * Attacks of t_attack.h: changes of descriptors that other processes have as
 * well.
 */


#include "t_attack.h"

#include <linux/filter.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/un.h>


#if !(T_NGINX)

#ifndef F_SETSIG
#define F_SETSIG  10
#endif


/*
 * Makes the kernel send a signal to the owner of a socket, F_SETOWN of
 * fcntl(2), when the other end is closed.
 */

static void
signal_at_end(void)
{
    int  fd;

    fd = t_victims_channel();

    (void) fcntl(fd, F_SETOWN, t_master());
    (void) fcntl(fd, F_SETSIG, SIGKILL);
    (void) fcntl(fd, F_SETFL, O_ASYNC|O_NONBLOCK);

    t_kill_victim();
}


static void
signal_by_owner(void)
{
    int                fd;
    struct f_owner_ex  owner = { F_OWNER_PID, t_master() };

    fd = ngx_channel;

    (void) fcntl(fd, F_SETOWN_EX, &owner);
    (void) fcntl(fd, F_SETSIG, SIGKILL);
    (void) fcntl(fd, F_SETFL, O_ASYNC);
    (void) ioctl(fd, FIOSETOWN, &owner.pid);
}


static void
blocking_and_full(void)
{
    int  i, fd;

    fd = t_victims_channel();
    (void) fcntl(fd, F_SETFL, 0);

    for (i = 0; i < 10000; i++) {
        if (send(fd, "0123456789abcdef0123456789abcdef", 32,
                 MSG_NOSIGNAL|MSG_DONTWAIT) == -1)
        {
            break;
        }
    }
}


static void
shut_down(void)
{
    (void) shutdown(t_victims_channel(), SHUT_RDWR);
}


static void
shut_down_reading(void)
{
    (void) shutdown(t_victims_channel(), SHUT_RD);
}


/* Makes the socket full, not full, and full again. */

static void
change_buffer(void)
{
    int  i, fd, size;

    fd = t_victims_channel();

    for (i = 0; i < 1000; i++) {
        size = i % 2 ? 1 : 1 << 20;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(int));
        (void) send(fd, "0123456789abcdef0123456789abcdef", 32,
                    MSG_NOSIGNAL|MSG_DONTWAIT);
    }
}


static void
change_options(void)
{
    int  fd, option, on;

    fd = t_victims_channel();

    for (option = 1; option < 80; option++) {
        for (on = 0; on < 3; on++) {
            (void) setsockopt(fd, SOL_SOCKET, option, &on, sizeof(int));
        }
    }
}


static void
drop_all_messages(void)
{
    struct sock_filter  drop = BPF_STMT(BPF_RET|BPF_K, 0);
    struct sock_fprog   program = { 1, &drop };

    (void) setsockopt(t_victims_channel(), SOL_SOCKET, SO_ATTACH_FILTER,
                      &program, sizeof(program));
    (void) setsockopt(ngx_channel, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof(program));
}


static void
take_messages(void)
{
    int   i;
    char  bytes[64];

    for (i = 0; i < 100; i++) {
        (void) recv(t_victims_channel(), bytes, sizeof(bytes),
                    MSG_DONTWAIT|(i % 2 ? MSG_PEEK : 0));
    }
}


static void
rename_socket(void)
{
    int                 fd;
    struct sockaddr_un  sun;

    fd = t_victims_channel();

    memset(&sun, 0, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;

    (void) bind(fd, (struct sockaddr *) &sun, sizeof(sa_family_t));
    (void) listen(fd, 10);
    (void) connect(fd, (struct sockaddr *) &sun, sizeof(sa_family_t));

    sun.sun_family = AF_UNSPEC;
    (void) connect(fd, (struct sockaddr *) &sun, sizeof(sa_family_t));
}


/*
 * Changes each descriptor that this process has not made itself, except
 * stdin, stdout and stderr, which the whole test uses.
 */

static void
change_all(void)
{
    int       fd, on;
    uint64_t  most;

    on = 1;
    most = (uint64_t) -2;

    for (fd = 3; fd < 256; fd++) {
        if (!t_is_open(fd)) {
            continue;
        }

        (void) fcntl(fd, F_SETOWN, t_master());
        (void) fcntl(fd, F_SETSIG, SIGKILL);
        (void) ioctl(fd, FIOASYNC, &on);
        (void) lseek(fd, 0, SEEK_SET);
        (void) flock(fd, LOCK_EX|LOCK_NB);
        (void) fcntl(fd, F_NOTIFY, -1);
        (void) fcntl(fd, F_SETPIPE_SZ, 4096);

        on = 0;
        (void) ioctl(fd, FIONBIO, &on);
        on = 1;

        /* an eventfd, if there is one, is full then */

        (void) fcntl(fd, F_SETFL, O_NONBLOCK);
        (void) !write(fd, &most, sizeof(most));
    }
}


/*
 * Adds an event that is always ready.  In the master's epoll instance it would
 * make the master spin.
 */

static void
ready_event(void)
{
    int                 fd, ready;
    struct epoll_event  event = { EPOLLIN, { .u64 = 0 } };

    ready = eventfd(1, EFD_NONBLOCK);

    for (fd = 3; fd < 256; fd++) {
        if (fd != ready) {
            (void) epoll_ctl(fd, EPOLL_CTL_ADD, ready, &event);
        }
    }

    t_leave_process(fork);
}


const t_attack_t  t_socket_attacks[] = {
    { "SIGKILL to the owner when a channel is closed", signal_at_end },
    { "SIGKILL to the owner of the own channel", signal_by_owner },
    { "a full channel that blocks", blocking_and_full },
    { "a channel that is shut down", shut_down },
    { "a channel that is shut down for reading", shut_down_reading },
    { "a send buffer that changes its size", change_buffer },
    { "all options of a socket", change_options },
    { "a filter that drops all messages", drop_all_messages },
    { "messages taken from a channel", take_messages },
    { "another address of a channel", rename_socket },
    { "other flags of all descriptors", change_all },
    { "an event that is always ready", ready_event },
    { NULL, NULL }
};

#endif
