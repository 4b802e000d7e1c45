
/* ngx_channel_handler(), which carries out what arrives in a worker. */


#include "t_channel.h"


#define OWN_SLOT    2
#define OTHER_SLOT  5
#define FAR_SLOT    ((ngx_int_t) 1 << 40)


static void
setup(void)
{
    t_init_events();
    t_channel_open();

    /* as in a worker; the table of a real one is not all zeroes */

    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = OWN_SLOT;
    ngx_last_process = OWN_SLOT + 1;

    ngx_processes[OWN_SLOT].pid = ngx_pid;
    ngx_processes[OWN_SLOT].channel[0] = -1;
    ngx_processes[OWN_SLOT].channel[1] = -1;
}


static void
send_to_slot(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd)
{
    ngx_channel_t  ch;

    t_message(&ch, command, fd);

    ch.slot = slot;
    ch.pid = pid;

    T_REQUIRE(t_put(&ch) == NGX_OK);
}


static void
handle(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd)
{
    send_to_slot(command, slot, pid, fd);
    t_handle_channel(t_pair[1]);
}


/* Open a slot with a descriptor of our own; returns what is in the table. */

static int
open_slot(ngx_int_t slot, ngx_pid_t pid)
{
    int  fd;

    fd = t_some_fd();
    handle(NGX_CMD_OPEN_CHANNEL, slot, pid, fd);
    close(fd);

    T_REQUIRE(ngx_processes[slot].channel[0] > 2);
    T_REQUIRE(t_is_open(ngx_processes[slot].channel[0]));

    return ngx_processes[slot].channel[0];
}


static void
command(ngx_uint_t number, sig_atomic_t *flag)
{
    setup();

    handle(number, 0, 0, -1);

    T_EQ(ngx_quit, flag == &ngx_quit);
    T_EQ(ngx_terminate, flag == &ngx_terminate);
    T_EQ(ngx_reopen, flag == &ngx_reopen);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel handler"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: 32"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -2"), 1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "channel command: %d", (int) number), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_quit(void)
{
    command(NGX_CMD_QUIT, &ngx_quit);
}


static void
test_terminate(void)
{
    command(NGX_CMD_TERMINATE, &ngx_terminate);
}


static void
test_reopen(void)
{
    command(NGX_CMD_REOPEN, &ngx_reopen);
}


static void
test_unknown(void)
{
    command(31, NULL);
}


static void
test_empty(void)
{
    setup();

    t_handle_channel(t_pair[1]);

    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -2"), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel command"), 0);

    t_channel_close();
}


static void
test_several(void)
{
    setup();

    send_to_slot(NGX_CMD_REOPEN, 0, 0, -1);
    send_to_slot(NGX_CMD_QUIT, 0, 0, -1);
    send_to_slot(NGX_CMD_TERMINATE, 0, 0, -1);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_reopen, 1);
    T_EQ(ngx_quit, 1);
    T_EQ(ngx_terminate, 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "channel handler"), 1);

    t_channel_close();
}


static void
test_eof(void)
{
    setup();

    send_to_slot(NGX_CMD_REOPEN, 0, 0, -1);
    close(t_pair[0]);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_reopen, 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, ": channel: -1"), 1);
    T_OK(!t_is_open(t_pair[1]));
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_open(void)
{
    int  fd, got;

    setup();

    fd = t_some_fd();
    handle(NGX_CMD_OPEN_CHANNEL, OTHER_SLOT, 4321, fd);

    got = ngx_processes[OTHER_SLOT].channel[0];

    T_EQ(ngx_processes[OTHER_SLOT].pid, 4321);
    T_OK(t_same_file(getpid(), fd, getpid(), got));
    T_EQ(t_loggedf(NGX_LOG_DEBUG, "get channel s:%d pid:4321 fd:%d",
                   OTHER_SLOT, got), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    close(got);
    close(fd);
    t_channel_close();
}


static void
test_close(void)
{
    int  fd;

    setup();

    fd = open_slot(OTHER_SLOT, 4321);

    handle(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);

    T_OK(!t_is_open(fd));
    T_EQ(ngx_processes[OTHER_SLOT].channel[0], -1);
    T_EQ(t_loggedf(NGX_LOG_DEBUG,
                   "close channel s:%d pid:4321 our:4321 fd:%d", OTHER_SLOT,
                   fd), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);

    t_channel_close();
}


static void
test_open_close_in_one(void)
{
    int  fd;

    setup();

    fd = t_some_fd();
    send_to_slot(NGX_CMD_OPEN_CHANNEL, OTHER_SLOT, 4321, fd);
    send_to_slot(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);
    send_to_slot(NGX_CMD_OPEN_CHANNEL, OTHER_SLOT, 4322, fd);
    close(fd);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_processes[OTHER_SLOT].pid, 4322);
    T_OK(t_is_open(ngx_processes[OTHER_SLOT].channel[0]));

    close(ngx_processes[OTHER_SLOT].channel[0]);
    t_channel_close();
}


static void
test_last_slot(void)
{
    int  fd;

    setup();

    fd = open_slot(NGX_MAX_PROCESSES - 1, 4321);
    T_EQ(ngx_processes[NGX_MAX_PROCESSES - 1].pid, 4321);

    close(fd);
    t_channel_close();
}


/* D18 */

static void
test_close_clears_pid(void)
{
    setup();

    (void) open_slot(OTHER_SLOT, 4321);
    handle(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);

    T_EQ(ngx_processes[OTHER_SLOT].pid, -1);
    T_EQ(ngx_processes[OTHER_SLOT].channel[0], -1);

    t_channel_close();
}


static void
test_open_over_live(void)
{
    int  n;

    setup();

    n = t_open_fds();

    (void) open_slot(OTHER_SLOT, 4321);
    (void) open_slot(OTHER_SLOT, 4322);

    T_EQ(ngx_processes[OTHER_SLOT].pid, 4322);
    T_EQ(t_open_fds(), n + 1);

    close(ngx_processes[OTHER_SLOT].channel[0]);
    t_channel_close();
}


static void
open_out_of_range(ngx_int_t slot)
{
    int               fd, n;
    static ngx_process_t  before[NGX_MAX_PROCESSES];

    setup();

    memcpy(before, ngx_processes, sizeof(before));

    n = t_open_fds();
    fd = t_some_fd();
    handle(NGX_CMD_OPEN_CHANNEL, slot, 4321, fd);
    close(fd);

    T_EQ(t_open_fds(), n);
    T_OK(memcmp(before, ngx_processes, sizeof(before)) == 0);

    /* and the worker goes on */

    handle(NGX_CMD_QUIT, 0, 0, -1);
    T_EQ(ngx_quit, 1);

    t_channel_close();
}


static void
test_open_1024(void)
{
    open_out_of_range(NGX_MAX_PROCESSES);
}


static void
test_open_far(void)
{
    open_out_of_range(FAR_SLOT);
}


static void
test_open_minus_one(void)
{
    open_out_of_range(-1);
}


static void
test_open_far_minus(void)
{
    open_out_of_range(-FAR_SLOT);
}


static void
close_out_of_range(ngx_int_t slot)
{
    setup();

    handle(NGX_CMD_CLOSE_CHANNEL, slot, 4321, -1);
    handle(NGX_CMD_QUIT, 0, 0, -1);

    T_EQ(ngx_quit, 1);

    /* nothing was closed: the harness compares */

    t_channel_close();
}


static void
test_close_far(void)
{
    close_out_of_range(FAR_SLOT);
}


static void
test_close_far_minus(void)
{
    close_out_of_range(-FAR_SLOT);
}


/* D12: its descriptor was lost, and the one before must not be taken. */

static void
test_open_without_fd(void)
{
    ngx_channel_t  ch;

    setup();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, -1);
    ch.slot = OTHER_SLOT;
    ch.pid = 4321;

    T_REQUIRE(t_send(t_pair[0], &ch, sizeof(ngx_channel_t), NULL, 0) == 32);
    T_REQUIRE(t_send(t_pair[0], &ch, sizeof(ngx_channel_t), NULL, 0) == 32);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_processes[OTHER_SLOT].channel[0], -1);

    /* such a message does not make the worker deaf */

    handle(NGX_CMD_QUIT, 0, 0, -1);
    T_EQ(ngx_quit, 1);

    t_channel_close();
}


/* D11: a slot of zeroes holds no descriptor 0. */

static void
test_close_never_opened(void)
{
    setup();

    T_EQ(ngx_processes[OTHER_SLOT].channel[0], 0);
    handle(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);

    T_OK(t_is_open(0));
    T_EQ(ngx_processes[OTHER_SLOT].channel[0], -1);

    t_channel_close();
}


static void
test_open_in_slot_of_zeroes(void)
{
    int  fd;

    setup();

    fd = open_slot(OTHER_SLOT, 4321);
    T_OK(t_is_open(0));

    close(fd);
    t_channel_close();
}


static void
test_close_twice(void)
{
    setup();

    (void) open_slot(OTHER_SLOT, 4321);
    handle(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);
    handle(NGX_CMD_CLOSE_CHANNEL, OTHER_SLOT, 4321, -1);

    T_EQ(ngx_processes[OTHER_SLOT].channel[0], -1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    t_channel_close();
}


/* D13: as nginx itself never sends it, but a module may. */

static void
test_short_message(void)
{
    setup();

    t_put_raw(NGX_CMD_REOPEN, 0, 5, NULL, 0);
    t_handle_channel(t_pair[1]);
    T_EQ(ngx_reopen, 0);

    t_put_raw(NGX_CMD_REOPEN, 5, 27, NULL, 0);
    t_handle_channel(t_pair[1]);
    T_EQ(ngx_reopen, 1);

    handle(NGX_CMD_QUIT, 0, 0, -1);
    T_EQ(ngx_quit, 1);

    t_channel_close();
}


int
main(void)
{
    t_begin();

    t_run("QUIT", test_quit);
    t_run("TERMINATE", test_terminate);
    t_run("REOPEN", test_reopen);
    t_run("a command of a module's", test_unknown);
    t_run("an empty channel", test_empty);
    t_run("several messages at once", test_several);
    t_run("an end of file closes the channel", test_eof);

    t_run("OPEN_CHANNEL", test_open);
    t_run("CLOSE_CHANNEL", test_close);
    t_run("OPEN, CLOSE and OPEN at once", test_open_close_in_one);
    t_run("OPEN_CHANNEL for the last slot", test_last_slot);
    t_run("OPEN_CHANNEL in a slot of zeroes", test_open_in_slot_of_zeroes);

    t_run("D18 CLOSE_CHANNEL clears the pid", test_close_clears_pid);
    t_run("D18 OPEN_CHANNEL over a live descriptor", test_open_over_live);
    t_run("D18 OPEN_CHANNEL for slot 1024", test_open_1024);
    t_run("D18 OPEN_CHANNEL for a slot far away", test_open_far);
    t_run("D18 OPEN_CHANNEL for slot -1", test_open_minus_one);
    t_run("D18 OPEN_CHANNEL for a slot far before", test_open_far_minus);
    t_run("D18 CLOSE_CHANNEL for a slot far away", test_close_far);
    t_run("D18 CLOSE_CHANNEL for a slot far before", test_close_far_minus);

    t_run("D12 OPEN_CHANNEL without a descriptor", test_open_without_fd);
    t_run("D11 CLOSE_CHANNEL for a slot never opened",
          test_close_never_opened);
    t_run("D18 CLOSE_CHANNEL twice", test_close_twice);
    t_run("D13 a message in two pieces", test_short_message);

    return t_end();
}
