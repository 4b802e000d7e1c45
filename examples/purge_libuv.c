/*
 * A master and workers with event loops of libuv.  The master tells all workers to
 * purge a page from their caches.  Each worker tells the master that it has done so,
 * and then the master tells the workers to exit.
 */

#include <ngx_ipc.h>
#include <ngx_ipc_message.h>
#include <uv.h>

#define WORKERS  3

static ngx_cycle_t   cycle;
static uv_poll_t     readable;
static uv_prepare_t  prepare;
static uv_timer_t    timer;
static uv_loop_t     own_loop;    /* of a worker */


/* The types of messages. */

static void purge_handler(ngx_ipc_message_t *m);
static void done_handler(ngx_ipc_message_t *m);
static void stop_handler(ngx_ipc_message_t *m);

static ngx_ipc_message_type_t  purge = { .name = "purge", .handler = purge_handler };
static ngx_ipc_message_type_t  done = { .name = "done", .handler = done_handler };
static ngx_ipc_message_type_t  stop = { .name = "stop", .handler = stop_handler };

static void
purge_handler(ngx_ipc_message_t *m)    /* in a worker */
{
    printf("worker %d purges %.*s\n", (int) ngx_process_slot, (int) m->len, (char *) m->data);
    ngx_ipc_message_send(&done, NGX_IPC_TO_MASTER, NULL, 0);
}

static void
done_handler(ngx_ipc_message_t *m)     /* in the master */
{
    static int  workers;

    (void) m;
    if (++workers == WORKERS) {
        ngx_ipc_message_broadcast(&stop, NGX_IPC_OTHERS, NULL, 0);
    }
}

static void
stop_handler(ngx_ipc_message_t *m)     /* in a worker */
{
    (void) m;
    uv_stop(&own_loop);
}


/* Messages in a loop of libuv. */

static void
timer_expired(uv_timer_t *timer)
{
    (void) timer;    /* before_waiting() follows */
}

static void
has_messages(uv_poll_t *poll, int status, int events)
{
    (void) poll;
    (void) status;
    (void) events;
}

static void
before_waiting(uv_prepare_t *prepare)
{
    ngx_int_t  milliseconds;

    (void) prepare;
    milliseconds = ngx_ipc_message_process();

    uv_timer_stop(&timer);
    if (milliseconds >= 0) {
        uv_timer_start(&timer, timer_expired, milliseconds, 0);
    }
}

static void
watch_messages(uv_loop_t *loop)
{
    uv_timer_init(loop, &timer);
    uv_poll_init(loop, &readable, ngx_ipc_message_fd());
    uv_poll_start(&readable, UV_READABLE, has_messages);
    uv_prepare_init(loop, &prepare);
    uv_prepare_start(&prepare, before_waiting);
}


static void
worker(ngx_cycle_t *cycle, void *data)
{
    (void) cycle;
    (void) data;

    /* a new loop: the worker shares the default loop with the master */
    uv_loop_init(&own_loop);
    watch_messages(&own_loop);

    uv_run(&own_loop, UV_RUN_DEFAULT);
    exit(0);
}

static void
worker_exited(uv_poll_t *poll, int status, int events)
{
    (void) status;
    (void) events;
    ngx_time_update();

    if (!ngx_reap_children(&cycle)) {
        uv_stop(poll->loop);    /* no worker is left */
    }
}

int
main(void)
{
    int           i;
    uv_poll_t     exits;
    ngx_socket_t  fd;

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (ngx_ipc_init(&cycle) != NGX_OK
        || ngx_ipc_message_register(&purge) != NGX_OK
        || ngx_ipc_message_register(&done) != NGX_OK
        || ngx_ipc_message_register(&stop) != NGX_OK
        || (fd = ngx_ipc_exit_fd(cycle.log)) == NGX_ERROR)
    {
        return 1;
    }

    uv_poll_init(uv_default_loop(), &exits, fd);
    uv_poll_start(&exits, UV_READABLE, worker_exited);
    watch_messages(uv_default_loop());

    for (i = 0; i < WORKERS; i++) {
        if (ngx_spawn_process(&cycle, worker, NULL, "worker process",
                              NGX_PROCESS_NORESPAWN) == NGX_INVALID_PID)
        {
            return 1;
        }
    }

    ngx_ipc_message_broadcast(&purge, NGX_IPC_OTHERS, "/a", 2);

    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return 0;
}
