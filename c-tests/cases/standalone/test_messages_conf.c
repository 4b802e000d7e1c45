
/* Tests of the fields of a configuration that are about messages. */


#include "t_logger.h"

#include <ngx_ipc_message.h>


/*
 * A value that is too large: ngx_ipc_main() returns 1 before it starts a process, and
 * an alert names the field and the largest value.
 */

static void
refused(const ngx_core_conf_t *conf, const char *text)
{
    char  line[128];

    snprintf(line, sizeof(line), ": the configuration has more than %s\n", text);

    T_EQ(ngx_ipc_main(conf, 0, NULL), 1);

    if (!T_OK(strstr(t_contents(STDERR_FILENO), line) != NULL)) {
        t_diag("stderr is \"%s\"", t_contents(STDERR_FILENO));
    }

    T_EQ(ftruncate(STDERR_FILENO, 0), 0);
    T_EQ(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
}


static void
test_too_large(void)
{
    ngx_core_conf_t  conf;

    t_time_init();
    t_catch_stderr();

    ngx_ipc_conf_init(&conf);
    conf.message_memory = 256 * 1024 * 1024 + 1;
    refused(&conf, "268435456 in message_memory");

    ngx_ipc_conf_init(&conf);
    conf.message_max = 127 * 1024 * 1024 + 1;
    refused(&conf, "133169152 in message_max");

    ngx_ipc_conf_init(&conf);
    conf.message_processes = 1021;
    refused(&conf, "1020 in message_processes");

    ngx_ipc_conf_init(&conf);
    conf.message_spin = 1000001;
    refused(&conf, "1000000 in message_spin");

    conf.message_spin = (ngx_uint_t) -1;
    refused(&conf, "1000000 in message_spin");
}


int
main(void)
{
    t_begin();

    t_run("values of messages that are too large", test_too_large);

    return t_end();
}
