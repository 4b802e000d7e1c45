/*
 * ngx_socket.h: sockets.
 * Part of ngx-ipc; the names are nginx's.
 *
 * The name of a function with "_n" is the system's name of what it does, for
 * log lines.
 */

#ifndef _NGX_SOCKET_H_INCLUDED_
#define _NGX_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define NGX_READ_SHUTDOWN      SHUT_RD
#define NGX_WRITE_SHUTDOWN     SHUT_WR
#define NGX_RDWR_SHUTDOWN      SHUT_RDWR

#define ngx_socket             socket
#define ngx_socket_n           "socket()"

#define ngx_shutdown_socket    shutdown
#define ngx_shutdown_socket_n  "shutdown()"

#define ngx_close_socket       close
#define ngx_close_socket_n     "close() socket"

/* Sets *n, an int, to the number of bytes that can be read from a socket. */
#define ngx_socket_nread(s, n) ioctl(s, FIONREAD, n)
#define ngx_socket_nread_n     "ioctl(FIONREAD)"

#define ngx_nonblocking_n      "ioctl(FIONBIO)"
#define ngx_blocking_n         "ioctl(!FIONBIO)"

#define ngx_tcp_nopush_n       "setsockopt(TCP_CORK)"
#define ngx_tcp_push_n         "setsockopt(!TCP_CORK)"


/*
 * Makes a descriptor non-blocking.  Returns 0, or -1 and sets errno.
 *
 * References: FIONBIO in ioctl(2).
 */
int ngx_nonblocking(ngx_socket_t s);

/* Makes a descriptor blocking.  Returns 0, or -1 and sets errno. */
int ngx_blocking(ngx_socket_t s);

/*
 * Makes a socket of TCP send only full packets, until ngx_tcp_push().  Returns
 * 0, or -1 and sets errno.
 *
 * References: TCP_CORK in tcp(7).
 */
int ngx_tcp_nopush(ngx_socket_t s);

/*
 * Makes a socket of TCP send what ngx_tcp_nopush() has held back.  Returns 0,
 * or -1 and sets errno.
 */
int ngx_tcp_push(ngx_socket_t s);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SOCKET_H_INCLUDED_ */
