/* Two workers greet each other over nginx's channels. */
#include <ngx_ipc.h>

static void
handler(ngx_event_t *ev)
{
    ngx_channel_t         ch;
    static ngx_channel_t  hello = { 31, 0, 0, -1 };

    if (ngx_read_channel(ngx_channel, &ch, sizeof(ch), ev->log) < 0
        || ch.command == NGX_CMD_CLOSE_CHANNEL)
    {
        exit(1);    /* the master or the other worker has exited */
    }
    if (ngx_ipc_channel_command(&ch, ev->log) == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_NOTICE, ev->log, 0, "hello from %P", ch.pid);
        ngx_quit = 1;
    }
    /* worker 0 greets when it gets worker 1's channel; worker 1 greets back */
    if (ch.command == NGX_CMD_OPEN_CHANNEL || ngx_process_slot == 1) {
        hello.pid = ngx_pid;
        ngx_write_channel(ngx_processes[1 - ngx_process_slot].channel[0],
                          &hello, sizeof(hello), ev->log);
    }
}

static void
worker(ngx_cycle_t *cycle, void *data)
{
    (void) data;
    ngx_ipc_init_channel(cycle, handler);
    while (!ngx_quit) { ngx_process_events_and_timers(cycle); }
    exit(0);
}

int
main(void)
{
    static ngx_cycle_t  cycle;

    ngx_ipc_init(&cycle);
    for (int i = 0; i < 2; i++) {
        if (ngx_spawn_process(&cycle, worker, NULL, "worker process",
                              NGX_PROCESS_NORESPAWN) == NGX_INVALID_PID) {
            return 1;
        }
        ngx_pass_open_channel(&cycle, NULL);
    }
    while (ngx_reap_children(&cycle)) { ngx_process_events_and_timers(&cycle); }
    return ngx_processes[0].status || ngx_processes[1].status;
}
