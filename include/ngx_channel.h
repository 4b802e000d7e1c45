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
 * The message of nginx's channels. A program can send longer messages of its
 * own, which begin with these fields.
 */
typedef struct {
    /*
     * The command: NGX_CMD_OPEN_CHANNEL and so on, or a number that the
     * program has chosen.
     */
    ngx_uint_t command;
    /* The process that the message is about. */
    ngx_pid_t pid;
    /* The slot of the process that the message is about. */
    ngx_int_t slot;
    /* The descriptor that the message carries, or -1. */
    ngx_fd_t fd;
} ngx_channel_t;



/*
 * Sends a message: the size bytes at ch, with a copy of the descriptor
 * ch->fd unless ch->fd is -1.
 *
 * The message is sent completely or not at all. If the socket buffer is full,
 * the function does not wait if s is a channel of the process table; for any
 * other socket it waits unless O_NONBLOCK is set. Returns NGX_OK, NGX_AGAIN if
 * the socket buffer is full, or NGX_ERROR with an alert in the log. SIGPIPE is
 * not raised. A message is refused if it is smaller than ngx_channel_t, if it
 * is larger than the kernel takes at once (EMSGSIZE: 32 KiB, or half of a
 * smaller SO_SNDBUF), if it is a NGX_CMD_OPEN_CHANNEL without a descriptor, or if a
 * worker or helper of ngx_ipc_main() would drop it (ENOTSUP): it handles no other commands.
 *
 * Set the message to zero before you set its fields. Otherwise its padding
 * sends bytes of the stack to the other process, because all bytes are sent.
 *
 * Safety: ch is NULL, or size bytes at ch are readable; log is NULL or a valid
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
 * Returns size; NGX_AGAIN if no message has arrived; NGX_ERROR if the other end
 * is closed, or, with an alert in the log, if anything fails.
 *
 * A channel that ngx_spawn_process() has made delivers complete messages. The
 * function drops a message of another size, logs an alert, and receives the
 * next message. It does not wait, even if O_NONBLOCK is not set. On a stream
 * socket of the program's own, less data than size is an error, and the data
 * is lost. There the function waits unless O_NONBLOCK is set.
 *
 * If the message is a NGX_CMD_OPEN_CHANNEL, ch->fd is set to the descriptor
 * that has arrived with the message, which the caller must close, or to -1 if
 * none has arrived. With any other command ch->fd is set to -1, and the
 * function closes descriptors that have arrived.
 *
 * Safety: ch is NULL, or size bytes at ch are writable; log is NULL or a valid
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
 * The handler's event has a ngx_connection_t as data, whose fd is the
 * descriptor. Returns NGX_OK, or NGX_ERROR with an alert in the log.
 *
 * Safety: cycle is NULL or a valid cycle. ngx_process_events_and_timers() can
 * call handler until the connection is closed.
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
 * Does nothing with a descriptor that is -1. If close() fails, an alert is
 * logged, and the descriptor is closed nevertheless.
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
