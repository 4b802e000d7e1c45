
/*
 * Tests of how a program reads the numbers of messages: lines in the log,
 * structures of other versions, and a program without messages.
 */


#include "t_counts.h"
#include "t_messages.h"


static char  lines[16384];


static void
keep_line(void *data, const char *text, size_t len)
{
    (void) data;

    if (strlen(lines) + len < sizeof(lines)) {
        strncat(lines, text, len);
    }
}


static void
test_lines(void)
{
    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    ngx_ipc_print_processes(keep_line, NULL);

    T_OK(strstr(lines, "\nmessages type:\"test_note\" sent:1 refused:0 "
                       "received:1 unknown:0 lost:0 waiting:0 deepest:")
         != NULL);
    T_OK(strstr(lines, " timed:1 time:") != NULL);
    T_OK(strstr(lines, " times:") != NULL);
    T_OK(strstr(lines, "\nmessages type:\"test_order\" sent:0 ") != NULL);

    /* Nothing waits and nothing is lost, so no pair has a line. */

    T_OK(strstr(lines, "messages from:") == NULL);

    t_stop_pid(ngx_processes[0].pid);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_pair_of(-1, 0)->waiting == 1);
    lines[0] = '\0';
    ngx_ipc_print_processes(keep_line, NULL);
    T_OK(strstr(lines, "\nmessages from:-1 to:0 sent:2 refused:0 received:1 "
                       "waiting:1 ") != NULL);
    T_EQ(kill(ngx_processes[0].pid, SIGCONT), 0);

    t_workers_stop();
}


/* Programs of other versions, and wrong arguments. */

static void
test_sizes(void)
{
    struct {
        ngx_ipc_message_counts_t  c;
        char                      later[16];
    } newer;

    ngx_ipc_message_pair_t  p;

    t_messages_start(1);
    T_EQ(t_note(NGX_IPC_TO_WORKER(0), 1), NGX_OK);
    T_UNTIL(t_of(0)->notes == 1);

    T_EQ(ngx_ipc_message_next_type(NULL), NGX_ERROR);
    T_EQ(ngx_ipc_message_next_pair(NULL), NGX_ERROR);

    memset(&newer, 'x', sizeof(newer));
    newer.c.number = -1;
    newer.c.set = 0;
    newer.c.worker = -1;
    T_EQ(ngx_ipc_message_next_type_size(&newer.c, sizeof(newer.c) - 8), NGX_ERROR);
    T_EQ(newer.c.name[0], 'x');
    T_EQ(ngx_ipc_message_next_type_size(&newer.c, sizeof(newer)), NGX_OK);
    T_OK(newer.c.name[0] != 'x');
    T_EQ(newer.later[0], 0);
    T_EQ(newer.later[15], 0);

    newer.c.number = 100000;
    T_EQ(ngx_ipc_message_next_type(&newer.c), NGX_DECLINED);

    memset(&p, 0, sizeof(p));
    p.number = -1;
    T_EQ(ngx_ipc_message_next_pair_size(&p, sizeof(p) - 8), NGX_ERROR);
    p.number = -77;
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_OK);
    p.number = 1000000000;
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_DECLINED);

    t_workers_stop();
}


/* A program without messages has an empty list. */

static void
test_off(void)
{
    ngx_ipc_message_counts_t  c;
    ngx_ipc_message_pair_t    p;

    t_master_init();
    t_workers_start(1, NGX_PROCESS_RESPAWN);

    c.number = -1;
    c.set = 0;
    c.worker = -1;
    p.number = -1;
    T_EQ(ngx_ipc_message_next_type(&c), NGX_DECLINED);
    T_EQ(ngx_ipc_message_next_pair(&p), NGX_DECLINED);

    lines[0] = '\0';
    ngx_ipc_print_processes(keep_line, NULL);
    T_OK(strstr(lines, "messages") == NULL);

    t_workers_stop();
}


int
main(void)
{
    t_begin();

    t_run("the lines in the log", test_lines);
    t_run("structures of other versions", test_sizes);
    t_run("a program without messages has no numbers", test_off);

    return t_end();
}
