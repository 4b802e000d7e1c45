
/* Tests of ngx_spawn_process() whose system calls fail. */


#include "test.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>


static void
exit_proc(ngx_cycle_t *cycle, void *data)
{
    _exit((int) (intptr_t) data);
}


static void
is_empty(ngx_int_t slot)
{
    T_EQ(ngx_processes[slot].pid, -1);
    T_EQ(ngx_processes[slot].channel[0], -1);
    T_EQ(ngx_processes[slot].channel[1], -1);
    T_EQ(ngx_processes[slot].exited, 0);
}


/* Tests in which socketpair() fails. */

static void
test_no_fds(void)
{
    t_no_more_fds();
    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);
    t_more_fds();

    T_EQ(t_logged(NGX_LOG_ALERT, "socketpair() failed while spawning "
                  "\"worker\" (24: Too many open files)"), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "start "), 0);
    T_EQ(ngx_last_process, 0);
}


static void
test_no_fds_detached(void)
{
    /* A detached process has no channel, so it needs no descriptors. */

    t_no_more_fds();
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_DETACHED) > 0);
    t_more_fds();

    t_end_processes();
}


static void
test_no_fds_slot(void)
{
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_EQ(ngx_process_slot, 0);

    t_no_more_fds();
    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);
    t_more_fds();

    T_OK(ngx_process_slot != 0);
    T_EQ(ngx_processes[ngx_process_slot].pid, -1);
    T_EQ(ngx_processes[ngx_process_slot].channel[0], -1);

    T_EQ(ngx_last_process, 1);
    T_OK(ngx_processes[0].pid > 0);

    t_end_processes();
}


static void
test_no_fds_respawn(void)
{
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(exit_proc, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    t_reap_slot(1);
    t_close_slot(1);

    t_no_more_fds();
    T_EQ(t_spawn(t_pause, NULL, "worker", 1), NGX_INVALID_PID);
    t_more_fds();

    T_EQ(ngx_process_slot, 1);
    is_empty(1);
    T_EQ(ngx_last_process, 3);

    t_end_processes();
}


static void
test_no_fds_announced(void)
{
    ngx_channel_t  ch;

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);

    t_no_more_fds();
    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);
    t_more_fds();

    t_log_clear();

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.pid = ngx_processes[ngx_process_slot].pid;
    ch.slot = ngx_process_slot;
    ch.fd = ngx_processes[ngx_process_slot].channel[0];

    ngx_pass_open_channel(t_cycle(), &ch);

    /*
     * The caller announces the process in ngx_process_slot, as nginx does.
     * This must not announce the previous process again.
     */

    T_EQ(t_logged(NGX_LOG_DEBUG, "pass channel s:1 "), 0);
    T_EQ(t_logged(NGX_LOG_DEBUG, "pass channel s:0 "), 0);
    T_EQ(ch.fd, -1);

    t_end_processes();
}


/* Tests in which fork() fails. */

static void
test_fork_fails(void)
{
    t_need_seccomp();
    t_fail_fork(EAGAIN);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "fork() failed while spawning \"worker\" "
                  "(11: Resource temporarily unavailable)"), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "start "), 0);
    T_EQ(ngx_last_process, 0);
    T_EQ(ngx_process_slot, 0);
}


static void
test_fork_fails_slot(void)
{
    t_need_seccomp();
    t_fail_fork(EAGAIN);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN),
         NGX_INVALID_PID);

    T_EQ(ngx_process_slot, 0);
    is_empty(0);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);
}


static void
fork_fails_respawn(void)
{
    t_need_seccomp();

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(exit_proc, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    t_reap_slot(1);
    t_close_slot(1);

    t_fail_fork(EAGAIN);

    T_EQ(t_spawn(t_pause, NULL, "worker", 1), NGX_INVALID_PID);
    T_EQ(ngx_process_slot, 1);
    T_EQ(ngx_last_process, 3);
}


static void
test_fork_fails_respawn(void)
{
    fork_fails_respawn();

    is_empty(1);

    ngx_processes[1].pid = -1;
    ngx_processes[1].channel[0] = -1;
    ngx_processes[1].channel[1] = -1;
    t_end_processes();
}


static void
test_fork_fails_reused_number(void)
{
    int  fd[2];

    fork_fails_respawn();

    /*
     * The new sockets get the descriptor numbers that the channel of the
     * failed process had.
     */

    t_socketpair(fd);

    (void) ngx_reap_children(t_cycle());

    T_OK(t_is_open(fd[0]));
    T_OK(t_is_open(fd[1]));
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    close(fd[0]);
    close(fd[1]);

    ngx_processes[1].pid = -1;
    ngx_processes[1].channel[0] = -1;
    ngx_processes[1].channel[1] = -1;
    t_end_processes();
}


static void
test_fork_fails_detached(void)
{
    t_need_seccomp();
    t_fail_fork(EAGAIN);

    T_EQ(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_DETACHED),
         NGX_INVALID_PID);
    T_EQ(t_logged(NGX_LOG_ALERT, "fork() failed while spawning"), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);
}


/*
 * ioctl(FIOASYNC) fails, as on a kernel without FIOASYNC for sockets.  nginx
 * needs this call for SIGIO.
 */

static void
test_no_fioasync(void)
{
    t_need_seccomp();
    t_fail_syscall_arg(SYS_ioctl, ENOTTY, 1, FIOASYNC);

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(ngx_processes[0].channel[0] > 2);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


static void
test_no_setown(void)
{
    t_need_seccomp();
    t_fail_syscall_arg(SYS_fcntl, EINVAL, 1, F_SETOWN);

    T_OK(t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    T_OK(ngx_processes[0].channel[0] > 2);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


int
main(void)
{
    t_begin();

    t_run("no descriptors for a channel", test_no_fds);
    t_run("no descriptors for a process without a channel",
          test_no_fds_detached);
    t_run("D3 no descriptors: an empty slot is named", test_no_fds_slot);
    t_run("D3 no descriptors for a respawn", test_no_fds_respawn);
    t_run("D3 no descriptors: nothing is announced", test_no_fds_announced);
    t_run("fork() fails", test_fork_fails);
    t_run("D1 fork() fails: the slot is empty", test_fork_fails_slot);
    t_run("D1 fork() fails on a respawn", test_fork_fails_respawn);
    t_run("D1 fork() fails, and a descriptor number is used again",
          test_fork_fails_reused_number);
    t_run("D10 fork() fails for a detached process",
          test_fork_fails_detached);
    t_run("D FIOASYNC fails", test_no_fioasync);
    t_run("D F_SETOWN fails", test_no_setown);

    return t_end();
}
