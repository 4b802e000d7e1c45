
/*
 * A small harness for tests that are written against nginx's API only, so
 * that each program links both with ngx-ipc and with nginx's own objects.
 *
 * Every case runs in a forked child with a process group of its own, under a
 * time limit, and is checked for what it leaves behind: descriptors, children
 * and System V segments.  The output is TAP.
 *
 * The beginning of a case's name says what is expected of nginx's objects:
 *
 *   "D12 ...", "DEMAND11 ..."   a defect of nginx: must fail there
 *   "X ..."                     undefined there, and not run
 *   anything else               must pass on both
 *
 * Environment:
 *
 *   T_EXPECT=nginx   the program is linked with nginx's objects
 *   T_VALGRIND=1     the program runs under valgrind
 *   T_ONLY=text      run only the cases whose names contain the text
 *   T_TIMEOUT=20     seconds that a case may take
 *   T_VERBOSE=1      show why cases fail even where that is expected
 */


#ifndef _TEST_H_INCLUDED_
#define _TEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_channel.h>

#if (T_NGINX)

/* static in nginx: run/nginx-objects.sh makes them global */

void ngx_channel_handler(ngx_event_t *ev);
void ngx_pass_open_channel(ngx_cycle_t *cycle, ngx_channel_t *ch);
ngx_uint_t ngx_reap_children(ngx_cycle_t *cycle);
void ngx_signal_worker_processes(ngx_cycle_t *cycle, int signo);

#else

#include <ngx_ipc.h>

#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>


typedef void (*t_case_pt)(void);


/* test.c: cases and assertions */

void t_begin(void);
void t_run(const char *name, t_case_pt fn);
int t_end(void);

void t_skip(const char *reason);
void t_keep_fds(void);
int t_ok(const char *file, int line, const char *text, int ok);
int t_eq(const char *file, int line, const char *ta, long long a,
    const char *tb, long long b);
void t_abort(void) __attribute__((noreturn));


/* Each prints its line and its values, and yields whether it held. */

#define T_OK(expr)                                                           \
    t_ok(__FILE__, __LINE__, #expr, (expr) ? 1 : 0)

#define T_EQ(a, b)                                                           \
    t_eq(__FILE__, __LINE__, #a, (long long) (a), #b, (long long) (b))

/* ends the process that it is used in, and with it the case */

#define T_REQUIRE(expr)                                                      \
    if (!t_ok(__FILE__, __LINE__, #expr, (expr) ? 1 : 0)) {                  \
        t_abort();                                                           \
    }

#define t_nitems(array)  (sizeof(array) / sizeof((array)[0]))


/* t_log.c: a log and a cycle; what any process of the case logs is seen */

#define T_ANY   ((ngx_uint_t) -1)    /* any level, any process */
#define T_DIAG  1000                 /* the harness's own lines */

void t_log_init(void);
void t_log_reset(void);
void t_log_clear(void);
ngx_log_t *t_log(void);
ngx_cycle_t *t_cycle(void);
ngx_uint_t t_logged(ngx_uint_t level, const char *text);
ngx_uint_t t_logged_by(pid_t pid, ngx_uint_t level, const char *text);
ngx_uint_t t_loggedf(ngx_uint_t level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void t_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void t_log_print(ngx_uint_t diag);


/* t_sys.c: faults and descriptors */

#define T_FDS_MAX  4096

typedef struct {
    unsigned char  open[T_FDS_MAX];
} t_fds_t;

int t_under_valgrind(void);
void t_need_seccomp(void);
void t_fail_syscall(int nr, int err);
void t_fail_syscall_arg(int nr, int err, int arg, unsigned value);
void t_fail_fork(int err);

void t_limit_fds(int more);
void t_no_more_fds(void);
void t_more_fds(void);
void t_get_fds(t_fds_t *fds);
int t_open_fds(void);
int t_is_open(int fd);
int t_same_file(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b);
const char *t_fd_name(int fd, char *buf, size_t size);

void *t_shared(size_t size);
int t_is_filled(const u_char *start, size_t size, u_char value);
void t_socketpair(int *fd);
ssize_t t_send(int s, const void *buf, size_t size, const int *fd,
    size_t nfds);
int t_readable(int fd);
int t_unread(int fd);


/* t_process.c */

int t_wait(pid_t pid);
void t_await(volatile int *value, int n);
pid_t t_fork_exit(int code);
void t_wake_on(int signo);
void t_block_all(void);
void t_pause(ngx_cycle_t *cycle, void *data);
pid_t t_spawn(ngx_spawn_proc_pt proc, void *data, char *name,
    ngx_int_t respawn);
void t_exit_proc(ngx_cycle_t *cycle, void *data);
void t_kill_proc(ngx_cycle_t *cycle, void *data);
pid_t t_spawn_and_end(ngx_spawn_proc_pt proc, int arg, ngx_int_t respawn);
void t_reap_slot(ngx_int_t slot);
void t_close_slot(ngx_int_t slot);
void t_end_process(ngx_int_t slot);
void t_end_processes(void);
void t_init_signals(void);
void t_exited(pid_t pid);
void t_init_events(void);
void t_handle_channel(int fd);


#endif /* _TEST_H_INCLUDED_ */
