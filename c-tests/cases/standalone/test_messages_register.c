
/* Tests of types: what is refused, and how many there can be. */


#include "t_messages.h"

#include <stdio.h>


#define MANY  300

#define REFUSED(type, text)                                                  \
    T_EQ(ngx_ipc_message_register(type), NGX_ERROR);                         \
    T_EQ(t_logged(NGX_LOG_ALERT, text), 1);                                  \
    t_log_clear()


static char                    names[MANY][32];
static ngx_ipc_message_type_t  types[MANY];


static void
test_wrong(void)
{
    static char                    name[50];
    static ngx_ipc_message_type_t  type;
    static ngx_ipc_message_type_t  copy = { .name = "test_note" };

    t_messages_init();

    REFUSED(NULL, "no message type");
    REFUSED(&copy, "message type \"test_note\" is registered twice");
    REFUSED(&type, "invalid name");
    type.name = name;
    REFUSED(&type, "invalid name");
    memset(name, 'x', 49);
    REFUSED(&type, "invalid name");

    /* It would look like the entry of replies in lists. */

    type.name = "(replies)";
    errno = 0;
    T_EQ(ngx_ipc_message_register(&type), NGX_ERROR);
    T_EQ(errno, EINVAL);
    T_EQ(t_logged(NGX_LOG_ALERT, "does not begin with \"(\""), 1);
    t_log_clear();

    type.name = name;
    name[48] = '\0';
    type.flags = 64;
    REFUSED(&type, "invalid flags 0x40 of the message type");
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_MASTER, NULL, 0), NGX_ERROR);
    T_EQ(errno, EINVAL);

    type.flags = 63;
    T_EQ(ngx_ipc_message_register_size(&type, sizeof(type) - 1), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "invalid size"), 1);

    /* Nothing was registered. */

    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_register(&type), NGX_OK);
    T_EQ(ngx_ipc_message_send(&type, NGX_IPC_TO_MASTER, NULL, 0), NGX_OK);
}


/* A worker registers a type in a program without messages. */

static ngx_int_t
register_in_worker(ngx_cycle_t *cycle)
{
    static ngx_ipc_message_type_t  type = { .name = "test_worker" };

    T_EQ(ngx_ipc_message_register(&type), NGX_ERROR);

    return NGX_OK;
}


static void
test_in_worker(void)
{
    static ngx_module_t   module = { .init_process = register_in_worker };
    static ngx_module_t  *modules[] = { &module, NULL };

    t_master_init();
    t_cycle()->modules = modules;
    t_cycle()->modules_n = 1;
    ngx_start_worker_processes(t_cycle(), 1, NGX_PROCESS_RESPAWN);
    T_UNTIL(t_logged(NGX_LOG_ALERT, "the master has registered no type") == 1);
    t_workers_stop();
}


/* Registers many types, and returns how many were refused. */

static int
register_many(int n, ngx_uint_t flags)
{
    int  i, refused;

    refused = 0;

    for (i = 0; i < n; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "test_many_%d", i);
        types[i].name = names[i];
        types[i].flags = flags;
        refused += ngx_ipc_message_register(&types[i]) != NGX_OK;
    }

    T_EQ(t_logged(NGX_LOG_ALERT, "there are 256 types already, or 32 whose last "
                  "message is kept"), refused);

    return refused;
}


/* The types from "first" on were refused. */

static void
check_refused(int first)
{
    T_EQ(ngx_ipc_message_send(&types[first - 1], NGX_IPC_TO_WORKER(0), NULL, 0),
         NGX_OK);
    T_EQ(ngx_ipc_message_send(&types[first], NGX_IPC_TO_WORKER(0), NULL, 0),
         NGX_ERROR);
    T_EQ(errno, EINVAL);
}


/* The master registers the types before there is shared memory. */

static void
init(void)
{
    t_master_init();
    T_REQUIRE(ngx_ipc_init(t_cycle()) == NGX_OK);
}


static void
start(void)
{
    T_OK(ngx_ipc_message_fd() != -1);
    t_keep_fds();
    t_workers_start(1, NGX_PROCESS_RESPAWN);
    T_EQ(t_logged(NGX_LOG_ALERT, "have no number"), 0);
}


static void
test_many(void)
{
    init();
    T_EQ(register_many(MANY, 0), MANY - 256);
    start();
    check_refused(256);
    t_workers_stop();
}


static void
test_many_kept(void)
{
    static ngx_ipc_message_type_t  other = { .name = "test_other" };

    init();
    T_EQ(register_many(40, NGX_IPC_MESSAGE_RETAINED), 8);
    T_EQ(ngx_ipc_message_register(&other), NGX_OK);
    start();
    check_refused(32);
    t_workers_stop();
}


/* They are registered when workers run. */

static void
test_many_later(void)
{
    int  known;

    t_messages_start(1);
    known = MANY - register_many(MANY, 0);
    T_OK(known > 240 && known < 256);
    check_refused(known);
    t_workers_stop();
}


static void
test_many_kept_later(void)
{
    t_messages_start(1);

    /* One of the 32 types is t_kept_type. */

    T_EQ(register_many(40, NGX_IPC_MESSAGE_RETAINED), 9);
    check_refused(31);
    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("types that are refused", test_wrong);
    t_run("a type of a worker in a program without messages", test_in_worker);
    t_run("too many types", test_many);
    t_run("too many types whose last message is kept", test_many_kept);
    t_run("too many types, registered later", test_many_later);
    t_run("too many types whose last message is kept, registered later",
          test_many_kept_later);

    return t_end();
}
