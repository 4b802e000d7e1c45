
/* Arguments that cannot be: what is told, what is returned, what is left. */


#include "t_channel.h"

#include <stdio.h>


static ngx_cycle_t  no_log_cycle;      /* a cycle whose log is NULL */


static void
exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


static void
cycle_proc(ngx_cycle_t *cycle, void *data)
{
    _exit(cycle == data ? 0 : 1);
}


/* One alert that says so, and nothing else. */

static void
alert(const char *text)
{
    T_EQ(t_logged(NGX_LOG_ALERT, text), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


static void
no_alert(void)
{
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
}


static int
regular_file(void)
{
    int  fd;

    fd = open("/proc/self/exe", O_RDONLY|O_CLOEXEC);
    T_REQUIRE(fd != -1);

    return fd;
}


static int
closed_fd(void)
{
    int  fd;

    fd = dup(0);
    T_REQUIRE(fd != -1);
    close(fd);

    return fd;
}


/* ngx_write_channel(), ngx_read_channel(). */

static void
bad_descriptor(int fd, const char *why)
{
    char           text[128];
    ngx_channel_t  ch;

    t_message(&ch, NGX_CMD_QUIT, -1);

    T_EQ(ngx_write_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    snprintf(text, sizeof(text), "sendmsg() failed (%s", why);
    alert(text);

    t_log_clear();

    T_EQ(ngx_read_channel(fd, &ch, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    snprintf(text, sizeof(text), "recvmsg() failed (%s", why);
    alert(text);
}


static void
test_channel_no_fd(void)
{
    bad_descriptor(-1, "9: Bad file descriptor)");
}


static void
test_channel_closed_fd(void)
{
    bad_descriptor(closed_fd(), "9: Bad file descriptor)");
}


static void
test_channel_far_fd(void)
{
    bad_descriptor(INT_MAX, "9: Bad file descriptor)");
    t_log_clear();
    bad_descriptor(INT_MIN, "9: Bad file descriptor)");
}


static void
test_channel_regular_file(void)
{
    int  fd;

    fd = regular_file();
    bad_descriptor(fd, "88: Socket operation on non-socket)");
    close(fd);
}


static void
test_channel_bad_passed_fd(void)
{
    ngx_channel_t  ch;

    t_channel_open();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, closed_fd());
    T_EQ(t_put(&ch), NGX_ERROR);
    alert("sendmsg() failed (9: Bad file descriptor)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_channel_close();
}


static void
test_channel_null(void)
{
    t_channel_open();

    T_EQ(ngx_write_channel(t_pair[0], NULL, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    alert("");
    T_EQ(t_unread(t_pair[1]), 0);

    t_log_clear();
    T_EQ(ngx_read_channel(t_pair[1], NULL, sizeof(ngx_channel_t), t_log()),
         NGX_ERROR);
    alert("");

    t_channel_close();
}


static void
test_channel_null_log(void)
{
    ngx_channel_t  ch;

    t_channel_open();
    t_message(&ch, NGX_CMD_QUIT, -1);

    T_EQ(ngx_write_channel(t_pair[0], &ch, sizeof(ngx_channel_t), NULL),
         NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], &ch, sizeof(ngx_channel_t), NULL), 32);
    T_EQ(ngx_read_channel(t_pair[1], &ch, sizeof(ngx_channel_t), NULL),
         NGX_AGAIN);

    T_EQ(ngx_write_channel(-1, &ch, sizeof(ngx_channel_t), NULL), NGX_ERROR);
    T_EQ(ngx_read_channel(-1, &ch, sizeof(ngx_channel_t), NULL), NGX_ERROR);
    T_EQ(ngx_write_channel(t_pair[0], NULL, 0, NULL), NGX_ERROR);
    T_EQ(ngx_read_channel(t_pair[0], NULL, 0, NULL), NGX_ERROR);

    t_channel_close();
}


/* Too small to be a message: nothing is sent, nothing is taken. */

static void
test_channel_small(void)
{
    size_t         size;
    ngx_channel_t  ch;

    t_channel_open();

    for (size = 0; size < sizeof(ngx_channel_t); size++) {
        t_log_clear();
        t_message(&ch, NGX_CMD_QUIT, -1);

        T_EQ(ngx_write_channel(t_pair[0], &ch, size, t_log()), NGX_ERROR);
        alert("");
        T_EQ(t_unread(t_pair[1]), 0);
    }

    T_EQ(t_put(&ch), NGX_OK);

    for (size = 0; size < sizeof(ngx_channel_t); size++) {
        t_log_clear();

        T_EQ(ngx_read_channel(t_pair[1], &ch, size, t_log()), NGX_ERROR);
        alert("");
        T_EQ(t_unread(t_pair[1]), 32);
    }

    T_EQ(t_get(&ch), 32);

    t_channel_close();
}


static void
test_channel_large(void)
{
    static u_char  sent[1024 * 1024], got[1024 * 1024];

    t_channel_open();

    memset(sent, 0xa5, sizeof(sent));
    t_message((ngx_channel_t *) sent, 31, -1);

    T_EQ(ngx_write_channel(t_pair[0], (ngx_channel_t *) sent, 32768,
                           t_log()), NGX_OK);
    T_EQ(ngx_read_channel(t_pair[1], (ngx_channel_t *) got, 32768, t_log()),
         32768);
    T_OK(memcmp(sent + sizeof(ngx_channel_t), got + sizeof(ngx_channel_t),
                32768 - sizeof(ngx_channel_t)) == 0);
    no_alert();

    T_EQ(ngx_write_channel(t_pair[0], (ngx_channel_t *) sent, sizeof(sent),
                           t_log()), NGX_ERROR);
    alert("(90: Message too long)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_channel_close();
}


/* Nobody has as much memory: it is not looked at. */

static void
test_channel_size_max(void)
{
    ngx_channel_t  ch;

    t_channel_open();

    t_message(&ch, 31, -1);
    T_EQ(ngx_write_channel(t_pair[0], &ch, SIZE_MAX, t_log()), NGX_ERROR);
    alert("(90: Message too long)");
    T_EQ(t_unread(t_pair[1]), 0);

    t_log_clear();
    T_EQ(ngx_write_channel(t_pair[0], &ch, SIZE_MAX / 2 + 1, t_log()),
         NGX_ERROR);
    alert("(90: Message too long)");

    /* valgrind looks at it */

    if (!t_under_valgrind()) {
        T_OK(ngx_read_channel(t_pair[1], &ch, SIZE_MAX, t_log()) < 0);
    }

    t_channel_close();
}


/* ngx_close_channel(). */

static void
test_close_nothing(void)
{
    int  fd[2];

    fd[0] = -1;
    fd[1] = -1;

    ngx_close_channel(fd, t_log());
    no_alert();

    T_EQ(fd[0], -1);
    T_EQ(fd[1], -1);
}


static void
test_close_null(void)
{
    int  fd[2];

    ngx_close_channel(NULL, t_log());
    ngx_close_channel(NULL, NULL);

    t_socketpair(fd);
    ngx_close_channel(fd, NULL);
    T_EQ(fd[0], -1);

    fd[0] = closed_fd();
    ngx_close_channel(fd, NULL);

    no_alert();
}


static void
test_close_closed(void)
{
    int  fd[2];

    t_socketpair(fd);
    close(fd[0]);
    close(fd[1]);

    ngx_close_channel(fd, t_log());

    T_EQ(t_logged(NGX_LOG_ALERT,
                  "close() channel failed (9: Bad file descriptor)"), 2);
}


/* ngx_spawn_process(). */

static void
spawn_fails(ngx_spawn_proc_pt proc, ngx_int_t respawn)
{
    int  n;

    t_log_clear();
    n = t_open_fds();

    T_EQ(ngx_spawn_process(t_cycle(), proc, NULL, "worker", respawn),
         NGX_INVALID_PID);

    alert("");
    T_EQ(t_open_fds(), n);

    /* what is named is no process: it might be announced */

    T_REQUIRE(ngx_process_slot >= 0);

    if (ngx_process_slot < NGX_MAX_PROCESSES) {
        T_OK(ngx_processes[ngx_process_slot].pid <= 0);
        T_OK(ngx_processes[ngx_process_slot].channel[0] <= 0);
    }
}


static void
test_spawn_null_proc(void)
{
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    spawn_fails(NULL, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_last_process, 1);

    t_end_processes();
}


static void
test_spawn_bad_respawn(void)
{
    ngx_uint_t        i;
    static ngx_int_t  bad[] = {
        -6, -7, -1000, 1024, 1025, 1 << 20, INTPTR_MAX, INTPTR_MIN
    };

    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    for (i = 0; i < t_nitems(bad); i++) {
        spawn_fails(exit_proc, bad[i]);
        T_EQ(ngx_last_process, 1);
    }

    t_end_processes();
}


static void
test_spawn_null_cycle(void)
{
    ngx_pid_t  pid;

    pid = ngx_spawn_process(NULL, cycle_proc, NULL, "worker",
                            NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    ngx_processes[0].exited = 1;

    pid = ngx_spawn_process(NULL, NULL, NULL, NULL, -6);
    T_EQ(pid, NGX_INVALID_PID);

    t_end_processes();
}


static void
test_spawn_null_log(void)
{
    ngx_pid_t  pid;

    pid = ngx_spawn_process(&no_log_cycle, cycle_proc, &no_log_cycle,
                            "worker", NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    T_EQ(t_wait(pid), 0);
    ngx_processes[0].exited = 1;

    pid = ngx_spawn_process(&no_log_cycle, NULL, NULL, "worker", 1024);
    T_EQ(pid, NGX_INVALID_PID);

    t_end_processes();
}


static void
test_spawn_null_name(void)
{
    ngx_pid_t  pid;

    t_init_signals();

    pid = ngx_spawn_process(t_cycle(), exit_proc, NULL, NULL,
                            NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid > 0);
    t_exited(pid);

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "%d exited with code 0", (int) pid), 1);

    t_end_processes();
}


/* ngx_execute(). */

static char  *no_strings[] = { NULL };
static char  *a_string[] = { "program", NULL };


static void
execute_fails(ngx_exec_ctx_t *ctx, const char *text)
{
    int  n;

    t_log_clear();
    n = t_open_fds();

    T_EQ(ngx_execute(t_cycle(), ctx), NGX_INVALID_PID);

    alert(text);
    T_EQ(t_open_fds(), n);
}


static void
execute_ends(ngx_cycle_t *cycle, ngx_exec_ctx_t *ctx)
{
    ngx_pid_t  pid;

    pid = ngx_execute(cycle, ctx);

    if (pid > 0) {
        T_OK(t_wait(pid) != -1);
        ngx_processes[ngx_process_slot].exited = 1;
    }
}


static void
test_execute_null(void)
{
    T_EQ(ngx_execute(NULL, NULL), NGX_INVALID_PID);

    execute_fails(NULL, "");

    t_end_processes();
}


static void
test_execute_null_path(void)
{
    ngx_exec_ctx_t  ctx;

    ctx.path = NULL;
    ctx.name = "program";
    ctx.argv = a_string;
    ctx.envp = no_strings;

    execute_fails(&ctx, "(14: Bad address)");

    ctx.path = "";
    execute_fails(&ctx, "(2: No such file or directory)");

    ctx.path = "/";
    execute_fails(&ctx, "(13: Permission denied)");

    ctx.name = NULL;
    execute_fails(&ctx, "(13: Permission denied)");

    t_end_processes();
}


/* Linux takes NULL for an empty list. */

static void
test_execute_null_lists(void)
{
    ngx_exec_ctx_t  ctx;

    if (t_under_valgrind()) {
        t_skip("valgrind reads the lists");
        return;
    }

    ctx.path = "/bin/true";
    ctx.name = "program";
    ctx.argv = NULL;
    ctx.envp = NULL;

    execute_ends(t_cycle(), &ctx);

    ctx.name = NULL;
    execute_ends(t_cycle(), &ctx);
    execute_ends(NULL, &ctx);
    execute_ends(&no_log_cycle, &ctx);

    t_end_processes();
}


/* Signals. */

static void
test_signals_null(void)
{
    T_EQ(ngx_init_signals(NULL), NGX_OK);
}


static void
test_signals_null_cycle(void)
{
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    ngx_cycle = NULL;
    raise(SIGUSR1);
    T_EQ(ngx_reopen, 1);

    ngx_cycle = &no_log_cycle;
    raise(SIGHUP);
    T_EQ(ngx_reconfigure, 1);

    /* of an unknown child as well */

    t_wait(t_fork_exit(0));
    raise(SIGCHLD);
    T_EQ(ngx_reap, 1);

    no_alert();
}


static void
test_os_signal_null(void)
{
    T_EQ(ngx_os_signal_process(t_cycle(), NULL, getpid()), 1);
    T_EQ(ngx_os_signal_process(NULL, NULL, getpid()), 1);
    T_EQ(ngx_os_signal_process(NULL, "unknown", getpid()), 1);
    T_EQ(ngx_os_signal_process(t_cycle(), "", getpid()), 1);
    no_alert();
}


static void
test_os_signal_null_log(void)
{
    pid_t  pid;

    pid = t_fork_exit(0);
    t_wait(pid);

    T_EQ(ngx_os_signal_process(NULL, "reopen", pid), 1);
    T_EQ(ngx_os_signal_process(&no_log_cycle, "reopen", pid), 1);
}


/* ngx_shm_alloc(), ngx_shm_free(). */

static void
test_shm_null(void)
{
    T_EQ(ngx_shm_alloc(NULL), NGX_ERROR);
    ngx_shm_free(NULL);
    no_alert();
}


static void
test_shm_null_log(void)
{
    ngx_shm_t  shm;

    memset(&shm, 0, sizeof(ngx_shm_t));

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);

    shm.size = SIZE_MAX;
    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);

    shm.size = 4096;
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    T_OK(shm.addr != NULL);
    ngx_shm_free(&shm);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);
}


static void
test_shm_bad_size(void)
{
    ngx_uint_t     i;
    ngx_shm_t      shm;
    static size_t  bad[] = {
        0, SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2 + 1, (size_t) 1 << 62
    };

    for (i = 0; i < t_nitems(bad); i++) {
        memset(&shm, 0, sizeof(ngx_shm_t));
        shm.size = bad[i];
        shm.log = t_log();

        t_log_clear();
        T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
        alert(" failed (");
    }
}


/* ngx_create_pool() and so on. */

static void
test_pool_null(void)
{
    T_OK(ngx_palloc(NULL, 1) == NULL);
    T_OK(ngx_pnalloc(NULL, 1) == NULL);
    T_OK(ngx_pcalloc(NULL, 1) == NULL);
    T_OK(ngx_pool_cleanup_add(NULL, 1) == NULL);
    ngx_destroy_pool(NULL);
    no_alert();
}


static void
test_pool_null_log(void)
{
    ngx_pool_t  *pool;

    T_OK(ngx_create_pool(SIZE_MAX, NULL) == NULL);

    pool = ngx_create_pool(1024, NULL);
    T_REQUIRE(pool != NULL);
    T_OK(ngx_palloc(pool, 100) != NULL);
    T_OK(ngx_palloc(pool, SIZE_MAX) == NULL);
    ngx_destroy_pool(pool);
}


/* The logger. */

static void
test_log_nowhere(void)
{
    ngx_log_t  log;

    memset(&log, 0, sizeof(ngx_log_t));
    log.log_level = NGX_LOG_DEBUG_ALL;

    ngx_log_error(NGX_LOG_ALERT, &log, ENOENT, "text");
    log.next = t_log();
    ngx_log_error(NGX_LOG_ALERT, &log, ENOENT, "text");

    alert("text (2: No such file or directory)");
}


static void
test_log_bad_level(void)
{
    ngx_log_error_core(9, t_log(), 0, "text");
    ngx_log_error_core(T_DIAG + 1, t_log(), 0, "text");
    ngx_log_error_core(NGX_LOG_STDERR, t_log(), 0, "text");

    T_EQ(t_logged(NGX_LOG_STDERR, "[] "), 1);
    no_alert();
}


static void
test_log_abort_nowhere(void)
{
    ngx_cycle = NULL;
    ngx_log_abort(0, "text");

    ngx_cycle = &no_log_cycle;
    ngx_log_abort(0, "text");

    no_alert();
}


#if !(T_NGINX)

/* The event loop. */

static int  calls;


static void
count_handler(ngx_event_t *ev)
{
    calls++;
}


static void
test_event_null_cycle(void)
{
    ngx_event_t  ev;

    t_init_events();
    t_channel_open();

    T_EQ(ngx_add_channel_event(NULL, t_pair[1], NGX_READ_EVENT,
                               count_handler), NGX_OK);
    T_EQ(ngx_add_channel_event(&no_log_cycle, t_pair[0], NGX_READ_EVENT,
                               count_handler), NGX_OK);
    T_EQ(ngx_add_channel_event(NULL, -1, NGX_READ_EVENT, count_handler),
         NGX_ERROR);
    T_EQ(ngx_add_channel_event(NULL, t_pair[1], 0, NULL), NGX_ERROR);
    T_EQ(ngx_add_channel_event(&no_log_cycle, -1, 0, NULL), NGX_ERROR);

    T_EQ(write(t_pair[0], "x", 1), 1);
    ngx_process_events_and_timers(NULL);
    T_EQ(calls, 1);
    ngx_process_events_and_timers(&no_log_cycle);
    T_EQ(calls, 2);

    ngx_close_channel(t_pair, NULL);

    /* an event of nobody's, and no handler */

    memset(&ev, 0, sizeof(ngx_event_t));
    ngx_add_timer(&ev, 0);
    ngx_process_events_and_timers(NULL);
    T_OK(ev.timedout);

    no_alert();
}


static void
test_event_null(void)
{
    t_init_events();

    ngx_event_add_timer(NULL, 1);
    ngx_event_del_timer(NULL);
    T_EQ(ngx_event_no_timers_left(), NGX_OK);

    ngx_free_connection(NULL);
    ngx_close_connection(NULL);

    no_alert();
}


static void
test_connection_no_fd(void)
{
    ngx_connection_t  *c;

    t_init_events();

    c = ngx_get_connection(-1, t_log());
    T_REQUIRE(c != NULL);
    ngx_free_connection(c);
    no_alert();

    c = ngx_get_connection(closed_fd(), t_log());
    T_REQUIRE(c != NULL);
    ngx_close_connection(c);
    T_EQ(c->fd, -1);
    alert("(9: Bad file descriptor)");

    c = ngx_get_connection(closed_fd(), NULL);
    T_REQUIRE(c != NULL);
    ngx_close_connection(c);
}


static void
test_handler_closed(void)
{
    ngx_connection_t  *c;

    t_init_events();
    t_channel_open();

    c = ngx_get_connection(t_pair[1], t_log());
    ngx_close_connection(c);
    ngx_channel_handler(c->read);
    T_OK(t_logged(NGX_LOG_ALERT, "") >= 1);

    c = ngx_get_connection(-1, NULL);
    ngx_channel_handler(c->read);

    close(t_pair[0]);
}


/* ngx_ipc.h. */

static void
test_start_null_cycle(void)
{
    T_REQUIRE(ngx_init_signals(NULL) == NGX_OK);

    ngx_start_worker_processes(NULL, 2, NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_last_process, 2);

    ngx_signal_worker_processes(NULL, SIGTERM);

    while (ngx_reap_children(NULL)) {
        (void) sched_yield();
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, "worker process"), 2);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 2);
}


static void
test_start_bad_type(void)
{
    ngx_start_worker_processes(t_cycle(), 3, -6);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 3);
    T_EQ(ngx_last_process, 0);

    ngx_start_worker_processes(t_cycle(), INTPTR_MIN, NGX_PROCESS_RESPAWN);
    T_EQ(ngx_last_process, 0);
}


/* Without a message it is the process spawned last that is announced. */

static void
test_pass_null(void)
{
    ngx_channel_t  ch;

    ngx_pass_open_channel(t_cycle(), NULL);
    ngx_pass_open_channel(NULL, NULL);
    ngx_pass_open_channel(&no_log_cycle, NULL);

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, -1);
    ngx_pass_open_channel(NULL, &ch);
    ngx_pass_open_channel(&no_log_cycle, &ch);
    no_alert();

    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    ngx_pass_open_channel(t_cycle(), NULL);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "pass channel s:1 pid:%d",
                   (int) ngx_processes[1].pid), 1);
    no_alert();

    t_end_processes();
}


static void
signal_fails(int signo)
{
    t_log_clear();
    ngx_signal_worker_processes(t_cycle(), signo);

    T_EQ(t_loggedf(NGX_LOG_ALERT,
                   "kill(%d, %d) failed (22: Invalid argument)",
                   (int) ngx_processes[0].pid, signo), 1);
    alert("");
    T_EQ(ngx_processes[0].exiting, 0);
    T_EQ(ngx_processes[0].exited, 0);
}


static void
test_signal_bad(void)
{
    T_REQUIRE(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN) > 0);

    signal_fails(-1);
    signal_fails(9999);
    signal_fails(INT_MAX);

    t_end_processes();
}


static void
test_last_process_bad(void)
{
    ngx_uint_t        i;
    static ngx_int_t  bad[] = { -1, 1025, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        ngx_last_process = bad[i];

        ngx_signal_worker_processes(t_cycle(), SIGWINCH);
        T_EQ(ngx_reap_children(t_cycle()), 0);
        T_EQ(ngx_ipc_init_channel(t_cycle(), NULL), NGX_OK);
    }

    ngx_last_process = 0;
    no_alert();
}


static void
test_process_slot_bad(void)
{
    ngx_uint_t        i;
    ngx_channel_t     ch;
    static ngx_int_t  bad[] = { -1, 1024, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        ngx_process_slot = bad[i];

        t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
        T_EQ(ngx_ipc_init_channel(t_cycle(), NULL), NGX_OK);
        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_OK);
        ngx_pass_open_channel(t_cycle(), &ch);
    }

    ngx_process_slot = 0;
    no_alert();
}


static void
test_init_channel_none(void)
{
    t_init_events();

    ngx_channel = -1;

    T_EQ(ngx_ipc_init_channel(NULL, NULL), NGX_OK);
    T_EQ(ngx_ipc_init_channel(t_cycle(), ngx_channel_handler), NGX_ERROR);
    alert("epoll_ctl(1, -1) failed (9: Bad file descriptor)");
}


static void
test_command_null(void)
{
    ngx_channel_t  ch;

    T_EQ(ngx_ipc_channel_command(NULL, t_log()), NGX_ERROR);
    T_EQ(ngx_ipc_channel_command(NULL, NULL), NGX_ERROR);
    alert("no channel message to look at");
    t_log_clear();

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(ngx_ipc_channel_command(&ch, NULL), NGX_OK);
    T_EQ(ngx_quit, 1);
    no_alert();
}


/* A descriptor that has arrived is closed if its slot cannot be. */

static void
test_command_bad_slot(void)
{
    ngx_uint_t        i;
    ngx_channel_t     ch;
    static ngx_int_t  bad[] = { -1, 1024, INTPTR_MAX, INTPTR_MIN };

    for (i = 0; i < t_nitems(bad); i++) {
        t_log_clear();
        t_message(&ch, NGX_CMD_OPEN_CHANNEL, t_some_fd());
        ch.slot = bad[i];

        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_OK);
        alert("");
        T_OK(!t_is_open(ch.fd));

        t_message(&ch, NGX_CMD_OPEN_CHANNEL, t_some_fd());
        ch.slot = bad[i];
        T_EQ(ngx_ipc_channel_command(&ch, NULL), NGX_OK);
        T_OK(!t_is_open(ch.fd));
    }
}


static void
test_command_unknown(void)
{
    ngx_uint_t         i;
    ngx_channel_t      ch;
    static ngx_uint_t  bad[] = { 0, 6, 31, UINTPTR_MAX };

    for (i = 0; i < t_nitems(bad); i++) {
        t_message(&ch, bad[i], -1);
        T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_DECLINED);
    }

    no_alert();
}


static void
test_debug_points_bad(void)
{
    ngx_ipc_debug_points = 77;
    ngx_debug_point();
    ngx_ipc_debug_points = (ngx_uint_t) -1;
    ngx_debug_point();
}

#endif


int
main(void)
{
    t_begin();

    t_run("a channel that is -1", test_channel_no_fd);
    t_run("a channel that is closed", test_channel_closed_fd);
    t_run("a channel that is a number far away", test_channel_far_fd);
    t_run("a channel that is a regular file", test_channel_regular_file);
    t_run("a descriptor to pass that is closed", test_channel_bad_passed_fd);
    t_run("X no message", test_channel_null);
    t_run("X a channel and no log", test_channel_null_log);
    t_run("X messages that are too small", test_channel_small);
    t_run("D15 a message that is too large", test_channel_large);
    t_run("X a message of SIZE_MAX", test_channel_size_max);

    t_run("D10 ngx_close_channel() of -1", test_close_nothing);
    t_run("X ngx_close_channel() of NULL", test_close_null);
    t_run("ngx_close_channel() of closed descriptors", test_close_closed);

    t_run("X ngx_spawn_process() without a function", test_spawn_null_proc);
    t_run("X ngx_spawn_process() with a bad slot", test_spawn_bad_respawn);
    t_run("X ngx_spawn_process() without a cycle", test_spawn_null_cycle);
    t_run("X ngx_spawn_process() without a log", test_spawn_null_log);
    t_run("X ngx_spawn_process() without a name", test_spawn_null_name);

    t_run("X ngx_execute() of NULL", test_execute_null);
    t_run("X ngx_execute() without a path", test_execute_null_path);
    t_run("X ngx_execute() without arguments", test_execute_null_lists);

    t_run("ngx_init_signals() without a log", test_signals_null);
    t_run("X signals without a cycle", test_signals_null_cycle);
    t_run("X ngx_os_signal_process() without a name", test_os_signal_null);
    t_run("X ngx_os_signal_process() without a log",
          test_os_signal_null_log);

    t_run("X ngx_shm_alloc() of NULL", test_shm_null);
    t_run("X ngx_shm_alloc() without a log", test_shm_null_log);
    t_run("ngx_shm_alloc() of a bad size", test_shm_bad_size);

    t_run("X no pool", test_pool_null);
    t_run("X a pool without a log", test_pool_null_log);

    t_run("X a log without a file", test_log_nowhere);
    t_run("X a level that there is not", test_log_bad_level);
    t_run("X ngx_log_abort() without a log", test_log_abort_nowhere);

#if !(T_NGINX)

    t_run("an event loop without a cycle", test_event_null_cycle);
    t_run("no event and no connection", test_event_null);
    t_run("a connection without a descriptor", test_connection_no_fd);
    t_run("ngx_channel_handler() of a closed connection",
          test_handler_closed);

    t_run("workers without a cycle", test_start_null_cycle);
    t_run("workers of a bad type", test_start_bad_type);
    t_run("ngx_pass_open_channel() of NULL", test_pass_null);
    t_run("signals that there are not", test_signal_bad);
    t_run("ngx_last_process that cannot be", test_last_process_bad);
    t_run("ngx_process_slot that cannot be", test_process_slot_bad);
    t_run("ngx_ipc_init_channel() without a channel",
          test_init_channel_none);
    t_run("ngx_ipc_channel_command() of NULL", test_command_null);
    t_run("ngx_ipc_channel_command() of a bad slot", test_command_bad_slot);
    t_run("ngx_ipc_channel_command() of other commands",
          test_command_unknown);
    t_run("ngx_ipc_debug_points that cannot be", test_debug_points_bad);

#endif

    return t_end();
}
