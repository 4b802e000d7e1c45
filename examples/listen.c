
/* listen ADDRESS...: greets each client, on sockets of each kind of address. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#define SOCKETS  8


static void
greet(ngx_connection_t *c)
{
    char  text[64];

    snprintf(text, sizeof(text), "hello from %d\n", (int) ngx_pid);
    c->send(c, (u_char *) text, strlen(text));
    ngx_close_connection(c);
}


int
main(int argc, char **argv)
{
    int              i;
    ngx_core_conf_t  conf;
    ngx_listening_t  listening[SOCKETS] = { { .handler = NULL } };

    ngx_ipc_conf_init(&conf);
    conf.listening = listening;

    for (i = 0; i < SOCKETS && i + 1 < argc; i++) {
        listening[i].address = argv[i + 1];
        listening[i].handler = greet;
        listening[i].backlog = 64;
        listening[i].reuseport = 1;
        conf.listening_n++;
    }

    return ngx_ipc_main(&conf, argc, argv);
}
