/*
 * A master with an event loop of libev.  It starts three workers, talks to them
 * over their channels, respawns a worker that was killed, and shuts the workers
 * down.
 *
 * The default loop of libev replaces the handler of SIGCHLD, and reaps all
 * children.  So the master hands the status of each child over to the library.
 * The descriptor of ngx_ipc_exit_fd() tells the master that a worker has exited.
 */

#include <ngx_ipc.h>
#include <ev.h>

#define WORKERS   3
#define CMD_PING  31    /* the master asks */
#define CMD_PONG  32    /* a worker answers */

static ngx_cycle_t  cycle;
static ev_io        channels[WORKERS];
static int          answers;
static ngx_pid_t    other;      /* another program; 0 if it has exited */
static int          no_worker;  /* the last worker has exited */


static void
send_command(ngx_socket_t s, ngx_uint_t command)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ch));
    ch.command = command;
    ch.pid = ngx_pid;
    ch.fd = -1;
    ngx_write_channel(s, &ch, sizeof(ch), cycle.log);
}


/* A worker. */

static void
read_master(struct ev_loop *loop, ev_io *io, int events)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    (void) io;
    (void) events;
    ngx_time_update();

    while ((n = ngx_read_channel(ngx_channel, &ch, sizeof(ch), cycle.log)) > 0)
    {
        if (ngx_ipc_channel_command(&ch, cycle.log) == NGX_DECLINED
            && ch.command == CMD_PING)
        {
            send_command(ngx_channel, CMD_PONG);
        }
    }
    if (ngx_quit || n != NGX_AGAIN) {
        ev_break(loop, EVBREAK_ALL);    /* QUIT, or the master has gone */
    }
}

static void
worker(ngx_cycle_t *cycle, void *data)
{
    ev_io            io;
    struct ev_loop  *loop;

    (void) data;
    ngx_ipc_init_channel(cycle, NULL);

    /* a new loop: the worker shares the default loop with the master */
    loop = ev_loop_new(EVFLAG_AUTO);
    ev_io_init(&io, read_master, ngx_channel, EV_READ);
    ev_io_start(loop, &io);
    ev_run(loop, 0);
    exit(0);
}


/* The master. */

static void
read_worker(struct ev_loop *loop, ev_io *io, int events)
{
    ngx_int_t      slot;
    ngx_channel_t  ch;

    (void) events;
    slot = io - channels;

    if (ngx_read_channel(ngx_processes[slot].channel[0], &ch, sizeof(ch),
                         cycle.log) <= 0)
    {
        ev_io_stop(loop, io);           /* the worker has gone */
        return;
    }
    if (ch.command != CMD_PONG) {
        return;
    }
    printf("worker %d answers\n", (int) slot);

    if (++answers == WORKERS) {
        printf("worker 1 is killed\n");
        kill(ngx_processes[1].pid, SIGKILL);
    }
    if (answers == WORKERS + 1) {
        printf("the workers shut down\n");
        ngx_signal_worker_processes(&cycle, SIGQUIT);
    }
}

static void
watch(struct ev_loop *loop, ngx_int_t slot)
{
    ev_io_init(&channels[slot], read_worker, ngx_processes[slot].channel[0],
               EV_READ);
    ev_io_start(loop, &channels[slot]);
}

static void
worker_exited(struct ev_loop *loop, ev_io *io, int events)
{
    ngx_int_t  slot;
    ngx_pid_t  before[WORKERS];

    (void) events;
    ngx_time_update();

    /* libev must not watch a channel that the library closes */
    for (slot = 0; slot < WORKERS; slot++) {
        before[slot] = ngx_processes[slot].pid;
        ev_io_stop(loop, &channels[slot]);
    }

    if (!ngx_reap_children(&cycle)) {
        no_worker = 1;
        ev_io_stop(loop, io);

        if (other == 0) {
            ev_break(loop, EVBREAK_ALL);
        }
        return;
    }

    for (slot = 0; slot < WORKERS; slot++) {
        if (ngx_processes[slot].channel[0] == -1) {
            continue;           /* the worker has shut down */
        }
        watch(loop, slot);

        if (ngx_processes[slot].pid != before[slot]) {
            send_command(ngx_processes[slot].channel[0], CMD_PING);
        }
    }
}

/* libev has reaped a child, which may be a worker or any other process. */

static void
child_reaped(struct ev_loop *loop, ev_child *child, int events)
{
    (void) events;

    if (ngx_ipc_child_exited(child->rpid, child->rstatus, cycle.log)
        == NGX_DECLINED)
    {
        printf("another program exits with %d\n", WEXITSTATUS(child->rstatus));
    }
    if (child->rpid == other) {
        other = 0;

        if (no_worker) {
            ev_break(loop, EVBREAK_ALL);
        }
    }
}

int
main(void)
{
    ev_io            exits;
    ev_child         child;
    ngx_int_t        slot;
    ngx_socket_t     fd;
    struct ev_loop  *loop;

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (ngx_ipc_init(&cycle) != NGX_OK
        || (fd = ngx_ipc_exit_fd(cycle.log)) == NGX_ERROR)
    {
        return 1;
    }

    loop = ev_default_loop(0);
    ev_io_init(&exits, worker_exited, fd, EV_READ);
    ev_io_start(loop, &exits);

    /* pid 0: all children.  The status must be known before worker_exited(). */
    ev_child_init(&child, child_reaped, 0, 0);
    ev_set_priority(&child, EV_MAXPRI);
    ev_child_start(loop, &child);

    other = fork();

    if (other == 0) {
        _exit(3);                       /* another program */
    }

    for (slot = 0; slot < WORKERS; slot++) {
        if (ngx_spawn_process(&cycle, worker, NULL, "worker process",
                              NGX_PROCESS_RESPAWN) == NGX_INVALID_PID)
        {
            return 1;
        }
        ngx_pass_open_channel(&cycle, NULL);
        watch(loop, slot);
        send_command(ngx_processes[slot].channel[0], CMD_PING);
    }

    ev_run(loop, 0);
    return 0;
}
