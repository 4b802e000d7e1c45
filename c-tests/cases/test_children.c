
/* What a forked child keeps of its parent, and what it must not. */


#include "t_channel.h"

#include <stdio.h>
#include <sys/prctl.h>


typedef struct {
    int            step;
    int            failed;
    ngx_uint_t     role;
    ngx_uint_t     live;
    ngx_int_t      children;
    int            code;
    int            reap;
    ngx_socket_t   channel;
    ngx_socket_t   own[2];
    int            open;
    ngx_int_t      rc[4];
    ngx_process_t  table[8];
} t_child_t;


static volatile t_child_t  *child;


static void
setup(void)
{
    child = t_shared(sizeof(t_child_t));
}


/* A child that uses popen(): what exits is the shell's, not the table's. */

static void
popen_proc(ngx_cycle_t *cycle, void *data)
{
    int        status;
    FILE      *f;
    sigset_t   set;
    siginfo_t  info;

    f = popen("exit 3", "r");

    if (f == NULL || waitid(P_ALL, 0, &info, WEXITED|WNOWAIT) == -1) {
        _exit(1);
    }

    /* let its SIGCHLD in */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);

    status = pclose(f);

    child->code = status == -1 ? -1 : WEXITSTATUS(status);
    child->reap = (int) ngx_reap;

    _exit(0);
}


static void
test_popen(void)
{
    setup();
    t_init_signals();

    t_spawn(popen_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(child->code, 3);

    t_end_processes();
}


#if !(T_NGINX)

static void
wait_for_step(int step)
{
    while (child->step < step) {
        sched_yield();
    }
}


static void
test_popen_is_nobody_s(void)
{
    pid_t  pid;

    setup();
    t_init_signals();

    /* of its parent's children the child has none */

    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    pid = t_spawn(popen_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(1);

    T_EQ(child->code, 3);
    T_EQ(child->reap, 0);
    T_EQ(t_logged_by(pid, T_ANY, "unknown process"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "waitpid() failed"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "exited"), 0);

    t_end_processes();
}


/* A child's role. */

static void
role_proc(ngx_cycle_t *cycle, void *data)
{
    child->role = ngx_process;
    _exit(0);
}


static void
role(ngx_uint_t parent, ngx_uint_t of_child)
{
    setup();

    ngx_process = parent;

    t_spawn(role_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    t_reap_slot(0);

    T_EQ(child->role, of_child);
    T_EQ(ngx_process, parent);

    t_end_processes();
}


static void
test_role_of_master(void)
{
    role(NGX_PROCESS_MASTER, NGX_PROCESS_WORKER);
}


static void
test_role_of_single(void)
{
    role(NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER);
}


static void
test_role_of_worker(void)
{
    role(NGX_PROCESS_WORKER, NGX_PROCESS_WORKER);
}


static void
test_role_of_helper(void)
{
    role(NGX_PROCESS_HELPER, NGX_PROCESS_HELPER);
}


/* The flags of others. */

static void
look(void)
{
    size_t  n;

    for (n = 0; n < t_nitems(child->table); n++) {
        child->table[n] = ngx_processes[n];
    }
}


/* Reaps as a worker does that has spawned helpers of its own. */

static void
reap_proc(ngx_cycle_t *cycle, void *data)
{
    look();

    child->live = ngx_reap_children(cycle);
    child->children = waitpid(-1, NULL, WNOHANG);

    _exit(0);
}


/* What the child has begun, if anything, must not outlive the case. */

static void
expect_no_children(ngx_int_t slot)
{
    pid_t  pid;

    pid = ngx_processes[slot].pid;

    t_reap_slot(slot);

    T_EQ(ngx_processes[slot].status, 0);
    T_EQ(child->children, -1);
    T_EQ(t_logged_by(pid, T_ANY, "start "), 0);
    T_EQ(t_logged_by(pid, T_ANY, "pass c"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "exits too often"), 0);
    T_EQ(t_logged_by(pid, T_ANY, "could not respawn"), 0);
}


static void
expect_no_flags(ngx_int_t slot)
{
    T_EQ(child->table[slot].respawn, 0);
    T_EQ(child->table[slot].just_spawn, 0);
    T_EQ(child->table[slot].detached, 0);
    T_EQ(child->table[slot].exiting, 0);
    T_EQ(child->table[slot].exited, 0);
    T_EQ(child->table[slot].pid, ngx_processes[slot].pid);
}


static void
test_flags(void)
{
    int  i;

    setup();
    t_init_signals();

    for (i = 0; i < 4; i++) {
        T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_JUST_RESPAWN) > 0);
    }

    ngx_processes[1].exiting = 1;
    ngx_processes[2].detached = 1;

    kill(ngx_processes[3].pid, SIGKILL);
    t_exited(ngx_processes[3].pid);
    T_EQ(ngx_processes[3].exited, 1);

    t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_JUST_RESPAWN);
    expect_no_children(4);

    for (i = 0; i < 4; i++) {
        expect_no_flags(i);
    }

    /* its own are as they were asked for */

    T_EQ(child->table[4].respawn, 1);
    T_EQ(child->table[4].just_spawn, 1);
    T_EQ(child->table[4].exited, 0);
    T_EQ(child->live, 1);

    /* and the parent's are untouched */

    T_EQ(ngx_processes[0].respawn, 1);
    T_EQ(ngx_processes[0].just_spawn, 1);
    T_EQ(ngx_processes[1].exiting, 1);
    T_EQ(ngx_processes[2].detached, 1);
    T_EQ(ngx_processes[3].exited, 1);

    t_end_processes();
}


/* The same where the child is a respawned one, in a slot in front. */

static void
test_flags_respawned(void)
{
    int  i;

    setup();
    t_init_signals();

    T_OK(t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_RESPAWN) > 0);
    t_exited(ngx_processes[0].pid);
    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    kill(ngx_processes[1].pid, SIGKILL);
    t_exited(ngx_processes[1].pid);

    for (i = 0; i < 2; i++) {
        T_EQ(ngx_processes[i].exited, 1);
    }

    t_log_clear();
    T_EQ(ngx_reap_children(t_cycle()), 1);

    /* when this one was forked, its sibling had not come back yet */

    expect_no_children(0);
    T_EQ(child->table[0].respawn, 1);
    T_EQ(child->table[1].exited, 0);
    T_EQ(child->table[1].respawn, 0);

    t_end_processes();
}


/* A slot that its parent reserves for one that it could not start. */

static void
test_reserved(void)
{
    setup();
    t_init_signals();

    T_OK(t_spawn(t_pause, NULL, "sibling", NGX_PROCESS_RESPAWN) > 0);
    T_OK(t_spawn(t_pause, NULL, "living", NGX_PROCESS_NORESPAWN) > 0);
    kill(ngx_processes[0].pid, SIGKILL);
    t_exited(ngx_processes[0].pid);

    t_no_more_fds();
    T_EQ(ngx_reap_children(t_cycle()), 1);
    t_more_fds();
    T_EQ(t_logged(NGX_LOG_ALERT, "could not respawn sibling"), 1);

    t_spawn(reap_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    T_EQ(ngx_process_slot, 2);
    expect_no_children(2);

    /* it is the parent that tries again */

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_OK(ngx_processes[0].pid > 0);

    t_end_processes();
}


/* The parent's queue. */

static int        full[2];
static ngx_int_t  to;


static void
send_fillers(int s)
{
    ngx_int_t      rc;
    ngx_channel_t  ch;

    t_message(&ch, 31, -1);

    do {
        rc = ngx_write_channel(s, &ch, sizeof(ngx_channel_t), t_log());
    } while (rc == NGX_OK);

    T_REQUIRE(rc == NGX_AGAIN);
}


/* Past ngx_write_channel(), which would send what waits. */

static void
send_fillers_quietly(int s)
{
    ngx_channel_t  ch;

    t_message(&ch, 31, -1);

    while (t_send(s, &ch, sizeof(ngx_channel_t), NULL, 0) == 32) {
        /* void */
    }

    T_REQUIRE(errno == EAGAIN);
}


static void
drain(void)
{
    ngx_channel_t  ch;

    while (t_unread(full[1]) > 0) {
        T_REQUIRE(ngx_read_channel(full[1], &ch, sizeof(ngx_channel_t),
                                   t_log())
                  == 32);
        T_EQ(ch.command, 31);
    }
}


static ngx_int_t
tell_close(ngx_int_t slot)
{
    ngx_channel_t  ch;

    t_message(&ch, NGX_CMD_CLOSE_CHANNEL, -1);
    ch.slot = slot;

    return ngx_write_channel(ngx_processes[to].channel[0], &ch,
                             sizeof(ngx_channel_t), t_log());
}


static void
expect_close(ngx_int_t slot)
{
    ngx_channel_t  ch;

    T_REQUIRE(ngx_read_channel(full[1], &ch, sizeof(ngx_channel_t), t_log())
              == 32);
    T_EQ(ch.command, NGX_CMD_CLOSE_CHANNEL);
    T_EQ(ch.slot, slot);
}


static void
expect_nothing(void)
{
    ngx_channel_t  ch;

    T_EQ(ngx_read_channel(full[1], &ch, sizeof(ngx_channel_t), t_log()),
         NGX_AGAIN);
}


/* A process that does not read: its end is ours. */

static void
setup_queue(void)
{
    setup();
    t_init_events();
    t_socketpair(full);

    ngx_processes[0].pid = 1000000000;
    ngx_processes[0].channel[0] = full[0];
    ngx_processes[0].channel[1] = -1;
    ngx_last_process = 1;

    send_fillers(full[0]);
    T_EQ(tell_close(555), NGX_OK);
}


static void
finish_queue(void)
{
    t_reap_slot(1);
    T_EQ(ngx_processes[1].status, 0);
    T_EQ(child->failed, 0);
    t_end_process(1);

    close(full[0]);
    close(full[1]);
}


/* Whatever sends what waits, in a child it has nothing to send. */

static void
send_proc(ngx_cycle_t *cycle, void *data)
{
    wait_for_step(1);

    (void) ngx_reap_children(cycle);
    child->rc[0] = tell_close(77);

    (void) ngx_reap_children(cycle);

    child->step = 2;
    wait_for_step(3);
    _exit(0);
}


static void
test_queue(void)
{
    setup_queue();

    t_spawn(send_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    drain();
    child->step = 1;
    wait_for_step(2);

    T_EQ(child->rc[0], NGX_OK);
    expect_close(77);
    expect_nothing();

    /* the parent still has it, and once */

    T_EQ(ngx_reap_children(t_cycle()), 1);
    expect_close(555);
    expect_nothing();

    child->step = 3;
    finish_queue();
}


/* A child's queue is its own. */

static void
queue_proc(ngx_cycle_t *cycle, void *data)
{
    child->rc[0] = tell_close(66);
    child->step = 1;

    wait_for_step(2);
    (void) ngx_reap_children(cycle);

    child->step = 3;
    wait_for_step(4);
    _exit(0);
}


static void
test_queue_of_child(void)
{
    setup_queue();

    t_spawn(queue_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    wait_for_step(1);
    T_EQ(child->rc[0], NGX_OK);

    drain();
    expect_nothing();
    child->step = 2;
    wait_for_step(3);

    expect_close(66);
    expect_nothing();
    T_EQ(ngx_reap_children(t_cycle()), 1);
    expect_close(555);
    expect_nothing();

    child->step = 4;
    finish_queue();
}


/* Forked while the queues are sent: the child's can be sent all the same. */

static ngx_log_t    fork_log;
static ngx_cycle_t  fork_cycle;
static ngx_uint_t   forked;


static void
fork_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    char  line[512];

    snprintf(line, sizeof(line), "%.*s", (int) len, (char *) buf);

    if (strstr(line, "sendmsg() failed") == NULL || forked++) {
        return;
    }

    t_spawn(queue_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
}


static void
test_forked_in_flush(void)
{
    int  other[2];

    setup_queue();
    t_socketpair(other);

    ngx_processes[1].pid = 1000000001;
    ngx_processes[1].channel[0] = other[0];
    ngx_processes[1].channel[1] = -1;
    ngx_last_process = 2;

    fork_log.log_level = NGX_LOG_INFO;
    fork_log.writer = fork_writer;
    fork_cycle.log = &fork_log;

    /* the parent's queue makes the log line, the child's is another one */

    close(full[1]);
    full[1] = other[1];
    to = 1;
    send_fillers_quietly(other[0]);

    T_EQ(ngx_reap_children(&fork_cycle), 1);
    T_EQ(forked, 1);

    wait_for_step(1);
    T_EQ(child->rc[0], NGX_OK);

    drain();
    child->step = 2;
    wait_for_step(3);
    expect_close(66);
    expect_nothing();

    child->step = 4;
    t_reap_slot(2);
    T_EQ(ngx_processes[2].status, 0);
    t_end_process(2);

    close(full[0]);
    close(other[0]);
    close(other[1]);
}


/* The end of a channel. */

static void
channel_proc(ngx_cycle_t *cycle, void *data)
{
    int  fd, number;

    if (ngx_ipc_init_channel(cycle, ngx_channel_handler) != NGX_OK) {
        _exit(1);
    }

    number = ngx_channel;
    child->step = 1;

    while (t_is_open(number)) {
        ngx_process_events_and_timers(cycle);
    }

    child->channel = ngx_channel;
    child->own[0] = ngx_processes[ngx_process_slot].channel[0];
    child->own[1] = ngx_processes[ngx_process_slot].channel[1];

    /* whoever gets the number now keeps it */

    fd = open("/dev/null", O_RDWR);

    if (fd == -1 || (fd != number && dup2(fd, number) == -1)) {
        _exit(2);
    }

    ngx_close_channel((ngx_fd_t *) ngx_processes[ngx_process_slot].channel,
                      cycle->log);

    child->open = t_is_open(number);
    _exit(0);
}


static void
test_channel_closed(void)
{
    setup();

    t_spawn(channel_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);
    wait_for_step(1);
    t_close_slot(0);
    t_reap_slot(0);

    T_EQ(ngx_processes[0].status, 0);
    T_EQ(child->channel, -1);
    T_EQ(child->own[0], -1);
    T_EQ(child->own[1], -1);
    T_EQ(child->open, 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_end_processes();
}


/* Another channel that a process reads is not its own. */

static void
test_other_channel_closed(void)
{
    t_init_events();
    t_channel_open();

    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = 2;
    ngx_last_process = 3;
    ngx_processes[2].pid = ngx_pid;
    ngx_processes[2].channel[0] = -1;
    ngx_processes[2].channel[1] = t_some_fd();
    ngx_channel = ngx_processes[2].channel[1];

    close(t_pair[0]);
    t_handle_channel(t_pair[1]);

    T_OK(!t_is_open(t_pair[1]));
    T_OK(ngx_channel > 2);
    T_EQ(ngx_processes[2].channel[1], ngx_channel);

    close(ngx_channel);
}


/* A module's connection was not accepted: a worker that quits leaves it. */

static void
nothing(ngx_event_t *ev)
{
    (void) ev;
}


static void
connection_proc(ngx_cycle_t *cycle, void *data)
{
    int                fd[2];
    ngx_connection_t  *c;

    t_socketpair(fd);

    c = ngx_get_connection(fd[0], cycle->log);

    if (c == NULL) {
        _exit(1);
    }

    c->read->handler = nothing;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        _exit(1);
    }

    ngx_worker_process_cycle(cycle, data);
}


static void
test_own_connection(void)
{
    ngx_channel_t  ch;

    t_spawn(connection_proc, NULL, "worker", NGX_PROCESS_NORESPAWN);

    t_message(&ch, NGX_CMD_QUIT, -1);
    T_EQ(ngx_write_channel(ngx_processes[0].channel[0], &ch,
                           sizeof(ngx_channel_t), t_log()),
         NGX_OK);

    t_reap_slot(0);
    T_EQ(ngx_processes[0].status, 0);
    T_EQ(t_logged(NGX_LOG_NOTICE, "gracefully shutting down"), 1);

    t_end_processes();
}


/*
 * A parent dies before its worker has asked to be told of that.  A sibling
 * has the other end of the channel, which therefore says nothing.
 */

static void
late_proc(ngx_cycle_t *cycle, void *data)
{
    while (getppid() == ngx_parent) {
        sched_yield();
    }

    ngx_worker_process_cycle(cycle, data);
}


static void
test_orphan(void)
{
    pid_t  parent, sibling, worker;

    setup();

    /* orphans come to this process */

    T_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

    parent = fork();
    T_REQUIRE(parent != -1);

    if (parent == 0) {
        ngx_pid = getpid();

        child->table[0].pid = t_spawn(late_proc, NULL, "worker",
                                      NGX_PROCESS_NORESPAWN);
        child->table[1].pid = t_spawn(t_pause, NULL, "sibling",
                                      NGX_PROCESS_NORESPAWN);
        _exit(0);
    }

    T_EQ(t_wait(parent), 0);

    worker = child->table[0].pid;
    sibling = child->table[1].pid;

    T_EQ(t_wait(worker), 0);
    T_EQ(t_logged_by(worker, NGX_LOG_NOTICE, "gracefully shutting down"), 1);

    kill(sibling, SIGKILL);
    t_wait(sibling);
}


/* What a worker is told of others. */

static void
setup_worker(void)
{
    t_init_events();
    t_channel_open();

    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = 2;
    ngx_last_process = 6;

    ngx_processes[2].pid = ngx_pid;
    ngx_processes[2].channel[0] = -1;
    ngx_processes[2].channel[1] = -1;
}


static void
told(ngx_uint_t command, ngx_pid_t pid)
{
    int            fd;
    ngx_channel_t  ch;

    fd = command == NGX_CMD_OPEN_CHANNEL ? t_some_fd() : -1;

    t_message(&ch, command, fd);
    ch.slot = 5;
    ch.pid = pid;

    T_REQUIRE(t_put(&ch) == NGX_OK);
    t_handle_channel(t_pair[1]);

    if (fd != -1) {
        close(fd);
    }
}


static void
test_close_of_another(void)
{
    int  fd;

    setup_worker();

    told(NGX_CMD_OPEN_CHANNEL, 4322);
    fd = ngx_processes[5].channel[0];

    /* a message that waited, about who had the slot before */

    told(NGX_CMD_CLOSE_CHANNEL, 4321);
    T_EQ(ngx_processes[5].pid, 4322);
    T_EQ(ngx_processes[5].channel[0], fd);
    T_OK(t_is_open(fd));

    told(NGX_CMD_CLOSE_CHANNEL, 4322);
    T_EQ(ngx_processes[5].pid, -1);
    T_EQ(ngx_processes[5].channel[0], -1);
    T_OK(!t_is_open(fd));
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_open_clears(void)
{
    setup_worker();

    ngx_processes[5].pid = 4321;
    ngx_processes[5].channel[0] = -1;
    ngx_processes[5].channel[1] = -1;
    ngx_processes[5].respawn = 1;
    ngx_processes[5].exiting = 1;
    ngx_processes[5].exited = 1;

    told(NGX_CMD_OPEN_CHANNEL, 4322);

    T_EQ(ngx_processes[5].pid, 4322);
    T_EQ(ngx_processes[5].respawn, 0);
    T_EQ(ngx_processes[5].exiting, 0);
    T_EQ(ngx_processes[5].exited, 0);

    ngx_processes[5].exited = 1;
    told(NGX_CMD_CLOSE_CHANNEL, 4322);

    T_EQ(ngx_processes[5].pid, -1);
    T_EQ(ngx_processes[5].exited, 0);

    t_channel_close();
}

#endif


int
main(void)
{
    t_begin();

    t_run("D7 a child uses popen() and pclose()", test_popen);

#if !(T_NGINX)

    t_run("what popen() starts in a child is nobody's",
          test_popen_is_nobody_s);
    t_run("the child of a master is a worker", test_role_of_master);
    t_run("the child of a single process is a worker", test_role_of_single);
    t_run("the child of a worker is a worker", test_role_of_worker);
    t_run("the child of a helper is a helper", test_role_of_helper);
    t_run("a child has no flags of others", test_flags);
    t_run("a respawned child has no flags of others", test_flags_respawned);
    t_run("a child does not start who is missing", test_reserved);
    t_run("a child does not send what its parent has queued", test_queue);
    t_run("a child queues for itself", test_queue_of_child);
    t_run("a child that is forked while the queues are sent",
          test_forked_in_flush);
    t_run("a child whose channel has been closed", test_channel_closed);
    t_run("another channel is closed", test_other_channel_closed);
    t_run("a worker that quits leaves a module's connection",
          test_own_connection);
    t_run("a worker whose parent has died before it asks", test_orphan);
    t_run("CLOSE of a process that had the slot before",
          test_close_of_another);
    t_run("OPEN and CLOSE clear the flags", test_open_clears);

#endif

    return t_end();
}
