
/*
 * Tests of a master that sends in the first init_module, before it starts a
 * process, also if it becomes a daemon afterwards.
 */


#include "t_messages.h"

#include <sys/prctl.h>


#define WORKERS  2
#define VALUE    42


static struct {
    ngx_int_t  broadcast;       /* what ngx_ipc_message_broadcast() returned */
    ngx_int_t  role;            /* of the sender, as a worker sees it */
    int        kept[WORKERS];
    int        replies;
    int        itself;
    int        fds;
} *volatile  seen;


static ngx_ipc_message_type_t  reply_type, fds_type;


static void
kept_handler(ngx_ipc_message_t *m)
{
    T_EQ(m->len, sizeof(int));
    T_EQ(*(int *) m->data, VALUE);
    seen->role = m->sender->role;
    seen->kept[ngx_worker]++;

    T_EQ(ngx_ipc_message_send(&reply_type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);
}


/* The master exits when it has got all. */

static void
reply_handler(ngx_ipc_message_t *m)
{
    if (m->sender->worker == -1) {
        seen->itself++;
    } else {
        seen->replies++;
    }

    ngx_quit = (seen->replies == WORKERS && seen->itself && seen->fds);
}


static void
fds_handler(ngx_ipc_message_t *m)
{
    seen->fds += (int) m->fds_n;
    ngx_quit = (seen->replies == WORKERS && seen->itself && seen->fds);
}


static ngx_ipc_message_type_t  kept_type = {
    .name = "test_kept", .handler = kept_handler,
    .flags = NGX_IPC_MESSAGE_RETAINED
};

static ngx_ipc_message_type_t  reply_type = {
    .name = "test_reply", .handler = reply_handler
};

/* Another module registers this type after the first message. */

static ngx_ipc_message_type_t  fds_type = {
    .name = "test_fds", .handler = fds_handler,
    .flags = NGX_IPC_MESSAGE_DESCRIPTORS
};


static ngx_int_t
send_first(ngx_cycle_t *cycle)
{
    int  value;

    value = VALUE;

    T_EQ(ngx_ipc_message_register(&kept_type), NGX_OK);
    seen->broadcast = ngx_ipc_message_broadcast(&kept_type, NGX_IPC_WORKERS,
                                                &value, sizeof(value));
    T_EQ(ngx_ipc_message_register(&reply_type), NGX_OK);
    T_EQ(ngx_ipc_message_send(&reply_type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);

    return ngx_ipc_message_register(&fds_type);
}


static ngx_int_t
send_fds(ngx_cycle_t *cycle)
{
    ngx_fd_t  fd;

    fd = 2;

    if (ngx_worker == 0) {
        T_EQ(ngx_ipc_message_send_fds(&fds_type, NGX_IPC_TO_MASTER, NULL, 0,
                                      &fd, 1), NGX_OK);
    }

    return NGX_OK;
}


/* Runs a program until it and its daemon have exited. */

static void
run(ngx_uint_t daemon)
{
    int              status;
    ngx_module_t     module = {
        .init_module = send_first, .init_process = send_fds
    };
    ngx_module_t    *modules[] = { &module, NULL };
    ngx_core_conf_t  conf;

    seen = t_shared(sizeof(*seen));

    ngx_ipc_conf_init(&conf);
    conf.worker_processes = WORKERS;
    conf.daemon = daemon;
    conf.modules = modules;

    T_REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

    (void) t_start_main(&conf);

    while (waitpid(-1, &status, 0) != -1) {
        T_EQ(status, 0);
    }

    T_EQ(errno, ECHILD);
    T_EQ(seen->broadcast, 0);
    T_EQ(seen->kept[0], 1);
    T_EQ(seen->kept[1], 1);
    T_EQ(seen->replies, WORKERS);
    T_EQ(seen->itself, 1);
    T_EQ(seen->fds, 1);
    T_EQ(seen->role, NGX_PROCESS_MASTER);
}


static void
test_master(void)
{
    run(0);
}


static void
test_daemon(void)
{
    run(1);
}


/* A single process sends to itself. */

static void
single_handler(ngx_ipc_message_t *m)
{
    T_EQ(*(int *) m->data, VALUE);
    T_EQ(m->sender->worker, 0);
    ngx_quit = 1;
}


static ngx_ipc_message_type_t  single_type = {
    .name = "test_single", .handler = single_handler
};


static ngx_int_t
send_to_itself(ngx_cycle_t *cycle)
{
    int  value;

    value = VALUE;
    T_EQ(ngx_ipc_message_register(&single_type), NGX_OK);
    T_EQ(ngx_ipc_message_broadcast(&single_type, NGX_IPC_WORKERS|NGX_IPC_SELF,
                                   &value, sizeof(value)), 1);

    return NGX_OK;
}


static void
test_single(void)
{
    ngx_module_t     module = { .init_module = send_to_itself };
    ngx_module_t    *modules[] = { &module, NULL };
    ngx_core_conf_t  conf;

    ngx_ipc_conf_init(&conf);
    conf.master = 0;
    conf.modules = modules;

    t_run_main(&conf);
}


int
main(void)
{
    t_begin();

    t_run("a master that sends before it starts a process", test_master);
    t_run("a daemon that has sent before it starts a process", test_daemon);
    t_run("a single process that sends in init_module", test_single);

    return t_end();
}
