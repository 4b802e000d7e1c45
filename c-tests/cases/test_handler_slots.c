
/*
 * Tests of ngx_channel_handler(): messages about slots that are invalid or in
 * use.
 */


#include "t_handler.h"


static void
test_close_clears_pid(void)
{
    t_handler_open();

    (void) t_open_slot(T_OTHER_SLOT, 4321);
    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, -1);
    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);

    t_channel_close();
}


static void
test_open_over_live(void)
{
    int  n;

    t_handler_open();

    n = t_open_fds();

    (void) t_open_slot(T_OTHER_SLOT, 4321);
    (void) t_open_slot(T_OTHER_SLOT, 4322);

    T_EQ(ngx_processes[T_OTHER_SLOT].pid, 4322);
    T_EQ(t_open_fds(), n + 1);

    close(ngx_processes[T_OTHER_SLOT].channel[0]);
    t_channel_close();
}


static void
open_out_of_range(ngx_int_t slot)
{
    int               fd, n;
    static ngx_process_t  before[NGX_MAX_PROCESSES];

    t_handler_open();

    memcpy(before, ngx_processes, sizeof(before));

    n = t_open_fds();
    fd = t_some_fd();
    t_handle(NGX_CMD_OPEN_CHANNEL, slot, 4321, fd);
    close(fd);

    T_EQ(t_open_fds(), n);
    T_OK(memcmp(before, ngx_processes, sizeof(before)) == 0);

    /* The invalid message has no effect on the messages that follow. */

    t_handle(NGX_CMD_QUIT, 0, 0, -1);
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
    open_out_of_range(T_FAR_SLOT);
}


static void
test_open_minus_one(void)
{
    open_out_of_range(-1);
}


static void
test_open_far_minus(void)
{
    open_out_of_range(-T_FAR_SLOT);
}


static void
close_out_of_range(ngx_int_t slot)
{
    t_handler_open();

    t_handle(NGX_CMD_CLOSE_CHANNEL, slot, 4321, -1);
    t_handle(NGX_CMD_QUIT, 0, 0, -1);

    T_EQ(ngx_quit, 1);

    /*
     * The harness fails the case if the handler has closed a descriptor that
     * was open before.
     */

    t_channel_close();
}


static void
test_close_far(void)
{
    close_out_of_range(T_FAR_SLOT);
}


static void
test_close_far_minus(void)
{
    close_out_of_range(-T_FAR_SLOT);
}


/*
 * A message about the receiver's own slot, with a pid of another process or
 * with its own.  It must change nothing.
 */

static void
about_own_slot(ngx_uint_t command)
{
    int            fd, n;
    ngx_process_t  before;

    t_handler_open();

    before = ngx_processes[T_OWN_SLOT];

    fd = (command == NGX_CMD_OPEN_CHANNEL) ? t_some_fd() : -1;
    n = t_open_fds();
    t_handle(command, T_OWN_SLOT, 4321, fd);

    T_EQ(t_open_fds(), n);
    T_OK(memcmp(&before, &ngx_processes[T_OWN_SLOT], sizeof(before)) == 0);

    t_handle(command, T_OWN_SLOT, ngx_pid, fd);

    T_EQ(t_open_fds(), n);
    T_OK(memcmp(&before, &ngx_processes[T_OWN_SLOT], sizeof(before)) == 0);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "channel command %d for slot %d ignored",
                   (int) command, T_OWN_SLOT), 2);

    if (fd != -1) {
        close(fd);
    }

    t_channel_close();
}


static void
test_open_own_slot(void)
{
    about_own_slot(NGX_CMD_OPEN_CHANNEL);
}


static void
test_close_own_slot(void)
{
    about_own_slot(NGX_CMD_CLOSE_CHANNEL);
}


/*
 * An OPEN_CHANNEL arrives without its descriptor.  The worker must not use the
 * slot's previous descriptor for the new process (D12).
 */

static void
test_open_without_fd(void)
{
    ngx_channel_t  ch;

    t_handler_open();

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, -1);
    ch.slot = T_OTHER_SLOT;
    ch.pid = 4321;

    T_REQUIRE(t_send(t_pair[0], &ch, sizeof(ngx_channel_t), NULL, 0) == 32);
    T_REQUIRE(t_send(t_pair[0], &ch, sizeof(ngx_channel_t), NULL, 0) == 32);

    t_handle_channel(t_pair[1]);

    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);

    /*
     * The message without a descriptor has no effect on the messages that
     * follow.
     */

    t_handle(NGX_CMD_QUIT, 0, 0, -1);
    T_EQ(ngx_quit, 1);

    t_channel_close();
}


/*
 * A slot that was never used contains zeroes.  CLOSE_CHANNEL for this slot
 * must not close descriptor 0 (D11).
 */

static void
test_close_never_opened(void)
{
    t_handler_open();

    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], 0);
    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);

    T_OK(t_is_open(0));
    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);

    t_channel_close();
}


static void
test_open_in_slot_of_zeroes(void)
{
    int  fd;

    t_handler_open();

    fd = t_open_slot(T_OTHER_SLOT, 4321);
    T_OK(t_is_open(0));

    close(fd);
    t_channel_close();
}


static void
test_close_twice(void)
{
    t_handler_open();

    (void) t_open_slot(T_OTHER_SLOT, 4321);
    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);
    t_handle(NGX_CMD_CLOSE_CHANNEL, T_OTHER_SLOT, 4321, -1);

    T_EQ(ngx_processes[T_OTHER_SLOT].channel[0], -1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() channel failed"), 0);

    t_channel_close();
}


int
main(void)
{
    t_begin();

    t_run("OPEN_CHANNEL in a slot of zeroes", test_open_in_slot_of_zeroes);
    t_run("D18 CLOSE_CHANNEL clears the pid", test_close_clears_pid);
    t_run("D18 OPEN_CHANNEL over a live descriptor", test_open_over_live);
    t_run("D18 OPEN_CHANNEL for slot 1024", test_open_1024);
    t_run("D18 OPEN_CHANNEL for a slot that is too large", test_open_far);
    t_run("D18 OPEN_CHANNEL for slot -1", test_open_minus_one);
    t_run("D18 OPEN_CHANNEL for a large negative slot", test_open_far_minus);
    t_run("D18 CLOSE_CHANNEL for a slot that is too large", test_close_far);
    t_run("D18 CLOSE_CHANNEL for a large negative slot", test_close_far_minus);
    t_run("D18 OPEN_CHANNEL for its own slot", test_open_own_slot);
    t_run("D18 CLOSE_CHANNEL for its own slot", test_close_own_slot);
    t_run("D12 OPEN_CHANNEL without a descriptor", test_open_without_fd);
    t_run("D11 CLOSE_CHANNEL for a slot never opened",
          test_close_never_opened);
    t_run("D18 CLOSE_CHANNEL twice", test_close_twice);

    return t_end();
}
