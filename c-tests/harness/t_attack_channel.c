
/* Attacks of t_attack.h: messages to a sibling. */


#include "t_attack.h"


#if !(T_NGINX)

static void
send_bytes(const void *bytes, size_t size, int flags)
{
    (void) send(t_victims_channel(), bytes, size,
                MSG_NOSIGNAL|MSG_DONTWAIT|flags);
}


static void
send_command(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));

    ch.command = command;
    ch.pid = pid;
    ch.slot = slot;
    ch.fd = fd;

    (void) t_send(t_victims_channel(), &ch, sizeof(ngx_channel_t), &fd,
                  fd >= 0);
}


static void
out_of_band(void)
{
    send_bytes("xx", 2, MSG_OOB);
}


static void
byte_and_descriptor(void)
{
    int    i, fd;
    pid_t  pid;

    fd = t_victims_channel();

    for (i = 0; i < 100; i++) {
        pid = fork();

        if (pid == 0) {
            (void) t_send(fd, "x", 1, &fd, 1);
            _exit(0);
        }

        if (pid > 0) {
            (void) waitpid(pid, NULL, 0);
        }
    }
}


static void
half_a_message(void)
{
    char  half[16] = { 1 };

    send_bytes(half, sizeof(half), 0);
    send_bytes(half, sizeof(half), MSG_MORE);
}


static void
empty_messages(void)
{
    int  i;

    for (i = 0; i < 1000; i++) {
        send_bytes("", 0, i % 2 ? MSG_EOR : 0);
    }
}


static void
large_messages(void)
{
    int          size;
    static char  bytes[300000];

    for (size = 33; size < (int) sizeof(bytes); size += size / 2) {
        send_bytes(bytes, size, 0);
    }
}


static void
many_descriptors(void)
{
    int  i, fd[253];

    for (i = 0; i < 253; i++) {
        fd[i] = t_victims_channel();
    }

    for (i = 0; i < 10; i++) {
        (void) t_send(fd[0], "0123456789abcdef0123456789abcdef", 32, fd, 253);
    }
}


static void
unwanted_descriptors(void)
{
    int  i;

    for (i = 0; i < 100; i++) {
        send_command(NGX_CMD_REOPEN, 0, 0, t_victims_channel());
        send_command(31, 0, 0, t_victims_channel());
    }
}


static void
full_channel(void)
{
    int  i;

    for (i = 0; i < 10000; i++) {
        send_command(31, 0, 0, -1);
    }
}


static void
many_processes(void)
{
    ngx_int_t  slot;

    for (slot = 3; slot < 203; slot++) {
        send_command(NGX_CMD_OPEN_CHANNEL, slot, 1, t_victims_channel());
    }
}


static void
exits_of_all(void)
{
    ngx_int_t  slot;

    for (slot = -2; slot < NGX_MAX_PROCESSES + 2; slot++) {
        send_command(NGX_CMD_CLOSE_CHANNEL, slot, ngx_getpid(), -1);
        send_command(NGX_CMD_CLOSE_CHANNEL, slot, t_master(), -1);
    }
}


static void
slots_outside(void)
{
    size_t  i;

    static const ngx_int_t  slots[] = {
        -1, NGX_MAX_PROCESSES, 1 << 30, (ngx_int_t) ((ngx_uint_t) 1 << 63)
    };

    for (i = 0; i < t_nitems(slots); i++) {
        send_command(NGX_CMD_OPEN_CHANNEL, slots[i], 1, t_victims_channel());
        send_command(NGX_CMD_CLOSE_CHANNEL, slots[i], 1, -1);
    }
}


static void
victims_own_slot(void)
{
    send_command(NGX_CMD_OPEN_CHANNEL, T_VICTIM, 1, t_victims_channel());
    send_command(NGX_CMD_CLOSE_CHANNEL, T_VICTIM,
                 t_victim(), -1);
}


static void
false_commands(void)
{
    send_command(NGX_IPC_CMD_OPEN_CHANNELS, 0, 0, -1);
    send_command(0, 0, 0, -1);
    send_command((ngx_uint_t) -1, 0, 0, -1);
    send_command(NGX_CMD_OPEN_CHANNEL, 5, 1, -1);
}


/*
 * Sends sockets over each other.  Their descriptors, which no process has
 * received, refer to each other: the kernel has to find and close them,
 * unix(7).
 */

static void
cycle_in_flight(void)
{
    int  i, s[2];

    for (i = 0; i < 20; i++) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == -1) {
            return;
        }

        (void) t_send(s[0], "x", 1, &s[0], 1);
        (void) t_send(s[0], "x", 1, &s[1], 1);
        send_command(NGX_CMD_OPEN_CHANNEL, 5, 1, s[1]);

        close(s[0]);
        close(s[1]);
    }
}


/* Sends messages to the master, which does not read messages of workers. */

static void
messages_to_master(void)
{
    int  i, fd;

    fd = ngx_channel;

    for (i = 0; i < 1000; i++) {
        if (t_send(ngx_channel, "0123456789abcdef0123456789abcdef", 32, &fd, 1)
            == -1)
        {
            break;
        }
    }
}


const t_attack_t  t_channel_attacks[] = {
    { "out-of-band data", out_of_band },
    { "a byte and a descriptor of each of many processes",
      byte_and_descriptor },
    { "a half of a message", half_a_message },
    { "empty messages", empty_messages },
    { "large messages", large_messages },
    { "253 descriptors with each message", many_descriptors },
    { "descriptors that no command expects", unwanted_descriptors },
    { "a full channel", full_channel },
    { "200 processes that do not exist", many_processes },
    { "the exit of all processes", exits_of_all },
    { "slots outside of the table", slots_outside },
    { "the receiver's own slot", victims_own_slot },
    { "commands that are not the master's", false_commands },
    { "descriptors in flight that hold each other", cycle_in_flight },
    { "messages to the master", messages_to_master },
    { NULL, NULL }
};

#endif
