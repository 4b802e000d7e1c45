
/* datagram ADDRESS: sends each datagram back to its sender. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>


static void
answer(ngx_connection_t *c)
{
    ssize_t        n;
    static u_char  data[65536];

    n = c->recv(c, data, sizeof(data));

    if (n >= 0) {
        c->send(c, data, (size_t) n);
    }

    ngx_close_connection(c);
}


int
main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_listening_t  listening = { .handler = answer, .type = SOCK_DGRAM };

    listening.address = argv[1];

    ngx_ipc_conf_init(&conf);
    conf.listening = &listening;
    conf.listening_n = 1;

    return ngx_ipc_main(&conf, argc, argv);
}
