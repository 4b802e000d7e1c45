
/* Tests of ngx_pass_open_channel() and ngx_signal_worker_processes(). */


#include "test.h"

#include <sys/syscall.h>


static ngx_channel_t  *received;


/* The function of a worker that reads one message and exits. */

static void
receive_proc(ngx_cycle_t *cycle, void *data)
{
    if (!t_readable(ngx_channel)) {
        _exit(1);
    }

    _exit(ngx_read_channel(ngx_channel, received, sizeof(ngx_channel_t),
                           cycle->log)
          == 32 ? 0 : 1);
}


/* Tests of ngx_pass_open_channel(). */

static void
test_pass_open_channel(void)
{
    ngx_pid_t      pid;
    ngx_channel_t  ch;

    received = t_shared(sizeof(ngx_channel_t));

    t_spawn(receive_proc, NULL, "reader", NGX_PROCESS_NORESPAWN);
    pid = t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = pid;
    ch.slot = 1;
    ch.fd = ngx_processes[1].channel[0];

    ngx_pass_open_channel(t_cycle(), &ch);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(received->command, NGX_CMD_OPEN_CHANNEL);
    T_EQ(received->pid, pid);
    T_EQ(received->slot, 1);
    T_OK(received->fd > 2);

    T_EQ(t_loggedf(NGX_LOG_DEBUG,
                   "pass channel s:1 pid:%d fd:%d to s:0 pid:%d fd:%d",
                   (int) pid, ngx_processes[1].channel[0],
                   (int) ngx_processes[0].pid, ngx_processes[0].channel[0]),
         1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "to s:1 "), 0);

    t_end_processes();
}


static void
test_pass_open_channel_skips(void)
{
    ngx_channel_t  ch;

    t_spawn(t_pause, NULL, "gone", NGX_PROCESS_NORESPAWN);
    t_spawn(t_pause, NULL, "detached", NGX_PROCESS_DETACHED);
    t_spawn(t_pause, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_end_process(0);
    t_log_clear();

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = ngx_processes[2].pid;
    ch.slot = 2;
    ch.fd = ngx_processes[2].channel[0];

    ngx_pass_open_channel(t_cycle(), &ch);

    T_EQ(t_logged(T_ANY, ""), 0);

    t_end_processes();
}


/* Tests of ngx_signal_worker_processes(). */

static void
command(int signo, ngx_uint_t expected, unsigned exiting)
{
    received = t_shared(sizeof(ngx_channel_t));

    t_init_signals();

    T_REQUIRE(t_spawn(receive_proc, NULL, "some worker",
                      NGX_PROCESS_NORESPAWN) > 0);

    ngx_signal_worker_processes(t_cycle(), signo);

    t_exited(ngx_processes[0].pid);

    T_EQ(received->command, expected);
    T_EQ(ngx_processes[0].exiting, exiting);

    t_end_processes();
}


static void
test_command_quit(void)
{
    command(SIGQUIT, NGX_CMD_QUIT, 1);
}


static void
test_command_terminate(void)
{
    command(SIGTERM, NGX_CMD_TERMINATE, 1);
}


static void
test_command_reopen(void)
{
    command(SIGUSR1, NGX_CMD_REOPEN, 0);
}


static void
test_command_kill(void)
{
    t_init_signals();

    T_REQUIRE(t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_NORESPAWN)
              > 0);

    ngx_signal_worker_processes(t_cycle(), SIGKILL);

    t_exited(ngx_processes[0].pid);

    T_EQ(t_logged(NGX_LOG_ALERT, "exited on signal 9"), 1);
    T_EQ(ngx_processes[0].exiting, 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "kill (%d, 9)",
                   (int) ngx_processes[0].pid), 1);

    t_end_processes();
}


/* A filter may allow one of the calls for pidfds and refuse the other. */

static void
kill_without(int nr, int err)
{
    t_need_seccomp();
    t_fail_syscall(nr, err);
    test_command_kill();

    T_EQ(t_logged(NGX_LOG_ALERT, "kill("), 0);
}


static void
test_no_pidfd_open(void)
{
    kill_without(SYS_pidfd_open, ENOSYS);
}


static void
test_no_pidfd_send_signal(void)
{
    kill_without(SYS_pidfd_send_signal, ENOSYS);
}


static void
test_refused_pidfd_send_signal(void)
{
    kill_without(SYS_pidfd_send_signal, EPERM);
}


static void
test_command_just_spawn(void)
{
    t_init_signals();

    /*
     * ngx_signal_worker_processes() skips a process that was just spawned,
     * once.
     */

    T_REQUIRE(t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_JUST_RESPAWN)
              > 0);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    T_EQ(ngx_processes[0].just_spawn, 0);
    T_EQ(ngx_processes[0].exiting, 0);

    ngx_signal_worker_processes(t_cycle(), SIGQUIT);

    T_EQ(ngx_processes[0].exiting, 1);

    t_end_processes();
}


static void
test_command_detached(void)
{
    t_init_signals();

    T_REQUIRE(t_spawn(t_pause, NULL, "some program", NGX_PROCESS_DETACHED)
              > 0);

    ngx_signal_worker_processes(t_cycle(), SIGKILL);

    T_EQ(ngx_processes[0].exiting, 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, "kill ("), 0);

    t_end_processes();
}


/*
 * A process that was reaped gets no signal, because the kernel can have given
 * its pid to another process.
 */

static void
test_exited_is_not_signalled(void)
{
    int       fd[2];
    char      c;
    pid_t     pid;
    sigset_t  set;

    T_REQUIRE(pipe2(fd, O_CLOEXEC) == 0);

    pid = fork();

    if (pid == 0) {
        t_block_all();
        close(fd[1]);

        while (read(fd[0], &c, 1) == -1 && errno == EINTR) { /* void */ }

        sigpending(&set);
        _exit(sigismember(&set, SIGTERM));
    }

    T_REQUIRE(pid > 0);

    t_init_signals();

    ngx_processes[0].pid = pid;
    ngx_processes[0].name = "some worker";
    ngx_processes[0].channel[0] = -1;
    ngx_processes[0].channel[1] = -1;
    ngx_processes[0].exited = 1;
    ngx_last_process = 1;

    ngx_signal_worker_processes(t_cycle(), SIGTERM);

    /*
     * When the pipe is closed, the process checks whether SIGTERM is pending,
     * and exits.
     */

    close(fd[0]);
    close(fd[1]);

    T_EQ(t_wait(pid), 0);
}


int
main(void)
{
    t_begin();

    t_run("ngx_pass_open_channel()", test_pass_open_channel);
    t_run("ngx_pass_open_channel() skips processes without a channel",
          test_pass_open_channel_skips);

    t_run("SIGQUIT is sent as a command", test_command_quit);
    t_run("SIGTERM is sent as a command", test_command_terminate);
    t_run("SIGUSR1 is sent as a command", test_command_reopen);
    t_run("SIGKILL is sent as a signal", test_command_kill);
    t_run("SIGKILL is sent without pidfd_open()", test_no_pidfd_open);
    t_run("SIGKILL is sent without pidfd_send_signal()",
          test_no_pidfd_send_signal);
    t_run("SIGKILL is sent if pidfd_send_signal() is refused",
          test_refused_pidfd_send_signal);
    t_run("a process that was just spawned is skipped once",
          test_command_just_spawn);
    t_run("a detached process is not signalled", test_command_detached);
    t_run("D5 an exited process is not signalled",
          test_exited_is_not_signalled);

    return t_end();
}
