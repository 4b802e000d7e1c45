
/* A channel, and messages on it, for the tests of ngx_channel.c. */


#include "t_channel.h"


int  t_pair[2];


void
t_channel_open(void)
{
    t_socketpair(t_pair);
}


/* Makes the pair as ngx_spawn_process() makes a channel. */

void
t_channel_open_messages(void)
{
    t_message_pair(t_pair);
}


void
t_channel_close(void)
{
    close(t_pair[0]);
    close(t_pair[1]);
}


void
t_message(ngx_channel_t *ch, ngx_uint_t command, ngx_fd_t fd)
{
    memset(ch, 0, sizeof(ngx_channel_t));

    ch->command = command;
    ch->pid = 12345;
    ch->slot = 7;
    ch->fd = fd;
}


ngx_int_t
t_put(ngx_channel_t *ch)
{
    return ngx_write_channel(t_pair[0], ch, sizeof(ngx_channel_t), t_log());
}


ngx_int_t
t_get(ngx_channel_t *ch)
{
    return ngx_read_channel(t_pair[1], ch, sizeof(ngx_channel_t), t_log());
}


/*
 * Sends "size" bytes of a message, from the byte "from" on, together with
 * "nfds" descriptors.  The function calls sendmsg() itself, because
 * ngx_write_channel() sends only whole messages.
 */

void
t_put_raw(ngx_uint_t command, size_t from, size_t size, const int *fd,
    size_t nfds)
{
    ngx_channel_t  ch;

    t_message(&ch, command, -1);

    T_REQUIRE(t_send(t_pair[0], (char *) &ch + from, size, fd, nfds)
              == (ssize_t) size);
}


/*
 * Writes messages to the socket s until it is full, so that
 * ngx_write_channel() returns NGX_AGAIN.
 */

void
t_fill_channel(int s)
{
    ngx_int_t      rc;
    ngx_channel_t  ch;

    t_message(&ch, T_FILLER, -1);

    do {
        rc = ngx_write_channel(s, &ch, sizeof(ngx_channel_t), t_log());
    } while (rc == NGX_OK);

    T_REQUIRE(rc == NGX_AGAIN);
}


/*
 * Opens /dev/null, so that a test has a descriptor to pass with OPEN_CHANNEL.
 */

int
t_some_fd(void)
{
    int  fd;

    fd = open("/dev/null", O_RDWR|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}
