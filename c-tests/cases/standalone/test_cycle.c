
/*
 * Tests of the fields that ngx_cycle_t has in nginx, and of the configurations of
 * modules.
 */


#include "t_logger.h"


typedef struct {
    int  created;
    int  initialized;
} own_conf_t;


static ngx_int_t     (*check)(ngx_cycle_t *cycle);
static own_conf_t      own;
static ngx_core_conf_t conf;
static ngx_listening_t listening;


static void *
create_conf(ngx_cycle_t *cycle)
{
    T_OK(cycle->log != NULL && cycle->pool != NULL);
    own.created++;

    return &own;
}


static void *
create_nothing(ngx_cycle_t *cycle)
{
    return NULL;
}


static char *
init_conf(ngx_cycle_t *cycle, void *data)
{
    T_OK(data == &own);
    own.initialized++;

    return NGX_CONF_OK;
}


static char *
init_fails(ngx_cycle_t *cycle, void *data)
{
    return NGX_CONF_ERROR;
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    return check(cycle);
}


static ngx_command_t      commands[] = { ngx_null_command };

static ngx_core_module_t  context = {
    ngx_string("own"), create_conf, init_conf
};

static ngx_module_t       own_module = {
    NGX_MODULE_V1,
    &context, commands, NGX_CORE_MODULE,
    NULL, NULL, init_process, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

static ngx_module_t       other_module = {
    NGX_MODULE_V1,
    NULL, NULL, NGX_CONF_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


static void
accept_nothing(ngx_connection_t *c)
{
    ngx_close_connection(c);
}


/* Runs a single process whose module calls the function check. */

static int
run(ngx_int_t (*function)(ngx_cycle_t *cycle))
{
    pid_t          pid;
    ngx_module_t  *modules[] = { &other_module, &own_module, NULL };

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        check = function;

        ngx_ipc_conf_init(&conf);
        listening.address = "127.0.0.1:0";
        listening.handler = accept_nothing;

        conf.master = 0;
        conf.modules = modules;
        conf.listening = &listening;
        conf.listening_n = 1;
        conf.error_log = "stderr";

        _exit(ngx_ipc_main(&conf, 0, NULL));
    }

    return t_wait(pid);
}


static ngx_int_t
check_listening(ngx_cycle_t *cycle)
{
    char                 text[64];
    ngx_listening_t     *ls;
    struct sockaddr_in  *in;

    T_REQUIRE(cycle->listening.nelts == 1);
    T_EQ(cycle->listening.size, sizeof(ngx_listening_t));
    T_OK(cycle->listening.pool == cycle->pool);
    T_OK(((ngx_listening_t *) cycle->listening.elts)->previous == NULL);

    ls = cycle->listening.elts;
    in = (struct sockaddr_in *) ls->sockaddr;

    T_OK(t_is_open(ls->fd) && ls->open);
    T_OK(ls->logp == cycle->log);
    T_EQ(ls->socklen, sizeof(struct sockaddr_in));
    T_REQUIRE(in != NULL);
    T_EQ(in->sin_family, AF_INET);
    T_EQ(ntohs(in->sin_port), ls->port);

    snprintf(text, sizeof(text), "127.0.0.1:%d", (int) ls->port);
    T_EQ(ls->addr_text.len, strlen(text));
    T_OK(memcmp(ls->addr_text.data, text, strlen(text) + 1) == 0);

    ngx_close_listening_sockets(cycle);

    T_EQ(cycle->listening.nelts, 0);
    T_EQ(ls->fd, -1);
    T_OK(!ls->open);
    ngx_close_listening_sockets(NULL);

    _exit(0);
}


static void
test_listening(void)
{
    T_EQ(run(check_listening), 0);
}


static ngx_int_t
check_fields(ngx_cycle_t *cycle)
{
    char   name[256];
    void **path;

    T_OK(cycle == ngx_cycle);
    T_OK(cycle->old_cycle == NULL);
    T_OK(!ngx_is_init_cycle(cycle));
    T_EQ(cycle->modules_n, 2);
    T_EQ(cycle->modules_used, 1);
    T_OK(cycle->modules[1] == &own_module);

    memset(name, 0, sizeof(name));
    T_EQ(gethostname(name, sizeof(name) - 1), 0);
    T_EQ(cycle->hostname.len, strlen(name));
    T_OK(strcasecmp((char *) cycle->hostname.data, name) == 0);

    T_EQ(cycle->error_log.len, 6);
    T_OK(memcmp(cycle->error_log.data, "stderr", 6) == 0);
    T_OK(cycle->prefix.len == 0 && cycle->prefix.data != NULL);

    T_OK(cycle->files_n == 0 && cycle->files == NULL);
    T_OK(ngx_queue_empty(&cycle->reusable_connections_queue));
    T_OK(cycle->config_dump_rbtree.root == cycle->config_dump_rbtree.sentinel);
    T_OK(cycle->open_files.part.nelts == 0
         && cycle->open_files.last == &cycle->open_files.part);

    T_EQ(cycle->paths.nelts, 0);
    path = ngx_array_push(&cycle->paths);
    T_OK(path != NULL && cycle->paths.nelts == 1);

    _exit(0);
}


static void
test_fields(void)
{
    T_EQ(run(check_fields), 0);
}


/* Counts the open connections with the descriptor fd, as modules of nginx do. */

static ngx_uint_t
count_open(ngx_cycle_t *cycle, int fd)
{
    ngx_uint_t         i, n;
    ngx_connection_t  *c;

    c = cycle->connections;

    for (i = 0, n = 0; i < cycle->connection_n; i++) {
        if (c[i].fd != fd || c[i].read->accept || c[i].read->channel) {
            continue;
        }

        T_OK(c[i].read->data == &c[i]);
        T_OK(c[i].write->write);
        n++;
    }

    return n;
}


static void
child_proc(ngx_cycle_t *cycle, void *data)
{
    int  ok;

    /* The connections of the parent are not those of the child. */

    ok = (count_open(cycle, 0) == 0 && cycle->connection_n == 0);

    ok = ok && ngx_get_connection(0, cycle->log) != NULL
         && count_open(cycle, 0) == 1;

    _exit(ok ? 0 : 4);
}


static ngx_int_t
check_connections(ngx_cycle_t *cycle)
{
    int                i;
    sigset_t           set;
    ngx_uint_t         n;
    ngx_connection_t  *c[300];

    /* The handler of SIGCHLD must not take the status of the child. */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);

    for (i = 0; i < 300; i++) {
        c[i] = ngx_get_connection(0, cycle->log);
        T_REQUIRE(c[i] != NULL);
    }

    n = cycle->connection_n;
    T_OK(n >= 300);
    T_EQ(count_open(cycle, 0), 300);
    T_OK(c[0] >= cycle->connections && c[0] < cycle->connections + n);

    for (i = 0; i < 300; i += 2) {
        ngx_free_connection(c[i]);
    }

    T_EQ(count_open(cycle, 0), 150);
    T_EQ(cycle->connection_n, n);

    T_EQ(t_wait(ngx_spawn_process(cycle, child_proc, NULL, "child",
                                  NGX_PROCESS_NORESPAWN)), 0);
    T_EQ(count_open(cycle, 0), 150);

    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(count_open(cycle, 0), 150);
    T_EQ(cycle->connection_n, n);

    _exit(0);
}


static void
test_connections(void)
{
    T_EQ(run(check_connections), 0);
}


static ngx_int_t
check_environment(ngx_cycle_t *cycle)
{
    char        **env;
    ngx_uint_t    i, n, last;

    T_EQ(setenv("T_VARIABLE", "value", 1), 0);
    T_OK(ngx_set_environment(cycle, NULL) == environ);

    for (n = 0; environ[n] != NULL; n++) { /* void */ }

    last = 2;
    env = ngx_set_environment(cycle, &last);
    T_REQUIRE(env != NULL && env != environ);
    T_EQ(last, n);
    T_OK(env[n] == NULL);

    for (i = 0; i < n; i++) {
        T_OK(env[i] == environ[i]);
    }

    /* The room for two strings and NULL. */

    env[n] = (char *) "A=1";
    env[n + 1] = (char *) "B=2";
    env[n + 2] = NULL;
    ngx_free(env);

    T_EQ(clearenv(), 0);
    last = 0;
    env = ngx_set_environment(cycle, &last);
    T_REQUIRE(env != NULL);
    T_OK(last == 0 && env[0] == NULL);
    ngx_free(env);

    last = SIZE_MAX / sizeof(char *) / 4;
    T_OK(ngx_set_environment(cycle, &last) == NULL);
    T_EQ(last, SIZE_MAX / sizeof(char *) / 4);

    _exit(0);
}


static void
test_environment(void)
{
#if defined(__SANITIZE_ADDRESS__)
    t_skip("AddressSanitizer has its own malloc()");
#endif

    T_EQ(run(check_environment), 0);
    T_OK(strstr(t_contents(STDERR_FILENO), "[emerg]") != NULL);
}


static ngx_int_t
check_conf(ngx_cycle_t *cycle)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    T_OK((void *) ccf == (void *) cycle->conf_ctx[0]);
    T_EQ(ccf->master, 0);
    T_EQ(ccf->size, sizeof(ngx_core_conf_t));
    T_OK(ccf->user == (uid_t) NGX_CONF_UNSET_UINT);
    T_OK(ccf->group == (gid_t) NGX_CONF_UNSET_UINT);
    T_OK(ccf->oldpid.len == 0 && ccf->oldpid.data != NULL);

    T_OK((void *) ngx_get_conf(cycle->conf_ctx, own_module) == (void *) &own);
    T_OK(ngx_get_conf(cycle->conf_ctx, other_module) == NULL);
    T_EQ(own.created, 1);
    T_EQ(own.initialized, 1);

    _exit(0);
}


static void
test_conf(void)
{
    T_EQ(run(check_conf), 0);
}


static ngx_int_t
check_nothing(ngx_cycle_t *cycle)
{
    T_OK(!"no process starts");
    _exit(3);
}


/* Runs the program, which fails with one line in the log. */

static void
conf_fails(void)
{
    const char  *log, *line;

    T_EQ(WEXITSTATUS(run(check_nothing)), 1);

    log = t_contents(STDERR_FILENO);
    line = strstr(log, "[emerg] ");
    T_REQUIRE(line != NULL);
    T_OK(strstr(line, ": a module's configuration could not be initialized\n")
         == strchr(line, ':'));
}


static void
test_conf_fails(void)
{
    context.create_conf = create_nothing;
    conf_fails();

    context.create_conf = create_conf;
    context.init_conf = init_fails;
    conf_fails();
}


int
main(void)
{
    t_begin();

    t_run("the listening sockets of a cycle", test_listening);
    t_run("the other fields of a cycle", test_fields);
    t_run("the connections of a cycle", test_connections);
    t_run("ngx_set_environment()", test_environment);
    t_run("the configurations of the modules", test_conf);
    t_run("a module's configuration cannot be made", test_conf_fails);

    return t_end();
}
