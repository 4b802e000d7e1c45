
/*
 * Tests of ngx_ipc_program() and of the arguments of ngx_ipc_print_status().
 * tests/runtime/seen_status.rs tests what a page has.
 */


#include "test.h"


#define GUARD  0xa5


static size_t  printed;


static void
count(void *data, const char *text, size_t len)
{
    (void) data;

    T_OK(len > 0 && len <= NGX_MAX_ERROR_STR && text[len - 1] == '\n');
    printed += len;
}


static void
test_program(void)
{
    struct {
        ngx_ipc_program_t  program;
        u_char             more[16];
    } p;

    T_EQ(ngx_ipc_init(t_cycle()), NGX_OK);
    memset(&p, GUARD, sizeof(p));

    T_EQ(ngx_ipc_program(&p.program), NGX_OK);
    T_OK(strcmp(p.program.library, ngx_ipc_version()) == 0);
    T_OK(p.program.version == NULL);
    T_EQ(p.program.master, ngx_getpid());
    T_OK(p.program.started > 1000000000);
    T_OK(p.program.uptime >= 0 && p.program.uptime < 3600);
    T_OK(p.program.rss > 0);
    T_OK(t_is_filled(p.more, sizeof(p.more), GUARD));

    T_EQ(ngx_ipc_program_size(&p.program, sizeof(p)), NGX_OK);
    T_OK(t_is_filled(p.more, sizeof(p.more), 0));

    memset(&p, GUARD, sizeof(p));
    T_EQ(ngx_ipc_program_size(&p.program, sizeof(ngx_ipc_program_t) - 1),
         NGX_ERROR);
    T_EQ(ngx_ipc_program_size(NULL, sizeof(ngx_ipc_program_t)), NGX_ERROR);
    T_OK(t_is_filled((u_char *) &p, sizeof(p), GUARD));
}


static void
test_arguments(void)
{
    ngx_uint_t  format;

    T_EQ(ngx_ipc_init(t_cycle()), NGX_OK);

    T_EQ(ngx_ipc_print_status(NGX_IPC_JSON_SUMMARY + 1, NULL, 0, count, NULL),
         NGX_ERROR);
    T_EQ(ngx_ipc_print_status(NGX_IPC_JSON, NULL, 0, NULL, NULL), NGX_ERROR);
    T_EQ(printed, 0);

    for (format = NGX_IPC_TEXT; format <= NGX_IPC_JSON_SUMMARY; format++) {
        printed = 0;
        T_EQ(ngx_ipc_print_status(format, NULL, 7, count, NULL), NGX_OK);
        T_OK(printed > 100);
    }
}


int
main(void)
{
    t_begin();

    t_run("the program is described", test_program);
    t_run("arguments of ngx_ipc_print_status()", test_arguments);

    return t_end();
}
