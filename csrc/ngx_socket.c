/* Modes of sockets. */

#include <ngx_config.h>
#include <ngx_core.h>


int
ngx_nonblocking(ngx_socket_t s)
{
    int  on = 1;

    return ioctl(s, FIONBIO, &on);
}


int
ngx_blocking(ngx_socket_t s)
{
    int  on = 0;

    return ioctl(s, FIONBIO, &on);
}


int
ngx_tcp_nopush(ngx_socket_t s)
{
    int  on = 1;

    return setsockopt(s, IPPROTO_TCP, TCP_CORK, &on, sizeof(int));
}


int
ngx_tcp_push(ngx_socket_t s)
{
    int  on = 0;

    return setsockopt(s, IPPROTO_TCP, TCP_CORK, &on, sizeof(int));
}
