
/*
 * Tests of ngx_spawn_process(): the channel between the process and its
 * parent.
 */


#include "test.h"


/* The observations of a child, in memory that the test shares. */

typedef struct {
    ngx_socket_t   channel;
    ngx_channel_t  ch;
    ngx_int_t      rc;
} t_child_t;


static t_child_t  *child;


static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));
}


static void
report_proc(ngx_cycle_t *cycle, void *data)
{
    child->channel = ngx_channel;

    _exit(0);
}


static void
read_proc(ngx_cycle_t *cycle, void *data)
{
    if (t_readable(ngx_channel)) {
        child->rc = ngx_read_channel(ngx_channel, &child->ch,
                                     sizeof(ngx_channel_t), cycle->log);
    }

    _exit(0);
}


static void
write_proc(ngx_cycle_t *cycle, void *data)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = 31;
    ch.pid = ngx_pid;
    ch.fd = -1;

    _exit(ngx_write_channel(ngx_channel, &ch, sizeof(ngx_channel_t),
                            cycle->log)
          == NGX_OK ? 0 : 1);
}


static void
test_channel_down(void)
{
    ngx_channel_t  ch;

    setup();

    t_spawn(read_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_REOPEN;
    ch.slot = 33;
    ch.fd = -1;

    T_EQ(ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()),
         NGX_OK);

    t_reap_slot(0);

    T_EQ(child->rc, 32);
    T_EQ(child->ch.command, NGX_CMD_REOPEN);
    T_EQ(child->ch.slot, 33);

    t_end_processes();
}


static void
test_channel_up(void)
{
    ngx_pid_t      pid;
    ngx_channel_t  ch;

    setup();

    pid = t_spawn(write_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(ngx_read_channel(ngx_processes[0].channel[0], &ch,
                          sizeof(ngx_channel_t), t_log()),
         32);
    T_EQ(ch.command, 31);
    T_EQ(ch.pid, pid);

    t_end_processes();
}


static void
test_channel_flags(void)
{
    int  fd;

    setup();

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);

    fd = ngx_processes[0].channel[0];

    T_OK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    T_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);

    t_end_processes();
}


/* A channel has room for 278 messages that the worker has not read. */

static void
test_channel_room(void)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    setup();

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = 31;
    ch.fd = -1;

    for (n = 0; n < 1000; n++) {
        if (ngx_write_channel(ngx_processes[0].channel[0], &ch,
                              sizeof(ngx_channel_t), t_log())
            != NGX_OK)
        {
            break;
        }
    }

    T_OK(n >= 278 && n < 1000);

    t_end_processes();
}


/* A worker calls recvmsg() itself, as the code of nginx does. */

static void
recv_proc(ngx_cycle_t *cycle, void *data)
{
    struct iovec   iov;
    struct msghdr  msg;

    union {
        struct cmsghdr  cm;
        char            space[CMSG_SPACE(sizeof(int))];
    } cmsg;

    memset(&msg, 0, sizeof(struct msghdr));

    iov.iov_base = &child->ch;
    iov.iov_len = sizeof(ngx_channel_t);

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &cmsg;
    msg.msg_controllen = sizeof(cmsg);

    if (t_readable(ngx_channel)) {
        child->rc = recvmsg(ngx_channel, &msg, 0);
    }

    if (cmsg.cm.cmsg_type != SCM_RIGHTS
        || cmsg.cm.cmsg_len != CMSG_LEN(sizeof(int))
        || msg.msg_flags & MSG_CTRUNC)
    {
        _exit(1);
    }

    _exit(0);
}


static void
own_recvmsg(ngx_uint_t command)
{
    ngx_channel_t  ch;

    setup();

    t_spawn(recv_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = command;
    ch.slot = 33;
    ch.fd = 1;

    T_EQ(ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()),
         NGX_OK);

    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(child->rc, 32);
    T_EQ(child->ch.slot, 33);

    t_end_processes();
}


static void
test_channel_own_recvmsg(void)
{
    own_recvmsg(NGX_CMD_OPEN_CHANNEL);
}


/* A command of the program carries a descriptor too. */

static void
test_channel_own_command(void)
{
    own_recvmsg(31);
}


/*
 * The master closes the worker's end of the channel.  Otherwise it would see
 * no end of file when the worker exits.
 */

static void
test_channel_closed_in_master(void)
{
    setup();

    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);

    T_OK(ngx_processes[0].channel[0] > 2);
    T_EQ(ngx_processes[0].channel[1], -1);

    t_end_processes();
}


static void
test_channel_of_dead_worker(void)
{
    ngx_channel_t  ch;

    setup();

    signal(SIGPIPE, SIG_IGN);

    t_spawn(t_exit_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_QUIT;
    ch.fd = -1;

    T_EQ(ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);

    t_end_processes();
}


static void
test_stdin_closed(void)
{
    int  fd;

    setup();

    close(0);

    t_spawn(report_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_OK(ngx_processes[0].channel[0] > 2);
    T_OK(child->channel > 2);

    t_end_processes();

    fd = open("/dev/null", O_RDWR);
    T_EQ(fd, 0);
}


static void
test_std_closed(void)
{
    int  i;

    setup();

    for (i = 0; i < 3; i++) {
        close(i);
    }

    t_spawn(report_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_OK(ngx_processes[0].channel[0] > 2);
    T_OK(child->channel > 2);

    t_end_processes();

    for (i = 0; i < 3; i++) {
        T_EQ(open("/dev/null", O_RDWR), i);
    }
}


int
main(void)
{
    t_begin();

    t_run("a message to a worker", test_channel_down);
    t_run("a message from a worker", test_channel_up);
    t_run("the flags of the master's end", test_channel_flags);
    t_run("a channel has room for 278 messages", test_channel_room);
    t_run("a worker that calls recvmsg() itself", test_channel_own_recvmsg);
    t_run("a descriptor with a command of the program", test_channel_own_command);
    t_run("D13 the master does not keep the worker's end",
          test_channel_closed_in_master);
    t_run("D13 a message to a worker that has died",
          test_channel_of_dead_worker);
    t_run("D11 stdin is closed: a channel is not descriptor 0",
          test_stdin_closed);
    t_run("D11 a channel where stdin, stdout and stderr are closed",
          test_std_closed);

    return t_end();
}
