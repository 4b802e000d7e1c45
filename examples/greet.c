/* Two workers greet each other over nginx's channels. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_channel.h>
#include <ngx_ipc.h>

#define HELLO  31       /* nginx's own commands are 1 to 5 */


static void
handler(ngx_event_t *ev)
{
    ngx_channel_t         ch;
    static ngx_channel_t  hello = { HELLO, 0, 0, -1 };

    if (ngx_read_channel(ngx_channel, &ch, sizeof(ch), ev->log) < 0
        || ch.command == NGX_CMD_CLOSE_CHANNEL)
    {
        exit(1);        /* the master or the other worker has gone */
    }

    if (ngx_ipc_channel_command(&ch, ev->log) == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_NOTICE, ev->log, 0, "hello from %P", ch.pid);
        ngx_quit = 1;
    }

    /* worker 0 has just been told of worker 1, which will answer */

    if (ch.command == NGX_CMD_OPEN_CHANNEL || ngx_worker == 1) {
        hello.pid = ngx_pid;
        hello.slot = ngx_process_slot;
        ngx_write_channel(ngx_processes[ch.slot].channel[0], &hello,
                          sizeof(hello), ev->log);
    }
}


static void
worker(ngx_cycle_t *cycle, void *data)
{
    ngx_worker = (ngx_uint_t) data;
    ngx_ipc_init_channel(cycle, handler);

    while (!ngx_quit) {
        ngx_process_events_and_timers(cycle);
    }

    exit(0);
}


int
main(void)
{
    ngx_channel_t       ch = { NGX_CMD_OPEN_CHANNEL, 0, 0, -1 };
    static ngx_cycle_t  cycle;

    ngx_time_init();
    ngx_cycle = &cycle;
    cycle.log = ngx_log_init(NULL, (u_char *) "");
    ngx_init_signals(cycle.log);

    for (ch.slot = 0; ch.slot < 2; ch.slot++) {
        ch.pid = ngx_spawn_process(&cycle, worker, (void *) ch.slot,
                                   "worker process", NGX_PROCESS_NORESPAWN);
        if (ch.pid == NGX_INVALID_PID) {
            return 1;
        }

        ch.fd = ngx_processes[ch.slot].channel[0];
        ngx_pass_open_channel(&cycle, &ch);
    }

    while (ngx_reap_children(&cycle)) {
        ngx_process_events_and_timers(&cycle);
    }

    return ngx_processes[0].status || ngx_processes[1].status;
}
