/*
 * ngx_channel.h: channels: messages between processes.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/channel.rs
 *   src/channel/message.rs
 */

#ifndef _NGX_CHANNEL_H_INCLUDED_
#define _NGX_CHANNEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * The message of nginx's channels. A program's own message may be longer; it
 * begins with these fields.
 */
typedef struct {
    /* NGX_CMD_OPEN_CHANNEL and so on, or a number of the program's own. */
    ngx_uint_t command;
    /* The process that the message is about. */
    ngx_pid_t pid;
    /* Its slot. */
    ngx_int_t slot;
    /* A descriptor that travels with the message, or -1. */
    ngx_fd_t fd;
} ngx_channel_t;



/*
 * Sends the size bytes at ch, with a copy of the descriptor ch->fd unless
 * that is -1.
 *
 * A message is sent whole or not at all. The call does not wait for room in a
 * channel of the process table; for another socket it waits unless O_NONBLOCK
 * is set. Returns NGX_OK, NGX_AGAIN if the socket is full, or NGX_ERROR with an alert in the log. SIGPIPE is not raised.
 * A message is refused if it is smaller than ngx_channel_t, if it is larger
 * than the kernel takes at once (EMSGSIZE: 32 KiB, or half of a smaller
 * SO_SNDBUF), or if it is a NGX_CMD_OPEN_CHANNEL without a descriptor.
 *
 * All bytes are sent: zero the message before you set its fields, or its
 * padding carries what the stack contained.
 *
 * Safety: ch is NULL, or size bytes at ch may be read; log is NULL or a valid
 * log.
 *
 * References: sendmsg(2), unix(7); nginx's src/os/unix/ngx_channel.c.
 */
ngx_int_t ngx_write_channel(ngx_socket_t s,
                            ngx_channel_t *ch,
                            size_t size,
                            ngx_log_t *log);

/*
 * Receives one message of size bytes into ch.
 *
 * Returns size; NGX_AGAIN if no message has arrived; NGX_ERROR, with an alert
 * in the log unless the other end is closed.
 *
 * A channel that ngx_spawn_process() has made delivers whole messages. One of
 * another size is dropped, which is an alert in the log, and the next one is
 * received. The call does not wait, even if O_NONBLOCK is not set. On a stream
 * socket of your own, less data than size is an error, and is lost; the call
 * waits as O_NONBLOCK says.
 *
 * ch->fd is the descriptor of a NGX_CMD_OPEN_CHANNEL, which the caller must
 * close, or -1 if none arrived. With any other command it is -1, and
 * descriptors that arrived have been closed.
 *
 * Safety: ch is NULL, or size bytes at ch may be written; log is NULL or a valid
 * log.
 *
 * References: recvmsg(2), unix(7); nginx's src/os/unix/ngx_channel.c.
 */
ngx_int_t ngx_read_channel(ngx_socket_t s,
                           ngx_channel_t *ch,
                           size_t size,
                           ngx_log_t *log);

/*
 * Makes the event loop call handler whenever fd is readable
 * (NGX_READ_EVENT) or writable (NGX_WRITE_EVENT).
 *
 * data of the event is a ngx_connection_t, whose fd is the descriptor.
 * Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: cycle is NULL or a valid cycle. handler may be called from
 * ngx_process_events_and_timers() until the connection is closed.
 *
 * References: epoll_ctl(2); nginx's src/os/unix/ngx_channel.c.
 */
ngx_int_t ngx_add_channel_event(ngx_cycle_t *cycle,
                                ngx_fd_t fd,
                                ngx_int_t event,
                                ngx_event_handler_pt handler);

/*
 * Closes both descriptors of a channel, and sets them to -1.
 *
 * A descriptor that is -1 already is left as it is. If close() fails, an alert
 * is logged; the descriptor is closed all the same.
 *
 * Safety: fd is NULL or points to two descriptors; log is NULL or a valid log.
 *
 * References: close(2); nginx's src/os/unix/ngx_channel.c.
 */
void ngx_close_channel(ngx_fd_t *fd, ngx_log_t *log);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CHANNEL_H_INCLUDED_ */
