
/*
 * The floor of a comparison: functions with the names of nginx's, which make
 * only the system calls that the work needs.  They check no argument, log
 * nothing, and keep no state that only a master needs, so a real program
 * cannot use them.
 */


#include "bench.h"

#include <sched.h>
#include <sys/syscall.h>


ngx_int_t              ngx_process_slot, ngx_last_process;
ngx_socket_t           ngx_channel;
ngx_process_t          ngx_processes[NGX_MAX_PROCESSES];
ngx_uint_t             ngx_process;
ngx_pid_t              ngx_pid;
ngx_int_t              ngx_ncpu;
volatile ngx_cycle_t   *ngx_cycle;

/* The channels and pids of the processes that are spawned together. */

static int                  (*pairs)[2];
static volatile ngx_pid_t   *pids;
static ngx_int_t             together;


void
ngx_time_init(void)
{
}


static void
on_child(int signo)
{
    pid_t      pid;
    ngx_int_t  s;

    (void) signo;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (s = 0; s < ngx_last_process; s++) {
            if (ngx_processes[s].pid == pid) {
                ngx_processes[s].exited = 1;
                break;
            }
        }
    }
}


ngx_int_t
ngx_init_signals(ngx_log_t *log)
{
    struct sigaction  sa;

    (void) log;

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = on_child;

    return sigaction(SIGCHLD, &sa, NULL);
}


static ngx_int_t
free_slot(void)
{
    ngx_int_t  s;

    for (s = 0; s < ngx_last_process && ngx_processes[s].pid != -1; s++) {
        /* void */
    }

    return s;
}


static void
enter(ngx_int_t s, ngx_pid_t pid, int fd)
{
    ngx_processes[s].pid = pid;
    ngx_processes[s].channel[0] = fd;
    ngx_processes[s].channel[1] = -1;
    ngx_processes[s].exited = 0;

    if (s >= ngx_last_process) {
        ngx_last_process = s + 1;
    }
}


ngx_pid_t
ngx_spawn_process(ngx_cycle_t *cycle, ngx_spawn_proc_pt proc, void *data,
    char *name, ngx_int_t respawn)
{
    int        fd[2];
    ngx_pid_t  pid;

    (void) name;

    ngx_process_slot = respawn >= 0 ? respawn : free_slot();

    bench_check(socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0,
                           fd)
                == 0, "socketpair()");

    pid = fork();
    enter(ngx_process_slot, pid == 0 ? getpid() : pid, fd[0]);

    if (pid == 0) {
        ngx_channel = fd[1];
        proc(cycle, data);
        _exit(0);
    }

    close(fd[1]);

    return pid;
}


ngx_pid_t
ngx_execute(ngx_cycle_t *cycle, ngx_exec_ctx_t *ctx)
{
    ngx_pid_t  pid;

    (void) cycle;

    pid = vfork();

    if (pid == 0) {
        execve(ctx->path, ctx->argv, ctx->envp);
        _exit(1);
    }

    ngx_process_slot = free_slot();
    enter(ngx_process_slot, pid, -1);

    return pid;
}


/* A message with room for one descriptor. */

typedef struct {
    struct msghdr  msg;
    struct iovec   iov;

    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(sizeof(int))];
    } control;
} message_t;


static void
prepare(message_t *m, ngx_channel_t *ch, size_t size)
{
    m->iov.iov_base = ch;
    m->iov.iov_len = size;

    memset(&m->msg, 0, sizeof(struct msghdr));
    m->msg.msg_iov = &m->iov;
    m->msg.msg_iovlen = 1;
    m->msg.msg_control = &m->control;
    m->msg.msg_controllen = sizeof(m->control);
}


ngx_int_t
ngx_write_channel(ngx_socket_t s, ngx_channel_t *ch, size_t size,
    ngx_log_t *log)
{
    ssize_t          n;
    message_t        m;
    struct cmsghdr  *cmsg;

    (void) log;

    if (ch->fd == -1) {
        n = send(s, ch, size, MSG_NOSIGNAL);

    } else {
        prepare(&m, ch, size);

        cmsg = CMSG_FIRSTHDR(&m.msg);
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(cmsg), &ch->fd, sizeof(int));

        n = sendmsg(s, &m.msg, MSG_NOSIGNAL);
    }

    if (n == -1) {
        return errno == EAGAIN ? NGX_AGAIN : NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_read_channel(ngx_socket_t s, ngx_channel_t *ch, size_t size,
    ngx_log_t *log)
{
    ssize_t          n;
    message_t        m;
    struct cmsghdr  *cmsg;

    (void) log;

    prepare(&m, ch, size);

    n = recvmsg(s, &m.msg, MSG_CMSG_CLOEXEC);

    if (n == -1) {
        return errno == EAGAIN ? NGX_AGAIN : NGX_ERROR;
    }

    cmsg = CMSG_FIRSTHDR(&m.msg);
    ch->fd = -1;

    if (cmsg != NULL) {
        memcpy(&ch->fd, CMSG_DATA(cmsg), sizeof(int));
    }

    return n;
}


ngx_int_t
ngx_shm_alloc(ngx_shm_t *shm)
{
    shm->addr = mmap(NULL, shm->size, PROT_READ|PROT_WRITE,
                     MAP_ANONYMOUS|MAP_SHARED, -1, 0);

    return shm->addr == MAP_FAILED ? NGX_ERROR : NGX_OK;
}


void
ngx_shm_free(ngx_shm_t *shm)
{
    munmap(shm->addr, shm->size);
}


void
floor_spawn_processes(ngx_spawn_proc_pt proc, ngx_int_t n)
{
    int            aside;
    ngx_int_t      i;
    ngx_pid_t      pid;
    ngx_channel_t  ch;

    aside = (int) n + 64;
    together = n;
    pairs = calloc(n, sizeof(*pairs));
    pids = mmap(NULL, n * sizeof(ngx_pid_t), PROT_READ|PROT_WRITE,
                MAP_ANONYMOUS|MAP_SHARED, -1, 0);

    /*
     * The ends that a child must close get descriptors of a range of their
     * own, so that the child closes them with one close_range().
     */

    for (i = 0; i < n; i++) {
        bench_check(socketpair(AF_UNIX,
                               SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0,
                               pairs[i])
                    == 0, "socketpair()");
        bench_check(dup3(pairs[i][1], aside + i, O_CLOEXEC) != -1, "dup3()");
        close(pairs[i][1]);
        pairs[i][1] = aside + i;
    }

    for (i = 0; i < n; i++) {
        pid = fork();

        if (pid == 0) {
            ngx_process_slot = i;
            ngx_channel = pairs[i][1];
            enter(i, getpid(), pairs[i][0]);
            syscall(SYS_close_range, aside + i + 1, aside + n, 0);
            proc(NULL, NULL);
        }

        pids[i] = pid;
        enter(i, pid, pairs[i][0]);
        close(pairs[i][1]);
    }

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = FLOOR_CMD_TOGETHER;
    ch.fd = -1;

    for (i = 0; i < n - 1; i++) {
        bench_check(ngx_write_channel(pairs[i][0], &ch, sizeof(ngx_channel_t),
                                      NULL)
                    == NGX_OK, "ngx_write_channel()");
    }
}


void
floor_enter(void)
{
    ngx_int_t  i;

    for (i = ngx_process_slot + 1; i < together; i++) {
        enter(i, pids[i], pairs[i][0]);
    }
}


ngx_int_t
ngx_shmtx_create(ngx_shmtx_t *mtx, ngx_shmtx_sh_t *addr, u_char *name)
{
    (void) name;
    mtx->lock = &addr->lock;

    return NGX_OK;
}


void
ngx_shmtx_lock(ngx_shmtx_t *mtx)
{
    while (!ngx_atomic_cmp_set(mtx->lock, 0, 1)) {
        (void) sched_yield();
    }
}


void
ngx_shmtx_unlock(ngx_shmtx_t *mtx)
{
    (void) ngx_atomic_cmp_set(mtx->lock, 1, 0);
}
