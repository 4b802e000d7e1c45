
/*
 * Tests of ngx_ipc_exit_fd(), whose descriptor becomes readable when a child
 * exits, and of ngx_ipc_child_exited().
 */


#include "test.h"

#include <sys/syscall.h>


/* Returns the descriptor, or skips the case if there is none. */

static int
exit_fd(void)
{
    int  fd;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    t_wake_on(SIGCHLD);

    fd = (int) syscall(SYS_pidfd_open, getpid(), 0);

    if (fd == -1) {
        t_skip(t_under_valgrind() ? "valgrind has no pidfd_open()"
                                  : "the kernel has no pidfd_open()");
    }

    close(fd);

    fd = ngx_ipc_exit_fd(t_log());
    T_REQUIRE(fd > 2);

    return fd;
}


static int
readable_now(int fd)
{
    struct pollfd  pfd;

    pfd.fd = fd;
    pfd.events = POLLIN;

    return poll(&pfd, 1, 0) == 1;
}


static pid_t
spawn(ngx_spawn_proc_pt proc, int arg, ngx_int_t respawn)
{
    pid_t  pid;

    pid = t_spawn(proc, (void *) (intptr_t) arg, "some worker", respawn);
    T_REQUIRE(pid > 0);

    return pid;
}


/*
 * The library keeps the epoll instance and the eventfd until the process
 * exits, and no other descriptor.
 */

static void
nothing_is_left(int fds, int fd)
{
    T_EQ(t_open_fds(), fds);
    T_EQ(readable_now(fd), 0);
    t_keep_fds();
}


/* Kills the process of slot 0, which is the last one, and reaps it. */

static void
last_is_killed(int fds, int fd)
{
    kill(ngx_processes[0].pid, SIGKILL);
    T_OK(t_readable(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);

    nothing_is_left(fds, fd);
}


static void
test_exit(void)
{
    int  fd, fds;

    fd = exit_fd();
    fds = t_open_fds();
    T_EQ(ngx_ipc_exit_fd(t_log()), fd);
    T_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    T_EQ(readable_now(fd), 0);

    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);
    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);
    T_EQ(readable_now(fd), 0);

    kill(ngx_processes[0].pid, SIGKILL);
    T_OK(t_readable(fd));
    T_OK(readable_now(fd));
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(readable_now(fd), 0);

    kill(ngx_processes[1].pid, SIGKILL);
    T_OK(t_readable(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);

    nothing_is_left(fds, fd);
}


static void
test_respawn(void)
{
    int    i, fd, fds;
    pid_t  pid;

    fd = exit_fd();
    fds = t_open_fds();
    pid = spawn(t_pause, 0, NGX_PROCESS_RESPAWN);

    for (i = 0; i < 5; i++) {
        kill(pid, SIGKILL);
        T_OK(t_readable(fd));
        T_EQ(ngx_reap_children(t_cycle()), 1);
        T_EQ(readable_now(fd), 0);
        T_OK(ngx_processes[0].pid != pid);
        T_EQ(t_open_fds(), fds + 2);
        pid = ngx_processes[0].pid;
    }

    ngx_processes[0].respawn = 0;
    kill(pid, SIGKILL);
    T_OK(t_readable(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);

    nothing_is_left(fds, fd);
}


/* The processes are started before the descriptor is made. */

static void
test_earlier(void)
{
    int    fd, fds;
    pid_t  pid;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);

    pid = spawn(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);

    while (!ngx_processes[0].exited) {
        usleep(1000);
    }

    T_EQ(t_wait(pid), -1);
    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);

    fd = exit_fd();
    T_OK(readable_now(fd));
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(readable_now(fd), 0);

    kill(ngx_processes[1].pid, SIGKILL);
    T_OK(t_readable(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);

    fds = t_open_fds();
    nothing_is_left(fds, fd);
}


/* The program, or the library's handler, reaps the child. */

static void
test_reaped_before(void)
{
    int        fd, fds, status;
    pid_t      pid;

    fd = exit_fd();
    fds = t_open_fds();

    pid = spawn(t_exit_proc, 3, NGX_PROCESS_NORESPAWN);
    T_EQ(waitpid(-1, &status, 0), pid);
    T_OK(readable_now(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_processes[0].status, -1);
    T_EQ(readable_now(fd), 0);

    t_init_signals();
    t_exited(spawn(t_exit_proc, 3, NGX_PROCESS_NORESPAWN));
    T_OK(readable_now(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(ngx_processes[0].status, W_EXITCODE(3, 0));

    nothing_is_left(fds, fd);
}


/*
 * A process that was forked without the library has copies of the descriptors
 * and of the table.  Its calls do not change what its parent watches.
 */

static void
test_copies(void)
{
    int    fd, fds, *go;
    pid_t  copy;

    go = t_shared(sizeof(int));
    fd = exit_fd();
    fds = t_open_fds();

    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);

    copy = fork();

    if (copy == 0) {
        ngx_reap_children(t_cycle());
        t_await(go, 1);
        ngx_reap_children(t_cycle());
        *go = readable_now(ngx_ipc_exit_fd(t_log())) ? 3 : 2;
        t_pause(NULL, NULL);
    }

    kill(ngx_processes[0].pid, SIGKILL);
    T_OK(t_readable(fd));

    *go = 1;
    t_await(go, 2);
    T_EQ(*go, 2);
    T_OK(readable_now(fd));
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(readable_now(fd), 0);

    kill(copy, SIGKILL);
    T_EQ(readable_now(fd), 0);
    T_EQ(t_wait(copy), SIGKILL);

    nothing_is_left(fds, fd);
}


/*
 * A copy of a process closes all its descriptors, and opens others that get the
 * same numbers.  Neither the copy nor its child closes these.
 */

static void
child_of_copy(ngx_cycle_t *cycle, void *data)
{
    (void) cycle;

    _exit(!t_is_open(*(int *) data));
}


static void
test_other_files(void)
{
    int    i, fd, fds, max;
    pid_t  copy, pid;

    fd = exit_fd();
    fds = t_open_fds();
    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);

    copy = fork();

    if (copy == 0) {
        max = fd + 8;

        for (i = 3; i <= max; i++) {
            close(i);
        }

        while (open("/dev/null", O_RDONLY) < max) { /* void */ }

        signal(SIGCHLD, SIG_DFL);
        ngx_pid = getpid();
        pid = t_spawn(child_of_copy, &fd, "child", NGX_PROCESS_NORESPAWN);

        if (pid == NGX_INVALID_PID || t_wait(pid) != 0) {
            _exit(1);
        }

        if (ngx_ipc_exit_fd(t_log()) == fd) {
            _exit(2);
        }

        for (i = 3; i <= max; i++) {
            if (!t_is_open(i)) {
                _exit(3);
            }
        }

        _exit(0);
    }

    T_EQ(t_wait(copy), 0);
    last_is_killed(fds, fd);
}


/*
 * A child that ngx_spawn_process() has started inherits none of the
 * descriptors.  Its own call of ngx_ipc_exit_fd() makes a descriptor for its
 * own children.
 */

static void
child_proc(ngx_cycle_t *cycle, void *data)
{
    int   fd, n;
    char  buf[128];

    for (fd = 0; fd < 64; fd++) {
        if (strstr(t_fd_name(fd, buf, sizeof(buf)), "anon_inode")) {
            _exit(1);
        }
    }

    fd = ngx_ipc_exit_fd(cycle->log);

    if (fd < 0 || readable_now(fd)) {
        _exit(2);
    }

    n = t_open_fds();
    spawn(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);

    if (!t_readable(fd)) {
        _exit(3);
    }

    ngx_reap_children(cycle);

    _exit(readable_now(fd) || t_open_fds() != n ? 4 : 0);
}


static void
test_child(void)
{
    int    fd, fds;
    pid_t  pid;

    fd = exit_fd();
    fds = t_open_fds();

    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);
    pid = spawn(child_proc, 0, NGX_PROCESS_NORESPAWN);
    T_OK(t_readable(fd));
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_loggedf(NGX_LOG_NOTICE, ": some worker %d exited with code 0",
                   (int) pid), 1);

    T_EQ(readable_now(fd), 0);
    last_is_killed(fds, fd);
}


/*
 * A child starts children itself.  Its table also has its siblings, which are
 * not its children, so it must not reap them.
 */

static void
parent_proc(ngx_cycle_t *cycle, void *data)
{
    pid_t  pid, sibling;

    t_wake_on(SIGCHLD);

    sibling = ngx_processes[0].pid;
    pid = spawn(t_exit_proc, 4, NGX_PROCESS_NORESPAWN);

    while (ngx_processes[ngx_process_slot].pid == pid
           && !ngx_processes[ngx_process_slot].exited
           && ngx_process_slot < ngx_last_process)
    {
        ngx_reap_children(cycle);
    }

    if (ngx_processes[0].pid != sibling || ngx_processes[0].exited) {
        _exit(1);
    }

    _exit(0);
}


static void
test_siblings(void)
{
    pid_t  pid;

    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    t_wake_on(SIGCHLD);

    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);
    pid = spawn(parent_proc, 0, NGX_PROCESS_NORESPAWN);
    T_EQ(WEXITSTATUS(t_wait(pid)), 0);
    T_EQ(t_logged_by(pid, NGX_LOG_NOTICE, "exited with code 4"), 1);
    T_EQ(t_logged_by(pid, T_ANY, "its status is unknown"), 0);

    T_EQ(ngx_reap_children(t_cycle()), 1);
    t_end_process(0);
}


static void
test_together(void)
{
    int  i, fd, fds;

    fd = exit_fd();
    fds = t_open_fds();

    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_pause, 8, "some worker",
                                 NGX_PROCESS_NORESPAWN), 8);
    T_EQ(t_open_fds(), fds + 16);

    for (i = 7; i >= 0; i--) {
        kill(ngx_processes[i].pid, SIGKILL);
        T_OK(t_readable(fd));
        T_EQ(ngx_reap_children(t_cycle()), i > 0);
        T_EQ(readable_now(fd), 0);
    }

    nothing_is_left(fds, fd);
}


static void
test_refused(void)
{
    int  fds;

    t_need_seccomp();
    t_fail_syscall(SYS_pidfd_open, ENOSYS);

    fds = t_open_fds();

    T_EQ(ngx_ipc_exit_fd(t_log()), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "pidfd_open() failed (38: "), 1);
    T_EQ(t_open_fds(), fds);

    t_wake_on(SIGCHLD);
    spawn(t_exit_proc, 0, NGX_PROCESS_NORESPAWN);

    while (ngx_reap_children(t_cycle())) {
        usleep(1000);
    }

    T_EQ(t_open_fds(), fds);
}


static void
test_no_descriptors(void)
{
    int  fd, fds;

    fds = t_open_fds();

    t_no_more_fds();
    T_EQ(ngx_ipc_exit_fd(t_log()), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "pidfd_open() failed ("), 1);
    t_more_fds();
    T_EQ(t_open_fds(), fds);

    /* no descriptor is free for the pidfd of a process that was started */

    fd = exit_fd();
    fds = t_open_fds();

    t_limit_fds(2);
    spawn(t_pause, 0, NGX_PROCESS_NORESPAWN);
    T_OK(t_logged(NGX_LOG_ALERT, "pidfd_open() failed (") <= 2);
    t_more_fds();
    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_EQ(t_open_fds(), fds + 2);

    last_is_killed(fds, fd);
}


/* The program has reaped a child, and hands the status over. */

static void
test_status(void)
{
    int    status;
    pid_t  pid;

    t_wake_on(SIGCHLD);

    pid = spawn(t_exit_proc, 2, NGX_PROCESS_RESPAWN);
    T_EQ(waitpid(-1, &status, 0), pid);

    T_EQ(ngx_ipc_child_exited(pid, 0x137f, t_log()), NGX_DECLINED);
    T_EQ(ngx_processes[0].exited, 0);
    T_EQ(ngx_reap, 0);

    T_EQ(ngx_ipc_child_exited(pid, status, t_log()), NGX_OK);
    T_EQ(ngx_reap, 1);
    T_EQ(ngx_processes[0].exited, 1);
    T_EQ(ngx_processes[0].status, W_EXITCODE(2, 0));
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 2"), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "exited with fatal code 2"), 1);

    T_EQ(ngx_ipc_child_exited(pid, status, t_log()), NGX_DECLINED);
    T_EQ(ngx_reap_children(t_cycle()), 0);
    T_EQ(t_logged(T_ANY, "its status is unknown"), 0);
}


static void
test_status_of_others(void)
{
    int    status;
    pid_t  pid;

    t_wake_on(SIGCHLD);

    pid = t_fork_exit(0);
    T_EQ(waitpid(-1, &status, 0), pid);
    T_EQ(ngx_ipc_child_exited(pid, status, t_log()), NGX_DECLINED);
    T_EQ(ngx_ipc_child_exited(-1, 0, t_log()), NGX_DECLINED);
    T_EQ(ngx_ipc_child_exited(0, 0, t_log()), NGX_DECLINED);
    T_EQ(ngx_ipc_child_exited(pid, status, NULL), NGX_DECLINED);
    T_EQ(t_logged(T_ANY, "exited"), 0);
    T_EQ(ngx_reap, 0);
}


int
main(void)
{
    t_begin();

    t_run("the descriptor is readable when a child has exited", test_exit);
    t_run("the descriptor tells of children that were respawned",
          test_respawn);
    t_run("the descriptor tells of children that were there before",
          test_earlier);
    t_run("the descriptor tells of children that other code has reaped",
          test_reaped_before);
    t_run("other processes have copies of the descriptor", test_copies);
    t_run("a copy of a process has other files with the same numbers",
          test_other_files);
    t_run("a child has a descriptor of its own", test_child);
    t_run("siblings of a process with children are not reaped",
          test_siblings);
    t_run("the descriptor tells of processes started together",
          test_together);
    t_run("a kernel without pidfd_open()", test_refused);
    t_run("no descriptor is free", test_no_descriptors);
    t_run("the program hands over the status of a child", test_status);
    t_run("the program hands over the status of another child",
          test_status_of_others);

    return t_end();
}
