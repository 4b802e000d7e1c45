
/*
 * A module with which the tests of tests/nginx/defects/ make processes of
 * nginx do something that no signal can cause.
 *
 * Its directive:
 *
 *   fault exit;        in http: each worker exits when it is initialized
 *   fault returns;     in http: the master spawns a function that returns
 *   fault early;       in http: init_module starts a process and waits until it
 *                      has exited, before nginx handles signals
 *   fault spawns;      in http: each worker starts a process in init_process
 *   fault full;        in http: the master fills its process table, so that it
 *                      has room for two more processes
 *   fault slots;       in http: finds the slots of the next workers in the
 *                      process table, as nchan and push-stream do; each worker
 *                      logs whether its slot is one of these slots
 *   fault commands;    in a location: the worker does what a request asks for
 *
 * The arguments of such a request, and the answer:
 *
 *   do=slot&to=N       answers with slot N of this worker's process table;
 *                      without "to", with its own slot
 *   do=send&to=N&...   sends a message to the process in slot N. command=, slot=
 *                      and pid= are the fields of the message, size= is the
 *                      number of bytes, and fds= the number of descriptors
 *   do=fill&...        sends such messages until the channel is full
 *   do=urgent&to=N&size=N
 *                      sends N bytes of urgent data, MSG_OOB, to the process in
 *                      slot N
 *   do=senders&n=N&... forks N children, one after the other. Each sends such a
 *                      message as do=send and exits
 *   do=deaf            closes this worker's end of its channel
 *   do=child           forks a child that exits with 3, waits for the child, and
 *                      answers with its exit code
 *   do=orphans&n=N     forks N children that exit, and does not wait for them
 *   do=lock            locks all shared zones, and changes the addresses of the
 *                      locks in shared memory
 *   do=write&size=N    writes a message of N bytes to a new socketpair, and
 *                      answers with the result
 *   do=read&size=N     reads a message of N bytes, of which 40 have arrived, and
 *                      answers with the result
 *
 * The stock nginx and the one that is built with the library both load this
 * module, which is compiled with the same options.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>
#include <ngx_http.h>

#include <stdio.h>


static char *ngx_http_fault(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static void *ngx_http_fault_create_main_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_fault_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_fault_init_process(ngx_cycle_t *cycle);


typedef struct {
    ngx_flag_t  exit;
    ngx_flag_t  returns;
    ngx_flag_t  full;
    ngx_flag_t  slots;
    ngx_flag_t  spawns;
    ngx_flag_t  early;
} ngx_http_fault_conf_t;


typedef struct {
    char         *name;
    ngx_int_t   (*run)(ngx_http_request_t *r, char *answer);
} ngx_http_fault_t;


#define NGX_HTTP_FAULT_ANSWER  128
#define NGX_HTTP_FAULT_LARGE   (1024 * 1024)


static ngx_command_t  ngx_http_fault_commands[] = {

    { ngx_string("fault"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_fault,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_fault_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_fault_create_main_conf,       /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_fault_module = {
    NGX_MODULE_V1,
    &ngx_http_fault_module_ctx,            /* module context */
    ngx_http_fault_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_fault_init_module,            /* init module */
    ngx_http_fault_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx's configure writes these variables for a dynamic module. */

ngx_module_t  *ngx_modules[] = { &ngx_http_fault_module, NULL };
char          *ngx_module_names[] = { "ngx_http_fault_module", NULL };
char          *ngx_module_order[] = { NULL };


/*
 * Returns the number in the request's argument "name", or "otherwise" if the
 * request has no such argument.
 */

static ngx_int_t
ngx_http_fault_arg(ngx_http_request_t *r, char *name, ngx_int_t otherwise)
{
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return otherwise;
    }

    return ngx_atoi(value.data, value.len);
}


static ngx_int_t
ngx_http_fault_slot(ngx_http_request_t *r, char *answer)
{
    ngx_int_t  to;

    to = ngx_http_fault_arg(r, "to", ngx_process_slot);

    return sprintf(answer, "pid:%d channel:%d last:%d", ngx_processes[to].pid,
                   ngx_processes[to].channel[0], (int) ngx_last_process);
}


/*
 * Sends a message with sendmsg(), because ngx_write_channel() refuses invalid
 * messages.
 */

static ssize_t
ngx_http_fault_sendmsg(ngx_http_request_t *r)
{
    int             fds[2];
    size_t          len;
    ngx_int_t       to;
    struct iovec    iov;
    struct msghdr   msg;
    ngx_channel_t   ch;

    union {
        struct cmsghdr  cm;
        char            space[CMSG_SPACE(sizeof(fds))];
    } cmsg;

    ngx_memzero(&ch, sizeof(ngx_channel_t));
    ngx_memzero(&msg, sizeof(struct msghdr));
    ngx_memzero(&cmsg, sizeof(cmsg));

    to = ngx_http_fault_arg(r, "to", 0);
    ch.command = ngx_http_fault_arg(r, "command", 31);
    ch.slot = ngx_http_fault_arg(r, "slot", ngx_process_slot);
    ch.pid = ngx_http_fault_arg(r, "pid", ngx_pid);
    ch.fd = -1;

    iov.iov_base = &ch;
    iov.iov_len = ngx_http_fault_arg(r, "size", sizeof(ngx_channel_t));
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    len = sizeof(int) * ngx_http_fault_arg(r, "fds", 0);

    if (len) {
        fds[0] = ngx_cycle->log->file->fd;
        fds[1] = fds[0];

        msg.msg_control = &cmsg;
        msg.msg_controllen = CMSG_SPACE(len);
        cmsg.cm.cmsg_len = CMSG_LEN(len);
        cmsg.cm.cmsg_level = SOL_SOCKET;
        cmsg.cm.cmsg_type = SCM_RIGHTS;
        ngx_memcpy(CMSG_DATA(&cmsg.cm), fds, len);
    }

    return sendmsg(ngx_processes[to].channel[0], &msg, 0);
}


static ngx_int_t
ngx_http_fault_send(ngx_http_request_t *r, char *answer)
{
    return sprintf(answer, "sent:%zd", ngx_http_fault_sendmsg(r));
}


static ngx_int_t
ngx_http_fault_fill(ngx_http_request_t *r, char *answer)
{
    ngx_uint_t  n;

    for (n = 0; ngx_http_fault_sendmsg(r) > 0; n++) { /* void */ }

    return sprintf(answer, "sent:%d errno:%d", (int) n, ngx_errno);
}


static ngx_int_t
ngx_http_fault_urgent(ngx_http_request_t *r, char *answer)
{
    ssize_t    n;
    ngx_int_t  to, size;

    to = ngx_http_fault_arg(r, "to", 0);
    size = ngx_http_fault_arg(r, "size", 1);

    n = send(ngx_processes[to].channel[0], "urgent", size,
             MSG_OOB|MSG_NOSIGNAL);

    return sprintf(answer, "sent:%zd errno:%d", n, n == -1 ? ngx_errno : 0);
}


/*
 * The children exit with 0 if the message was sent.  The answer is the number of
 * these children.
 */

static ngx_int_t
ngx_http_fault_senders(ngx_http_request_t *r, char *answer)
{
    int        status;
    pid_t      pid;
    sigset_t   set, before;
    ngx_int_t  n, sent;

    /* The handler of SIGCHLD of a stock nginx reaps the children. */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &before);

    sent = 0;

    for (n = ngx_http_fault_arg(r, "n", 1); n > 0; n--) {

        pid = fork();

        if (pid == 0) {
            signal(SIGPIPE, SIG_IGN);
            _exit(ngx_http_fault_sendmsg(r) > 0 ? 0 : 1);
        }

        while (waitpid(pid, &status, 0) == -1 && ngx_errno == NGX_EINTR) {
            /* void */
        }

        sent += (status == 0);
    }

    sigprocmask(SIG_SETMASK, &before, NULL);

    return sprintf(answer, "sent:%d", (int) sent);
}


static ngx_int_t
ngx_http_fault_deaf(ngx_http_request_t *r, char *answer)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = ngx_cycle->connections;

    for (i = 0; i < ngx_cycle->connection_n; i++) {
        if (c[i].fd == ngx_channel) {
            ngx_del_conn(&c[i], 0);
            ngx_close_connection(&c[i]);
            return sprintf(answer, "closed");
        }
    }

    return sprintf(answer, "not found");
}


/*
 * Starts a child, and waits until the child has exited and the handler of
 * SIGCHLD has run.  In a stock nginx the handler reaps the child, so pclose()
 * fails.
 */

static ngx_int_t
ngx_http_fault_child(ngx_http_request_t *r, char *answer)
{
    int         status;
    FILE       *f;
    siginfo_t   info;

    f = popen("exit 3", "r");
    if (f == NULL) {
        return sprintf(answer, "popen() failed");
    }

    while (waitid(P_ALL, 0, &info, WEXITED|WNOWAIT) == -1
           && ngx_errno == NGX_EINTR)
    {
        /* void */
    }

    status = pclose(f);

    if (status == -1) {
        return sprintf(answer, "pclose() failed, errno:%d", ngx_errno);
    }

    return sprintf(answer, "exited with code:%d", WEXITSTATUS(status));
}


static ngx_int_t
ngx_http_fault_orphans(ngx_http_request_t *r, char *answer)
{
    ngx_int_t  n;

    for (n = ngx_http_fault_arg(r, "n", 1); n > 0; n--) {
        if (fork() == 0) {
            _exit(0);
        }
    }

    return sprintf(answer, "forked");
}


static ngx_int_t
ngx_http_fault_write(ngx_http_request_t *r, char *answer)
{
    int             unread;
    ngx_int_t       rc;
    ngx_fd_t        fds[2];

    static union {
        ngx_channel_t  ch;
        u_char         bytes[NGX_HTTP_FAULT_LARGE];
    } message = { { 31, 0, 0, -1 } };

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0, fds) == -1) {
        return sprintf(answer, "socketpair() failed");
    }

    rc = ngx_write_channel(fds[0], &message.ch,
                           ngx_http_fault_arg(r, "size", 0),
                           r->connection->log);

    (void) ioctl(fds[1], FIONREAD, &unread);
    ngx_close_channel(fds, r->connection->log);

    return sprintf(answer, "rc:%d arrived:%d", (int) rc, unread);
}


static ngx_int_t
ngx_http_fault_read(ngx_http_request_t *r, char *answer)
{
    ngx_int_t  rc;
    ngx_fd_t   fds[2];
    u_char     part[40];

    static union {
        ngx_channel_t  ch;
        u_char         bytes[NGX_HTTP_FAULT_LARGE];
    } message;

    ngx_memzero(part, sizeof(part));
    part[0] = 31;

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0, fds) == -1) {
        return sprintf(answer, "socketpair() failed");
    }

    if (write(fds[0], part, sizeof(part)) != sizeof(part)) {
        return sprintf(answer, "write() failed");
    }

    rc = ngx_read_channel(fds[1], &message.ch,
                          ngx_http_fault_arg(r, "size", 0),
                          r->connection->log);

    ngx_close_channel(fds, r->connection->log);

    return sprintf(answer, "rc:%d", (int) rc);
}


static ngx_int_t
ngx_http_fault_lock(ngx_http_request_t *r, char *answer)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_slab_pool_t  *pool;

    zone = ngx_cycle->shared_memory.part.elts;

    for (i = 0; i < ngx_cycle->shared_memory.part.nelts; i++) {
        pool = (ngx_slab_pool_t *) zone[i].shm.addr;

        pool->lock.lock = ngx_pid;
        pool->mutex.lock = (ngx_atomic_t *) 64;
    }

    return sprintf(answer, "zones:%d", (int) i);
}


static ngx_http_fault_t  ngx_http_faults[] = {
    { "slot", ngx_http_fault_slot },
    { "send", ngx_http_fault_send },
    { "fill", ngx_http_fault_fill },
    { "urgent", ngx_http_fault_urgent },
    { "senders", ngx_http_fault_senders },
    { "deaf", ngx_http_fault_deaf },
    { "child", ngx_http_fault_child },
    { "orphans", ngx_http_fault_orphans },
    { "lock", ngx_http_fault_lock },
    { "write", ngx_http_fault_write },
    { "read", ngx_http_fault_read },
    { NULL, NULL }
};


static ngx_int_t
ngx_http_fault_answer(ngx_http_request_t *r, char *answer)
{
    ngx_str_t          name;
    ngx_http_fault_t  *fault;

    if (ngx_http_arg(r, (u_char *) "do", 2, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    for (fault = ngx_http_faults; fault->name; fault++) {
        if (ngx_strlen(fault->name) == name.len
            && ngx_strncmp(fault->name, name.data, name.len) == 0)
        {
            return fault->run(r, answer);
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_fault_handler(ngx_http_request_t *r)
{
    ngx_int_t                  n;
    ngx_str_t                  type = ngx_string("text/plain");
    ngx_http_complex_value_t   cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.data = ngx_pnalloc(r->pool, NGX_HTTP_FAULT_ANSWER);
    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = ngx_http_fault_answer(r, (char *) cv.value.data);
    if (n < 0) {
        return NGX_HTTP_NOT_FOUND;
    }

    cv.value.len = n;

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static void *
ngx_http_fault_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_fault_conf_t));
}


static char *
ngx_http_fault(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fault_conf_t  *fcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "exit") == 0) {
        fcf->exit = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "returns") == 0) {
        fcf->returns = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "early") == 0) {
        fcf->early = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "spawns") == 0) {
        fcf->spawns = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "full") == 0) {
        fcf->full = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "slots") == 0) {
        fcf->slots = 1;
        return NGX_CONF_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_fault_handler;

    return NGX_CONF_OK;
}


static void
ngx_http_fault_returns(ngx_cycle_t *cycle, void *data)
{
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "fault: returns");
}


/* The function of a process that only occupies a slot, until it is killed. */

static void
ngx_http_fault_fills(ngx_cycle_t *cycle, void *data)
{
    for ( ;; ) {
        pause();
    }
}


static u_char  ngx_http_fault_slots[NGX_MAX_PROCESSES];


static void
ngx_http_fault_find_slots(ngx_cycle_t *cycle)
{
    ngx_int_t         n, s;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    ngx_memzero(ngx_http_fault_slots, sizeof(ngx_http_fault_slots));

    for (n = 0, s = 0; n < ccf->worker_processes; n++, s++) {

        while (s < ngx_last_process && ngx_processes[s].pid != -1) {
            s++;
        }

        ngx_http_fault_slots[s] = 1;
    }
}


/* A child of a worker: it ends when the worker does. */

static void
ngx_http_fault_waits(ngx_cycle_t *cycle, void *data)
{
    /* The worker may have exited before the child runs. */

    while (getppid() == ngx_parent) {
        usleep(10000);
    }

    exit(0);
}


static void
ngx_http_fault_exits(ngx_cycle_t *cycle, void *data)
{
    _exit(0);
}


/* Starts a process, and waits until it has exited, but does not reap it. */

static ngx_int_t
ngx_http_fault_start_early(ngx_cycle_t *cycle)
{
    siginfo_t  info;
    ngx_pid_t  pid;

    pid = ngx_spawn_process(cycle, ngx_http_fault_exits, NULL, "fault",
                            NGX_PROCESS_NORESPAWN);

    if (pid == NGX_INVALID_PID
        || waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1)
    {
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "fault: early exit");

    return NGX_OK;
}


static ngx_int_t
ngx_http_fault_init_module(ngx_cycle_t *cycle)
{
    ngx_http_fault_conf_t  *fcf;

    fcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fault_module);

    if (fcf->returns
        && ngx_spawn_process(cycle, ngx_http_fault_returns, NULL, "fault",
                             NGX_PROCESS_NORESPAWN)
           == NGX_INVALID_PID)
    {
        return NGX_ERROR;
    }

    if (fcf->early && ngx_http_fault_start_early(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fcf->slots) {
        ngx_http_fault_find_slots(cycle);
    }

    while (fcf->full && ngx_last_process < NGX_MAX_PROCESSES - 2) {
        if (ngx_spawn_process(cycle, ngx_http_fault_fills, NULL, "fault",
                              NGX_PROCESS_DETACHED)
            == NGX_INVALID_PID)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fault_init_process(ngx_cycle_t *cycle)
{
    ngx_http_fault_conf_t  *fcf;

    fcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fault_module);

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                  "fault: slot:%i last:%i pid:%P in table:%P",
                  ngx_process_slot, ngx_last_process, ngx_pid,
                  ngx_processes[ngx_process_slot].pid);

    if (fcf->slots) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "fault: foreseen:%d",
                      (int) ngx_http_fault_slots[ngx_process_slot]);
    }

    if (fcf->exit) {
        _exit(1);
    }

    if (fcf->spawns
        && ngx_spawn_process(cycle, ngx_http_fault_waits, NULL, "fault",
                             NGX_PROCESS_NORESPAWN)
           == NGX_INVALID_PID)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
