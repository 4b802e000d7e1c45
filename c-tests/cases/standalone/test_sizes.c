
/*
 * Tests of structures with other sizes than those of the library's headers.  A
 * program that was compiled with the headers of another version has such
 * structures.  Version 0.1 is the first version, so there are no older headers
 * with smaller structures; src/host/sized.rs tests smaller ones.
 */


#include "t_logger.h"


#define GUARD  0xa5


/*
 * A configuration, an address and a process that have the fields of a later
 * version.
 */

typedef struct {
    ngx_core_conf_t    conf;
    u_char             more[4096];    /* larger than any stack frame */
} newer_conf_t;

typedef struct {
    ngx_listening_t    listening;
    u_char             more[24];
} newer_listening_t;

typedef struct {
    ngx_ipc_process_t  process;
    u_char             more[16];
} newer_process_t;


static newer_conf_t       conf;
static newer_listening_t  addresses[2];


/*
 * Checks that the file that replaces stderr has one line, which is this alert,
 * and empties the file.
 */

static void
t_one_line_on_stderr(const char *text)
{
    char  alert[256];

    snprintf(alert, sizeof(alert), "[alert] %d#0: %s\n", (int) ngx_pid, text);

    if (!T_OK(strcmp(t_behind_time(t_contents(STDERR_FILENO)), alert) == 0)) {
        t_diag("stderr is \"%s\"", t_contents(STDERR_FILENO));
    }

    T_EQ(ftruncate(STDERR_FILENO, 0), 0);
    T_EQ(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
}


/* The size of a configuration in version 0.1. */

#define FIRST_CONF_SIZE                                                       \
    (offsetof(ngx_core_conf_t, listening_size) + sizeof(size_t))

/* The size of a listening socket in version 0.1. */

#define FIRST_LISTENING_SIZE                                                  \
    (offsetof(ngx_listening_t, connection) + sizeof(ngx_connection_t *))


static void
test_conf_sizes(void)
{
    ngx_core_conf_t   a, b;
    void            (*function)(ngx_core_conf_t *conf) = ngx_ipc_conf_init;

    memset(&a, 1, sizeof(ngx_core_conf_t));
    memset(&b, 2, sizeof(ngx_core_conf_t));

    ngx_ipc_conf_init(&a);
    function(&b);

    T_EQ(a.size, sizeof(ngx_core_conf_t));
    T_EQ(a.listening_size, sizeof(ngx_listening_t));
    T_EQ(b.size, FIRST_CONF_SIZE);
    T_EQ(b.listening_size, FIRST_LISTENING_SIZE);
    T_EQ(b.log_level, NGX_LOG_NOTICE);

    ngx_ipc_conf_init(NULL);
    function(NULL);
    T_EQ(ngx_ipc_conf_init_size(NULL, 1, 1), NGX_ERROR);
}


static void
test_conf_behind(void)
{
    newer_conf_t  c;

    memset(&c, GUARD, sizeof(newer_conf_t));
    ngx_ipc_conf_init(&c.conf);
    T_OK(t_is_filled(c.more, sizeof(c.more), GUARD));

    memset(&c, GUARD, sizeof(newer_conf_t));
    (ngx_ipc_conf_init)(&c.conf);
    T_OK(t_is_filled(c.more, sizeof(c.more), GUARD));
}


static void
test_conf_newer(void)
{
    newer_conf_t  c[2];

    memset(c, GUARD, sizeof(c));

    T_EQ(ngx_ipc_conf_init_size(&c[0].conf, sizeof(newer_conf_t),
                                sizeof(newer_listening_t)), NGX_OK);

    T_EQ(c[0].conf.size, sizeof(newer_conf_t));
    T_EQ(c[0].conf.listening_size, sizeof(newer_listening_t));
    T_EQ(c[0].conf.master, 1);
    T_EQ(c[0].conf.rlimit_nofile, -1);
    T_OK(t_is_filled(c[0].more, sizeof(c[0].more), 0));
    T_OK(t_is_filled((u_char *) &c[1], sizeof(newer_conf_t), GUARD));
}


static void
conf_refused(size_t size, size_t listening_size, const char *text)
{
    newer_conf_t  c;

    memset(&c, GUARD, sizeof(newer_conf_t));

    T_EQ(ngx_ipc_conf_init_size(&c.conf, size, listening_size), NGX_ERROR);
    T_OK(t_is_filled((u_char *) &c, sizeof(newer_conf_t), GUARD));
    t_one_line_on_stderr(text);
}


static void
test_conf_smaller(void)
{
    char    text[256];
    size_t  size, listening_size;

    t_time_init();
    t_catch_stderr();

    size = FIRST_CONF_SIZE;
    listening_size = FIRST_LISTENING_SIZE;

    snprintf(text, sizeof(text), "invalid size 0 of ngx_core_conf_t, "
             "it has %d to 65536 bytes", (int) size);
    conf_refused(0, listening_size, text);

    snprintf(text, sizeof(text), "invalid size %d of ngx_core_conf_t, "
             "it has %d to 65536 bytes", (int) size - 1, (int) size);
    conf_refused(size - 1, listening_size, text);

    snprintf(text, sizeof(text), "invalid size 65537 of ngx_core_conf_t, "
             "it has %d to 65536 bytes", (int) size);
    conf_refused(65537, listening_size, text);

    snprintf(text, sizeof(text), "invalid size %d of ngx_listening_t, "
             "it has %d to 65536 bytes", (int) listening_size - 1,
             (int) listening_size);
    conf_refused(size, listening_size - 1, text);
}


/*
 * Checks that ngx_ipc_main() and ngx_ipc_signal() refuse a configuration that
 * was not initialized, or whose size was overwritten.
 */

static void
main_refused(newer_conf_t *c, const char *text)
{
    T_EQ(ngx_ipc_main(&c->conf, 0, NULL), 1);
    t_one_line_on_stderr(text);

    T_EQ(ngx_ipc_signal(&c->conf, "quit"), 1);
    t_one_line_on_stderr(text);
}


static void
test_main_refuses(void)
{
    newer_conf_t  c;

    t_time_init();
    t_catch_stderr();

    memset(&c, 0, sizeof(newer_conf_t));
    main_refused(&c, "invalid size 0 of ngx_core_conf_t, "
                 "call ngx_ipc_conf_init() first");

    memset(&c, 0xff, sizeof(newer_conf_t));
    main_refused(&c, "invalid size 18446744073709551615 of ngx_core_conf_t, "
                 "call ngx_ipc_conf_init() first");

    ngx_ipc_conf_init(&c.conf);
    c.conf.size = 8;
    main_refused(&c, "invalid size 8 of ngx_core_conf_t, "
                 "call ngx_ipc_conf_init() first");

    ngx_ipc_conf_init(&c.conf);
    c.conf.listening_size = 8;
    main_refused(&c, "invalid size 8 of ngx_listening_t, "
                 "call ngx_ipc_conf_init() first");
}


/* Tests of a server that was compiled with the headers of a later version. */

static void
accept_nothing(ngx_connection_t *c)
{
    ngx_close_connection(c);
}


static void
set_addresses(newer_listening_t *list, char *address)
{
    int  i;

    memset(list, 0, 2 * sizeof(newer_listening_t));

    for (i = 0; i < 2; i++) {
        list[i].listening.address = address;
        list[i].listening.handler = accept_nothing;
        list[i].listening.fd = -1;
        memset(list[i].more, i + 1, sizeof(list[i].more));
    }
}


/*
 * Checks that each address has a socket of its own, and has kept its fields of
 * the later version.
 */

static void
check_cycle(ngx_cycle_t *cycle)
{
    newer_conf_t       *c;
    newer_listening_t  *list;

    c = (newer_conf_t *) cycle->conf_ctx[0];
    list = cycle->listening.elts;

    T_EQ(c->conf.size, sizeof(newer_conf_t));
    T_OK(t_is_filled(c->more, sizeof(c->more), 0));

    T_REQUIRE(cycle->listening.nelts == 2);
    T_EQ(cycle->listening.size, sizeof(newer_listening_t));
    T_OK(c->conf.listening == cycle->listening.elts);
    T_OK(list != addresses);

    T_OK(t_is_open(list[0].listening.fd));
    T_OK(t_is_open(list[1].listening.fd));
    T_OK(list[0].listening.fd != list[1].listening.fd);
    T_OK(list[0].listening.handler == accept_nothing);
    T_OK(list[1].listening.handler == accept_nothing);
    T_OK(t_is_filled(list[0].more, sizeof(list[0].more), 1));
    T_OK(t_is_filled(list[1].more, sizeof(list[1].more), 2));
}


static ngx_int_t
check_server(ngx_cycle_t *cycle)
{
    check_cycle(cycle);

    /*
     * The library works on a copy, and does not write to the program's own
     * array of addresses.
     */

    T_EQ(addresses[0].listening.fd, -1);
    T_OK(t_is_filled(conf.more, sizeof(conf.more), GUARD));

    _exit(0);
}


/*
 * The callback of a reload.  The copy of the configuration that it changes has
 * room for the fields of the later version.
 */

static ngx_int_t
change_all(ngx_core_conf_t *copy)
{
    newer_conf_t              *c = (newer_conf_t *) copy;
    newer_listening_t         *old = (newer_listening_t *) copy->listening;
    static newer_listening_t   list[2];

    T_EQ(old[1].listening.address[0], '1');
    T_OK(t_is_filled(old[1].more, sizeof(old[1].more), 2));

    T_EQ(ngx_ipc_conf_init_size(copy, sizeof(newer_conf_t),
                                sizeof(newer_listening_t)), NGX_OK);

    memset(c->more, GUARD, sizeof(c->more));
    set_addresses(list, "127.0.0.2:0");
    copy->listening = &list[0].listening;
    copy->listening_n = 2;

    return NGX_OK;
}


static ngx_int_t
clear_all(ngx_core_conf_t *copy)
{
    memset(copy, 0, sizeof(ngx_core_conf_t));

    return NGX_OK;
}


static ngx_int_t
check_reload(ngx_cycle_t *cycle)
{
    newer_conf_t  *c = (newer_conf_t *) cycle->conf_ctx[0];

    T_OK(ngx_init_cycle(cycle) == NULL);
    T_OK(strstr(t_contents(STDERR_FILENO), "[alert]") != NULL);
    T_OK(strstr(t_contents(STDERR_FILENO), "invalid size 0 of ngx_core_conf_t, "
                "call ngx_ipc_conf_init() first") != NULL);
    check_cycle(cycle);

    c->conf.reconfigure = change_all;

    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    check_cycle(cycle);
    T_OK(strcmp(((ngx_listening_t *) cycle->listening.elts)->address,
                "127.0.0.2:0") == 0);

    _exit(0);
}


static void
run_server(ngx_int_t (*check)(ngx_cycle_t *cycle))
{
    pid_t                 pid;
    ngx_module_t         *modules[2];
    static ngx_module_t   module;

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        module.init_process = check;
        modules[0] = &module;
        modules[1] = NULL;

        set_addresses(addresses, "127.0.0.1:0");

        T_EQ(ngx_ipc_conf_init_size(&conf.conf, sizeof(newer_conf_t),
                                    sizeof(newer_listening_t)), NGX_OK);
        memset(conf.more, GUARD, sizeof(conf.more));
        conf.conf.master = 0;
        conf.conf.modules = modules;
        conf.conf.listening = &addresses[0].listening;
        conf.conf.listening_n = 2;
        conf.conf.reconfigure = clear_all;

        _exit(ngx_ipc_main(&conf.conf, 0, NULL));
    }

    if (!T_EQ(t_wait(pid), 0)) {
        t_diag("stderr is \"%s\"", t_contents(STDERR_FILENO));
    }
}


static void
test_server_newer(void)
{
    run_server(check_server);
}


static void
test_reload_newer(void)
{
    run_server(check_reload);
}


/* Tests of the list of processes. */

static void
test_process(void)
{
    newer_process_t     p[2];
    ngx_ipc_process_t   known;
    ngx_int_t         (*function)(ngx_ipc_process_t *p) = ngx_ipc_next_process;

    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    /* The structure has the size that the library knows. */

    memset(p, GUARD, sizeof(p));
    p[0].process.slot = -1;
    T_EQ(ngx_ipc_next_process(&p[0].process), NGX_OK);
    T_EQ(p[0].process.pid, ngx_processes[0].pid);
    T_EQ(p[0].process.dropped, 0);
    T_OK(t_is_filled(p[0].more, sizeof(p[0].more), GUARD));

    known.slot = -1;
    T_EQ(function(&known), NGX_OK);
    T_EQ(known.pid, ngx_processes[0].pid);

    /*
     * The structure is larger: the library sets the fields that it does not
     * know to zero.
     */

    memset(p, GUARD, sizeof(p));
    p[0].process.slot = -1;
    T_EQ(ngx_ipc_next_process_size(&p[0].process, sizeof(newer_process_t)),
         NGX_OK);
    T_EQ(p[0].process.pid, ngx_processes[0].pid);
    T_OK(t_is_filled(p[0].more, sizeof(p[0].more), 0));
    T_OK(t_is_filled((u_char *) &p[1], sizeof(p[1]), GUARD));

    /*
     * The list has no further process, so the library writes nothing to the
     * structure.
     */

    memset(p[0].more, GUARD, sizeof(p[0].more));
    T_EQ(ngx_ipc_next_process_size(&p[0].process, sizeof(newer_process_t)),
         NGX_DECLINED);
    T_EQ(p[0].process.pid, ngx_processes[0].pid);
    T_OK(t_is_filled(p[0].more, sizeof(p[0].more), GUARD));

    /* The structure is smaller than that of version 0.1, so the call fails. */

    memset(p, GUARD, sizeof(p));
    T_EQ(ngx_ipc_next_process_size(&p[0].process,
                                   offsetof(ngx_ipc_process_t, dropped)
                                   + sizeof(ngx_uint_t) - 1), NGX_ERROR);
    T_EQ(ngx_ipc_next_process_size(&p[0].process, 0), NGX_ERROR);
    T_OK(t_is_filled((u_char *) p, sizeof(p), GUARD));
    T_EQ(ngx_ipc_next_process_size(NULL, 0), NGX_DECLINED);

    t_end_processes();
}


/* Tests of a cycle that the program has defined itself. */

static void
test_cycle(void)
{
    char                 text[256];
    ngx_int_t          (*function)(ngx_cycle_t *cycle) = ngx_ipc_init;
    static ngx_cycle_t   cycles[2];

    t_time_init();
    t_catch_stderr();
    memset(&cycles[1], GUARD, sizeof(ngx_cycle_t));
    ngx_cycle = t_cycle();

    T_EQ(ngx_ipc_init_size(&cycles[0], sizeof(ngx_cycle_t) - 1), NGX_ERROR);
    T_OK(t_is_filled((u_char *) &cycles[0], sizeof(ngx_cycle_t), 0));
    T_OK(ngx_cycle == t_cycle());

    snprintf(text, sizeof(text), "invalid size %d of ngx_cycle_t, "
             "it has at least %d bytes", (int) sizeof(ngx_cycle_t) - 1,
             (int) sizeof(ngx_cycle_t));
    t_one_line_on_stderr(text);

    T_EQ(ngx_ipc_init(&cycles[0]), NGX_OK);
    T_EQ(function(&cycles[0]), NGX_OK);
    T_EQ(ngx_ipc_init_size(&cycles[0], 2 * sizeof(ngx_cycle_t)), NGX_OK);
    T_OK(ngx_cycle == &cycles[0]);
    T_OK(t_is_filled((u_char *) &cycles[1], sizeof(ngx_cycle_t), GUARD));
}


int
main(void)
{
    t_begin();

    t_run("a configuration has the sizes of the program", test_conf_sizes);
    t_run("nothing is written behind a configuration", test_conf_behind);
    t_run("unknown fields of a configuration are cleared", test_conf_newer);
    t_run("smaller configurations are refused", test_conf_smaller);
    t_run("a configuration without sizes is refused", test_main_refuses);
    t_run("a server with newer headers", test_server_newer);
    t_run("a reload with newer headers", test_reload_newer);
    t_run("processes of other sizes", test_process);
    t_run("cycles of other sizes", test_cycle);

    return t_end();
}
