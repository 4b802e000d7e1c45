/*
 * A prefork echo server with libuv.  It allocates no memory for a request, and sends
 * with uv_try_write() first, which is libuv's shortest way.
 */

#include "server.h"
#include <uv.h>

typedef struct {
    uv_tcp_t    tcp;        /* the first field, so that both have one address */
    uv_write_t  write;
    char        data[4096];
} echo_t;


static void
closed(uv_handle_t *handle)
{
    free(handle);
}


static void
give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    echo_t  *e = (echo_t *) handle;

    (void) size;
    *buf = uv_buf_init(e->data, sizeof(e->data));
}


static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);


static void
written(uv_write_t *write, int status)
{
    if (status != 0
        || uv_read_start(write->handle, give_buffer, received) != 0)
    {
        uv_close((uv_handle_t *) write->handle, closed);
    }
}


static void
received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    int       sent;
    echo_t   *e = (echo_t *) stream;
    uv_buf_t  rest;

    if (n < 0) {
        uv_close((uv_handle_t *) stream, closed);
        return;
    }

    rest = uv_buf_init(buf->base, (unsigned) n);
    sent = uv_try_write(stream, &rest, 1);

    if (sent == n) {
        return;
    }
    if (sent > 0) {
        rest = uv_buf_init(buf->base + sent, (unsigned) (n - sent));
    }

    /* the buffer is in use until the rest is sent */
    uv_read_stop(stream);

    if (uv_write(&e->write, stream, &rest, 1, written) != 0) {
        uv_close((uv_handle_t *) stream, closed);
    }
}


static void
accepted(uv_stream_t *listening, int status)
{
    echo_t  *e = malloc(sizeof(echo_t));

    check(status == 0 && e != NULL, "accept");
    uv_tcp_init(listening->loop, &e->tcp);

    if (uv_accept(listening, (uv_stream_t *) &e->tcp) != 0
        || uv_read_start((uv_stream_t *) &e->tcp, give_buffer, received) != 0)
    {
        uv_close((uv_handle_t *) &e->tcp, closed);
    }
}


static void
work(int listening)
{
    uv_tcp_t    tcp;
    uv_loop_t  *loop = uv_default_loop();

    uv_tcp_init(loop, &tcp);
    check(uv_tcp_open(&tcp, listening) == 0, "uv_tcp_open");
    check(uv_listen((uv_stream_t *) &tcp, 511, accepted) == 0, "uv_listen");
    uv_run(loop, UV_RUN_DEFAULT);
}


int
main(int argc, char **argv)
{
    return run_master(argc, argv, work);
}
