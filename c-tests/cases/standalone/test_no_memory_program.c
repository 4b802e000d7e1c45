
/*
 * Functions that start processes, and functions that run a whole program, are
 * called without memory.  See test_no_memory.c for the others.
 */


#include "t_memory.h"

#include <grp.h>
#include <pwd.h>
#include <ngx_ipc_zone.h>
#include <ngx_rbtree.h>
#include <stdio.h>


/* The names of all files of one run of the test contain the pid of the run. */

static char  pid_file[64], old_file[64], new_file[64], log_file[64];
static char  sock_file[64], unix_address[64], zones_directory[64];


static ngx_core_conf_t  conf;
static ngx_cycle_t      own_cycle;


/* Starting processes. */

static void
a_master(void)
{
    ngx_time_init();
    t_init_events();
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
}


static void
wait_all_gone(void)
{
    while (ngx_reap_children(t_cycle())) {
        ngx_process_events_and_timers(t_cycle());
    }

    ngx_reap = 0;
}



static int
call_ngx_spawn_process(void)
{
    T_OK(ngx_spawn_process(t_cycle(), t_exit_proc, NULL, "process",
                           NGX_PROCESS_NORESPAWN)
         != NGX_INVALID_PID);
    wait_all_gone();

    return 1;
}


static int
call_ngx_ipc_exit_fd(void)
{
    if (ngx_ipc_exit_fd(t_log()) == NGX_ERROR) {
        return 0;
    }

    T_OK(ngx_spawn_process(t_cycle(), t_exit_proc, NULL, "process",
                           NGX_PROCESS_NORESPAWN)
         != NGX_INVALID_PID);
    wait_all_gone();
    T_EQ(ngx_ipc_child_exited(getppid(), 0, t_log()), NGX_DECLINED);

    return 1;
}


static int
call_ngx_execute(void)
{
    ngx_pid_t       pid;
    ngx_exec_ctx_t  ctx;
    char           *argv[] = { "true", NULL }, *envp[] = { NULL };

    ctx.path = "/bin/true";
    ctx.name = "true";
    ctx.argv = argv;
    ctx.envp = envp;

    pid = ngx_execute(t_cycle(), &ctx);
    T_REQUIRE(pid > 0);

    while (kill(pid, 0) == 0) {
        ngx_process_events_and_timers(t_cycle());
    }

    wait_all_gone();

    return 1;
}


/* Workers without memory exit with code 2, and are not started again. */

static int
call_ngx_start_worker_processes(void)
{
    ngx_int_t  s;

    ngx_start_worker_processes(t_cycle(), 3, NGX_PROCESS_NORESPAWN);

    for (s = 0; s < 3; s++) {
        T_OK(ngx_processes[s].pid > 0);
    }

    ngx_signal_worker_processes(t_cycle(), SIGTERM);
    ngx_ipc_signal_role(t_cycle(), SIGTERM, NGX_PROCESS_WORKER);
    wait_all_gone();

    return 1;
}


static int
call_ngx_ipc_spawn_processes(void)
{
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_exit_proc, 3, "process",
                                 NGX_PROCESS_NORESPAWN), 3);
    wait_all_gone();

    return 1;
}


static void
print(void *data, const char *text, size_t len)
{
    T_OK(len > 1 && text[len - 1] == '\n');
    ++*(int *) data;
}


static void
two_processes(void)
{
    a_master();

    T_REQUIRE(ngx_ipc_spawn_processes(t_cycle(), t_pause, 2, "process",
                                      NGX_PROCESS_NORESPAWN) == 2);
}


static int
call_ngx_ipc_print_processes(void)
{
    int                n;
    ngx_ipc_process_t  p;

    n = 0;
    ngx_ipc_print_processes(print, &n);
    T_EQ(n, 2);

    p.slot = -1;

    while (ngx_ipc_next_process(&p) == NGX_OK) {
        n--;
    }

    T_EQ(n, 0);
    p.slot = -1;
    T_EQ(ngx_ipc_next_process_size(&p, sizeof(p)), NGX_OK);

    T_OK(ngx_ipc_version() != NULL);
    (void) ngx_ipc_generation();
    (void) ngx_ipc_is_leader();
    ngx_debug_point();

    return 1;
}


static void
end_processes(void)
{
    ngx_int_t  s;

    for (s = 0; s < 2; s++) {
        kill(ngx_processes[s].pid, SIGKILL);
    }

    wait_all_gone();
}


static int
call_print_and_end(void)
{
    static int  calls;
    int         rc;

    rc = call_ngx_ipc_print_processes();

    if (++calls == 2) {
        end_processes();
    }

    return rc;
}


/*
 * A page of the status is printed, or there is an error and nothing is printed. The
 * function logs nothing. So the result is checked here, and not by t_call_twice().
 */

static int
call_ngx_ipc_print_status(void)
{
    static int         calls;
    int                n, errors;
    ngx_int_t          rc;
    ngx_uint_t         format;
    ngx_ipc_program_t  program;

    T_EQ(ngx_ipc_program_size(&program, sizeof(program)), NGX_OK);
    T_OK(strcmp(program.library, ngx_ipc_version()) == 0);

    errors = 0;

    for (format = NGX_IPC_TEXT; format <= NGX_IPC_JSON_SUMMARY; format++) {
        n = 0;
        rc = ngx_ipc_print_status(format, NULL, 0, print, &n);

        T_OK(rc == NGX_OK || rc == NGX_ERROR);
        T_EQ(n > 0, rc == NGX_OK);
        errors += rc != NGX_OK;
    }

    if (++calls == 1) {
        T_EQ(errors > 0, t_memory->failed > 0);

    } else {
        T_EQ(errors, 0);
        end_processes();
    }

    return 1;
}


/* Setting up a program. */

static int
call_ngx_ipc_init(void)
{
    memset(&own_cycle, 0, sizeof(ngx_cycle_t));

    T_EQ(ngx_ipc_init(&own_cycle), NGX_OK);
    T_EQ(ngx_ipc_init_size(&own_cycle, sizeof(ngx_cycle_t)), NGX_OK);
    T_EQ(ngx_init_signals(t_log()), NGX_OK);
    ngx_ipc_conf_init(&conf);
    T_EQ(ngx_ipc_conf_init_size(&conf, sizeof(ngx_core_conf_t),
                                sizeof(ngx_listening_t)), NGX_OK);

    return 1;
}


/* Whether ps shows the text as a part of the title. */

static int
shows(const char *text)
{
    int      fd;
    char     title[1024];
    ssize_t  n;

    fd = open("/proc/self/cmdline", O_RDONLY);

    if (fd == -1) {
        return 0;
    }

    n = read(fd, title, sizeof(title) - 1);
    close(fd);
    title[n > 0 ? n : 0] = '\0';

    return strstr(title, text) != NULL;
}


/* Without memory of its own, the library writes the title to the arguments. */

static int
call_ngx_setproctitle(void)
{
    static char  *args[] = { NULL, NULL };

    args[0] = strdup("a program that has a name of many letters");
    ngx_os_argv = args;

    if (args[0] == NULL) {
        return 1;
    }

    T_EQ(ngx_init_setproctitle(t_log()), NGX_OK);
    ngx_setproctitle("title");
    T_OK(strstr(args[0], "title") != NULL || shows("title"));
    free(args[0]);

    return 1;
}


/*
 * Whole programs.  SIGALRM of a timer of the system wakes up their event loop.
 */

static ngx_int_t
reconfigure(ngx_core_conf_t *new)
{
    ngx_quit = 1;

    return NGX_OK;
}


static void
accepted(ngx_connection_t *c)
{
    ngx_close_connection(c);
}


static void
wake(int signo)
{
}


static void
wake_up_often(void)
{
    struct itimerval  every = { { 0, 5000 }, { 0, 5000 } };

    signal(SIGALRM, wake);
    setitimer(ITIMER_REAL, &every, NULL);
}


/* Process titles overwrite the arguments. */

static char   shell[] = "/bin/sh", option[] = "-c", command[80];
static char  *argv[] = { shell, option, command, NULL };


/*
 * The program's lines on stderr are also in its log.  Moves a line about the
 * lack of memory to the log of the test, and removes the log.
 */

static void
log_to_file(void)
{
    int  fd;

    fd = open(log_file, O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0644);
    T_REQUIRE(fd != -1);
    dup2(fd, STDERR_FILENO);
    close(fd);
}


static void
take_log(void)
{
    char   line[1024];
    FILE  *f;

    f = fopen(log_file, "r");
    T_REQUIRE(f != NULL);

    while (fgets(line, sizeof(line), f)) {
        if (!strstr(line, "[debug]")) {
            ngx_log_error(NGX_LOG_ALERT, t_log(), 0, "%s", line);
        }
    }

    fclose(f);
    unlink(log_file);
}


static ngx_listening_t  listening[] = {
    { .address = "127.0.0.1:0", .handler = accepted },
    { .address = unix_address, .handler = accepted },
};

static ngx_module_t   module;
static ngx_module_t  *modules[] = { &module, NULL };


static void
program_conf(void)
{
    ngx_ipc_conf_init(&conf);

    conf.pid = pid_file;
    conf.error_log = log_file;
    conf.name = "no_memory";
    conf.username = geteuid() == 0 ? "root" : NULL;
    conf.worker_processes = 1;
    conf.listening = listening;
    conf.listening_n = 2;
    conf.modules = modules;
    conf.reconfigure = reconfigure;

    memset(&module, 0, sizeof(ngx_module_t));

    /*
     * If there is no memory while the C library reads /etc/nsswitch.conf, the
     * C library aborts.
     */

    T_REQUIRE(getpwnam("root") && getgrnam("root"));
}


/* The program starts, and exits in the first round of its event loop. */

static void
run_program(void)
{
    log_to_file();
    wake_up_often();

    ngx_quit = 1;

    _exit(ngx_ipc_main(&conf, 3, argv));
}


static int
call_ngx_ipc_main(void)
{
    int          rc;
    struct stat  st;

    rc = t_exits_with(run_program, NULL);

    T_OK(rc == 0 || rc == 1 || rc == 2);
    T_EQ(stat(pid_file, &st), -1);
    T_EQ(stat(old_file, &st), -1);
    T_EQ(stat(sock_file, &st), -1);
    take_log();

    return rc == 0;
}


/*
 * The program executes a new binary, which makes a file and exits.  When the
 * log says that it has exited, or that there was no memory, the program is
 * stopped.  This function allocates no memory, which could be the allocation
 * that fails.
 */

static int
upgrade_ended(void)
{
    int          fd;
    char        *p;
    ssize_t      n;
    static char  text[65536];

    fd = open(log_file, O_RDONLY);
    n = fd == -1 ? 0 : read(fd, text, sizeof(text) - 1);
    close(fd);

    if (n <= 0) {
        return 0;
    }

    text[n] = '\0';

    for (p = text; (p = strstr(p, "new binary process ")); p++) {
        if (strncmp(p + 19 + strspn(p + 19, "0123456789"), " exited", 7)
            == 0)
        {
            return 1;
        }
    }

    return strstr(text, "malloc() failed") != NULL;
}


static void
run_upgrade(void)
{
    log_to_file();
    wake_up_often();
    ngx_change_binary = 1;

    _exit(ngx_ipc_main(&conf, 3, argv));
}


static void
stop_after_upgrade(pid_t pid)
{
    siginfo_t  info;

    while (!upgrade_ended()) {
        info.si_pid = 0;

        if (waitid(P_PID, pid, &info, WEXITED|WNOHANG|WNOWAIT) == 0
            && info.si_pid == pid)
        {
            return;
        }

        poll(NULL, 0, 5);
    }

    kill(pid, SIGTERM);
}


static int
call_upgrade(void)
{
    int  rc, done;

    rc = t_exits_with(run_upgrade, stop_after_upgrade);
    done = access(new_file, F_OK) == 0;
    unlink(new_file);
    take_log();

    T_OK(rc == 0 || rc == 1);
    T_EQ(access(pid_file, F_OK), -1);
    T_EQ(access(old_file, F_OK), -1);

    return rc == 0 && done;
}


static void
a_program(void)
{
    program_conf();
    conf.username = NULL;
}


static void
an_upgrade(void)
{
    program_conf();
    conf.username = NULL;
    conf.listening_n = 1;
}


static void
a_single_program(void)
{
    program_conf();
    conf.master = 0;
}


/* Zones that each cycle declares: so many, and a typed zone. */

static int              zones_n;
static ngx_shm_zone_t  *typed_zone;


static char *
declare_zones(ngx_cycle_t *cycle, void *unused)
{
    int         i;
    char        text[16];
    ngx_str_t   name;
    ngx_conf_t  cf;

    static ngx_str_t            typed = ngx_string("typed");
    static ngx_ipc_zone_type_t  type = { ngx_string("type"), 1, 8, 0, NULL, NULL, NULL };

    memset(&cf, 0, sizeof(cf));
    cf.cycle = cycle;

    for (i = 0; i < zones_n; i++) {
        name.data = (u_char *) text;
        name.len = snprintf(text, sizeof(text), "zone %d", i);

        if (ngx_ipc_shared_memory_add(cycle, &name, 65536, modules) == NULL
            || ngx_shared_memory_add(&cf, &name, 65536, modules) == NULL)
        {
            return NGX_CONF_ERROR;
        }
    }

    typed_zone = ngx_ipc_zone_add_size(cycle, &type, sizeof(type), &typed, 65536);

    return (typed_zone != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Transactions do without the memory that the test takes away. */

static ngx_int_t
change_typed_zone(ngx_shm_zone_t *zone)
{
    int                        fd;
    void                      *p, *q, *hash;
    ngx_shm_t                  shm = { .log = ngx_cycle->log };
    ngx_queue_t               *h, *x;
    ngx_rbtree_t              *tree;
    ngx_rbtree_node_t         *node;
    ngx_ipc_zone_hash_walk_t   walk;

    memset(&walk, 0, sizeof(walk));

    if (ngx_ipc_zone_begin(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_ipc_zone_alloc(zone, 100);
    q = ngx_ipc_zone_calloc(zone, 5000);

    if (p == NULL || q == NULL
        || ngx_ipc_zone_save(zone, zone->data, 8) != NGX_OK
        || ngx_ipc_zone_free(zone, p) != NGX_OK
        || ngx_ipc_zone_free(zone, q) != NGX_OK
        || ngx_ipc_zone_commit(zone) != NGX_OK
        || ngx_ipc_zone_begin(zone) != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = ngx_ipc_zone_alloc(zone, 2 * sizeof(ngx_queue_t));
    hash = ngx_ipc_zone_hash_create(zone, 10, 8);
    tree = ngx_ipc_zone_calloc(zone, sizeof(ngx_rbtree_t) + 2 * sizeof(ngx_rbtree_node_t));

    if (h == NULL || hash == NULL || tree == NULL) {
        return NGX_ERROR;
    }

    node = (ngx_rbtree_node_t *) (tree + 1);
    ngx_rbtree_init(tree, node, NULL);
    node++;

    x = h + 1;
    ngx_queue_init(h);

    if (ngx_ipc_zone_queue_insert_head(zone, h, x) != NGX_OK
        || ngx_ipc_zone_queue_remove(zone, x) != NGX_OK
        || ngx_ipc_zone_queue_insert_tail(zone, h, x) != NGX_OK
        || ngx_ipc_zone_hash_set(zone, hash, (u_char *) "key", 3, zone->data, 8) != NGX_OK
        || ngx_ipc_zone_hash_get(zone, hash, (u_char *) "key", 3, 8) == NULL
        || ngx_ipc_zone_hash_next(zone, hash, &walk, 8) != NGX_OK
        || ngx_ipc_zone_hash_count(zone, hash) != 1
        || ngx_ipc_zone_queue_next(zone, h, h) != x
        || ngx_ipc_zone_queue_count(zone, h) != 1
        || ngx_ipc_zone_hash_delete(zone, hash, (u_char *) "key", 3) != NGX_OK
        || ngx_ipc_zone_tree_insert(zone, tree, node) != NGX_OK
        || ngx_ipc_zone_tree_find(zone, tree, 0) != node
        || ngx_ipc_zone_tree_min(zone, tree) != node
        || ngx_ipc_zone_tree_lower_bound(zone, tree, 0) != node
        || ngx_ipc_zone_tree_next(zone, tree, node) != NULL
        || ngx_ipc_zone_tree_count(zone, tree) != 1
        || ngx_ipc_zone_tree_delete(zone, tree, node) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* The address of the zone is not free, and the zone has a file or not. */

    fd = ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY);

    if (ngx_ipc_zone_attach(&shm, fd, NGX_IPC_ZONE_READ_ONLY) != NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_ipc_zone_detach(&shm);

    if (fd != -1) {
        close(fd);
    }

    return ngx_ipc_zone_abort(zone);
}


static ngx_core_module_t  zones = { ngx_string("zones"), NULL, declare_zones };


static void
with_zones(int n)
{
    zones_n = n;
    module.ctx = &zones;
    module.type = NGX_CORE_MODULE;
}


/* More zones than the first part of the list has room for. */

static void
a_single_program_with_zones(void)
{
    a_single_program();
    with_zones(6);
}


/* The zones are in files, which are those of an earlier program, if there are some. */

static void
a_single_program_with_files(void)
{
    a_single_program();
    with_zones(1);
    conf.zones_directory = zones_directory;
    conf.keep_zones = 1;
}


static void
remove_files(void)
{
    char  file[96];

    snprintf(file, sizeof(file), "%s/zone%%200.zone", zones_directory);
    (void) unlink(file);
    snprintf(file, sizeof(file), "%s/typed.zone", zones_directory);
    (void) unlink(file);
    T_EQ(rmdir(zones_directory) == -1 && errno != ENOENT, 0);
}


static void
a_single_program_with_new_files(void)
{
    a_single_program_with_files();
    remove_files();
}


static void
an_upgrade_with_files(void)
{
    an_upgrade();
    with_zones(1);
    conf.zones_directory = zones_directory;
}


/* Functions that are called in a hook of a single process. */

static ngx_int_t
in_hook(ngx_cycle_t *cycle)
{
    ngx_int_t     result;
    ngx_cycle_t  *new;

    ngx_log_error(NGX_LOG_ALERT, cycle->log, 0, "a line");

    t_arm();
    result = (typed_zone != NULL) ? change_typed_zone(typed_zone) : NGX_OK;
    ngx_reopen_files(cycle, -1);
    ngx_reopen_files(cycle, geteuid() == 0 ? 1 : -1);
    new = ngx_init_cycle(cycle);
    t_disarm();

    T_EQ(result, NGX_OK);
    ngx_quit = 0;

    if (new == NULL) {
        new = ngx_init_cycle(cycle);
        ngx_quit = 0;
        _exit(new ? 10 : 11);
    }

    _exit(ngx_init_cycle(new) ? 12 : 11);
}


static void
run_in_hook(void)
{
    log_to_file();
    ngx_ipc_main(&conf, 3, argv);
}


static int
call_ngx_init_cycle(void)
{
    int  rc;

    module.init_process = in_hook;
    rc = t_exits_with(run_in_hook, NULL);
    take_log();
    unlink(pid_file);
    unlink(sock_file);

    T_OK(rc == 10 || rc == 12);

    return rc == 12;
}


static void
a_pid_file(void)
{
    FILE  *f;

    signal(SIGHUP, SIG_IGN);
    program_conf();

    f = fopen(pid_file, "w");
    T_REQUIRE(f != NULL);
    fprintf(f, "%d\n", (int) getpid());
    fclose(f);
}


static int
call_ngx_ipc_signal(void)
{
    int  rc;

    rc = ngx_ipc_signal(&conf, "reload");

    if (rc == 1) {
        ngx_log_error(NGX_LOG_ALERT, t_log(), ENOMEM, "no signal");
    }

    return rc == 0;
}


/* The functions that do not return. */

static void
run_master(void)
{
    wake_up_often();
    ngx_quit = 1;
    ngx_master_process_cycle(t_cycle());
}


static void
run_single(void)
{
    wake_up_often();
    ngx_quit = 1;
    ngx_single_process_cycle(t_cycle());
}


static int
call_ngx_master_process_cycle(void)
{
    T_EQ(t_exits_with(run_master, NULL), 0);

    return 1;
}


static int
call_ngx_single_process_cycle(void)
{
    T_EQ(t_exits_with(run_single, NULL), 0);

    return 1;
}


static void
worker(ngx_cycle_t *cycle, void *data)
{
    ngx_terminate = 1;
    wake_up_often();
    ngx_worker_process_cycle(cycle, data);
}


static int
call_ngx_worker_process_cycle(void)
{
    T_OK(ngx_spawn_process(t_cycle(), worker, NULL, "process",
                           NGX_PROCESS_NORESPAWN)
         != NGX_INVALID_PID);
    wait_all_gone();

    T_OK(ngx_processes[0].status == 0
         || ngx_processes[0].status == 2 << 8);

    return ngx_processes[0].status == 0;
}


static int
call_ngx_os_signal_process(void)
{
    signal(SIGHUP, SIG_IGN);
    T_EQ(ngx_os_signal_process(t_cycle(), "reload", getpid()), 0);

    return 1;
}


static const t_call_t  calls[] = {
    { "ngx_spawn_process", a_master, call_ngx_spawn_process, 0 },
    { "ngx_ipc_exit_fd", a_master, call_ngx_ipc_exit_fd, 0 },
    { "ngx_execute", a_master, call_ngx_execute, 0 },
    { "ngx_start_worker_processes", a_master,
      call_ngx_start_worker_processes, 0 },
    { "ngx_ipc_spawn_processes", a_master, call_ngx_ipc_spawn_processes, 0 },
    { "ngx_ipc_print_processes", two_processes, call_print_and_end, 0 },
    { "ngx_ipc_print_status", two_processes, call_ngx_ipc_print_status, 0 },
    { "ngx_os_signal_process", NULL, call_ngx_os_signal_process, 0 },
    { "ngx_ipc_init", NULL, call_ngx_ipc_init, 0 },
    { "ngx_setproctitle", NULL, call_ngx_setproctitle, 0 },
    { "ngx_worker_process_cycle", a_master,
      call_ngx_worker_process_cycle, 0 },
    { "ngx_master_process_cycle", a_master,
      call_ngx_master_process_cycle, 0 },
    { "ngx_single_process_cycle", a_master,
      call_ngx_single_process_cycle, 0 },
    { "ngx_ipc_main", a_program, call_ngx_ipc_main, 0 },
    { "ngx_ipc_main of a single process", a_single_program,
      call_ngx_ipc_main, 0 },
    { "an upgrade of ngx_ipc_main", an_upgrade, call_upgrade, 0 },
    { "ngx_init_cycle", a_single_program, call_ngx_init_cycle, 1 },
    { "ngx_init_cycle with zones", a_single_program_with_zones, call_ngx_init_cycle, 1 },
    { "ngx_ipc_main with new files of zones", a_single_program_with_new_files,
      call_ngx_ipc_main, 0 },
    { "ngx_ipc_main with files of zones", a_single_program_with_files,
      call_ngx_ipc_main, 0 },
    { "an upgrade with files of zones", an_upgrade_with_files, call_upgrade, 0 },
    { "ngx_init_cycle with files of zones", a_single_program_with_new_files,
      call_ngx_init_cycle, 1 },
    { "ngx_ipc_signal", a_pid_file, call_ngx_ipc_signal, 0 },
};

static void
name_files(void)
{
    int  pid;

    pid = (int) getpid();

    snprintf(pid_file, 64, "/tmp/ngx_ipc_no_memory.%d.pid", pid);
    snprintf(old_file, 64, "/tmp/ngx_ipc_no_memory.%d.pid.oldbin", pid);
    snprintf(new_file, 64, "/tmp/ngx_ipc_no_memory.%d.new", pid);
    snprintf(log_file, 64, "/tmp/ngx_ipc_no_memory.%d.log", pid);
    snprintf(sock_file, 64, "/tmp/ngx_ipc_no_memory.%d.sock", pid);
    snprintf(unix_address, 64, "unix:/tmp/ngx_ipc_no_memory.%d.sock", pid);
    snprintf(zones_directory, 64, "/dev/shm/ngx_ipc_no_memory.%d", pid);
    snprintf(command, 80, ": > /tmp/ngx_ipc_no_memory.%d.new", pid);
}


int
main(void)
{
    t_begin();
    name_files();
    t_run_without_memory(calls, t_nitems(calls));

    unlink(pid_file);
    remove_files();

    return t_end();
}
