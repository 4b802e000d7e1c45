
/*
 * A small harness for tests that use nginx's API only.  So the same test can
 * be linked with this library and with nginx's own objects.
 *
 * Each case runs in a child process that has its own process group and a time
 * limit.  A case fails if it leaves a descriptor, a child or a System V
 * segment behind.  The output is TAP.
 *
 * The name of a case says which result is right with nginx's objects:
 *
 *   "D12 ...", "D ..."   nginx has this defect, so the case must fail; the
 *                        number is that of docs/differences.md
 *   "X ..."              the behaviour of nginx is undefined: the case is
 *                        skipped
 *   any other name       the case must pass, as it does with the library
 *
 * Environment:
 *
 *   T_EXPECT=nginx   the program is linked with nginx's objects
 *   T_VALGRIND=1     the program runs under valgrind
 *   T_ONLY=text      runs only the cases whose names contain the text
 *   T_TIMEOUT=60     the time limit of a case, in seconds; a case that must fail
 *                    has a quarter of it
 *   T_STOP=1         runs no more cases after the first that fails
 *   T_LONG=1         cases with random input run for 5 minutes
 *   T_VERBOSE=1      also prints why a case fails that must fail with nginx
 */


#ifndef _TEST_H_INCLUDED_
#define _TEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_channel.h>

#if (T_NGINX)

/*
 * nginx declares these functions static. run/nginx-objects.sh makes them
 * global, so that the tests can call them.
 */

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


/* test.c: functions for cases, and assertions */

void t_begin(void);
void t_run(const char *name, t_case_pt fn);
int t_end(void);

void t_skip(const char *reason);
int t_long(void);
void t_keep_fds(void);
void t_check_leaks(void);
int t_ok(const char *file, int line, const char *text, int ok);
int t_eq(const char *file, int line, const char *ta, long long a,
    const char *tb, long long b);
void t_abort(void) __attribute__((noreturn));


/*
 * Fails the case if the expression is false, and prints its line and text.
 * The case continues.
 */

#define T_OK(expr)                                                           \
    t_ok(__FILE__, __LINE__, #expr, (expr) ? 1 : 0)

#define T_EQ(a, b)                                                           \
    t_eq(__FILE__, __LINE__, #a, (long long) (a), #b, (long long) (b))

/*
 * Fails the case and ends the calling process if the expression is false, for
 * conditions without which the rest of the case makes no sense.
 */

#define T_REQUIRE(expr)                                                      \
    if (!t_ok(__FILE__, __LINE__, #expr, (expr) ? 1 : 0)) {                  \
        t_abort();                                                           \
    }

#define t_nitems(array)  (sizeof(array) / sizeof((array)[0]))


/* t_log.c: a log and a cycle.  All processes of a case write to this log. */

#define T_ANY   ((ngx_uint_t) -1)    /* any level, or any process */
#define T_DIAG  1000                 /* the level of the harness's own lines */

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


/* t_sys.c: failing system calls, and descriptors */

#define T_FDS_MAX  4096

typedef struct {
    unsigned char  open[T_FDS_MAX];
} t_fds_t;

int t_under_valgrind(void);
void t_need_seccomp(void);
void t_fail_syscall(int nr, int err);
void t_fail_syscall_arg(int nr, int err, int arg, unsigned value);
void t_fail_fork(int err);

void t_need_fds_limit(void);
void t_limit_fds(int more);
void t_no_more_fds(void);
void t_more_fds(void);
void t_get_fds(t_fds_t *fds);
int t_open_fds(void);
int t_is_open(int fd);
int t_same_file(pid_t pid_a, int fd_a, pid_t pid_b, int fd_b);
const char *t_fd_name(int fd, char *buf, size_t size);

void *t_shared(size_t size);
int t_is_own_mapping(const void *start);
int t_is_filled(const u_char *start, size_t size, u_char value);
void t_socketpair(int *fd);
void t_message_pair(int *fd);
ssize_t t_send(int s, const void *buf, size_t size, const int *fd,
    size_t nfds);
int t_readable(int fd);
int t_unread(int fd);


/* t_watch.c: what tests that run for some time watch */

long long t_msec(void);
long t_rss(pid_t pid);


/* t_process.c: signals, processes, and slots of the process table */

int t_wait(pid_t pid);
void t_await(volatile int *value, int n);
pid_t t_fork_exit(int code);
pid_t t_fork_run(void (*run)(void));
int t_ends_in(pid_t pid, int msec);
int t_ends(pid_t pid);
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
void t_stop_pid(pid_t pid);
int t_waits_for_events(pid_t pid);
void t_init_events(void);
void t_handle_channel(int fd);


#endif /* _TEST_H_INCLUDED_ */
