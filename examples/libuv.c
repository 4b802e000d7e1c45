/*
 * A master with an event loop of libuv.  It starts three workers, talks to them
 * over their channels, respawns a worker that was killed, and shuts the workers
 * down.
 *
 * libuv replaces the handler of SIGCHLD when it starts a process of its own, so
 * the descriptor of ngx_ipc_exit_fd() tells the master that a worker has exited.
 */

#include <ngx_ipc.h>
#include <uv.h>

#define WORKERS   3
#define CMD_PING  31    /* the master asks */
#define CMD_PONG  32    /* a worker answers */

static ngx_cycle_t   cycle;
static uv_poll_t    *channels[WORKERS];
static int           answers;


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
read_master(uv_poll_t *poll, int status, int events)
{
    ngx_int_t      n;
    ngx_channel_t  ch;

    (void) status;
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
        uv_stop(poll->loop);    /* the command is QUIT, or the master has gone */
    }
}

static void
worker(ngx_cycle_t *cycle, void *data)
{
    uv_loop_t  loop;
    uv_poll_t  poll;

    (void) data;
    ngx_ipc_init_channel(cycle, NULL);

    /* a new loop: the worker shares the default loop with the master */
    uv_loop_init(&loop);
    uv_poll_init(&loop, &poll, ngx_channel);
    uv_poll_start(&poll, UV_READABLE, read_master);
    uv_run(&loop, UV_RUN_DEFAULT);
    exit(0);
}


/* The master. */

static void
read_worker(uv_poll_t *poll, int status, int events)
{
    ngx_int_t      slot;
    ngx_channel_t  ch;

    (void) status;
    (void) events;
    slot = (ngx_int_t) (intptr_t) poll->data;

    if (ngx_read_channel(ngx_processes[slot].channel[0], &ch, sizeof(ch),
                         cycle.log) <= 0)
    {
        uv_poll_stop(poll);     /* the worker has gone */
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
watch(ngx_int_t slot)
{
    channels[slot] = calloc(1, sizeof(uv_poll_t));
    if (channels[slot] == NULL) {
        exit(1);
    }
    uv_poll_init(uv_default_loop(), channels[slot],
                 ngx_processes[slot].channel[0]);
    channels[slot]->data = (void *) (intptr_t) slot;
    uv_poll_start(channels[slot], UV_READABLE, read_worker);
}

static void
worker_exited(uv_poll_t *poll, int status, int events)
{
    ngx_int_t  slot;
    ngx_pid_t  before[WORKERS];

    (void) status;
    (void) events;
    ngx_time_update();

    /* libuv must not watch a channel that the library closes */
    for (slot = 0; slot < WORKERS; slot++) {
        before[slot] = ngx_processes[slot].pid;

        if (channels[slot]) {
            uv_close((uv_handle_t *) channels[slot], (uv_close_cb) free);
            channels[slot] = NULL;
        }
    }

    if (!ngx_reap_children(&cycle)) {
        uv_close((uv_handle_t *) poll, NULL);   /* no worker is left */
        return;
    }

    for (slot = 0; slot < WORKERS; slot++) {
        if (ngx_processes[slot].channel[0] == -1) {
            continue;           /* the worker has shut down */
        }
        watch(slot);

        if (ngx_processes[slot].pid != before[slot]) {
            send_command(ngx_processes[slot].channel[0], CMD_PING);
        }
    }
}

static void
other_exited(uv_process_t *process, int64_t status, int signo)
{
    (void) signo;
    printf("another program exits with %d\n", (int) status);
    uv_close((uv_handle_t *) process, NULL);
}

int
main(void)
{
    char                  *args[] = { "sh", "-c", "exit 3", NULL };
    ngx_int_t              slot;
    uv_poll_t              exits;
    uv_process_t           other;
    ngx_socket_t           fd;
    uv_process_options_t   options;

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (ngx_ipc_init(&cycle) != NGX_OK
        || (fd = ngx_ipc_exit_fd(cycle.log)) == NGX_ERROR)
    {
        return 1;
    }

    uv_poll_init(uv_default_loop(), &exits, fd);
    uv_poll_start(&exits, UV_READABLE, worker_exited);

    memset(&options, 0, sizeof(options));
    options.file = args[0];
    options.args = args;
    options.exit_cb = other_exited;
    uv_spawn(uv_default_loop(), &other, &options);

    for (slot = 0; slot < WORKERS; slot++) {
        if (ngx_spawn_process(&cycle, worker, NULL, "worker process",
                              NGX_PROCESS_RESPAWN) == NGX_INVALID_PID)
        {
            return 1;
        }
        ngx_pass_open_channel(&cycle, NULL);
        watch(slot);
        send_command(ngx_processes[slot].channel[0], CMD_PING);
    }

    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return 0;
}
