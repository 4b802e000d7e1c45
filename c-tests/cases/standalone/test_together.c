
/*
 * Tests of ngx_ipc_spawn_processes(), which starts several processes together.
 */


#include "t_members.h"


static void
test_five(void)
{
    ngx_int_t  i;

    t_members_begin(5);
    T_EQ(t_members_start(5), 5);

    T_EQ(ngx_process_slot, 4);
    T_EQ(ngx_last_process, 5);

    t_wait_for_answers(5);
    t_open_gate(5);
    t_wait_for_answers(5);
    t_members_check(5);

    for (i = 0; i < 5; i++) {

        /*
         * Before a member reads messages, it knows only the members that were
         * spawned earlier.
         */

        T_EQ(t_members[i].slot, i);
        T_EQ(t_members[i].last_before, i + 1);
        T_EQ(t_members[i].known_before, i);

        T_EQ(t_members[i].messages, i < 4 ? 1 : 0);
        T_EQ(t_members[i].opens, 0);

        /* No member has descriptors that belong to another member. */

        T_EQ(t_members[i].open_fds, t_members[0].open_fds);

        T_EQ(ngx_processes[i].respawn, 1);
        T_EQ(ngx_processes[i].channel[1], -1);
        T_OK(ngx_processes[i].data == (void *) (intptr_t) i);
    }

    t_members_end();
}


/*
 * A process that runs already gets one message about each process that is
 * started later.
 */

static void
test_five_more(void)
{
    t_members_begin(7);

    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_member, 2, "member",
                                 NGX_PROCESS_RESPAWN), 2);
    t_wait_for_answers(2);
    t_members = &t_members[2];
    T_EQ(t_members_start(5), 5);
    t_members = &t_members[-2];

    t_wait_for_answers(5);
    t_open_gate(7);
    t_wait_for_answers(7);
    t_members_check(7);

    T_EQ(t_members[0].messages, 1 + 5);
    T_EQ(t_members[0].opens, 5);
    T_EQ(t_members[1].messages, 5);
    T_EQ(t_members[2].messages, 1);
    T_EQ(t_members[6].messages, 0);
    T_EQ(t_members[6].open_fds, t_members[0].open_fds);

    t_members_end();
}


static void
test_freed_slots(void)
{
    ngx_int_t  i;

    t_members_begin(5);

    for (i = 0; i < 4; i++) {
        t_spawn(t_pause, NULL, "worker", NGX_PROCESS_RESPAWN);
    }

    t_end_process(2);
    t_end_process(0);

    /*
     * The two older processes do not take part in the exchange of greetings.
     */

    t_expected = 6;
    T_EQ(t_members_start(4), 4);
    T_EQ(ngx_process_slot, 5);
    T_EQ(ngx_last_process, 6);
    t_wait_for_answers(4);

    T_EQ(t_members[0].slot, 0);
    T_EQ(t_members[1].slot, 2);
    T_EQ(t_members[2].slot, 4);
    T_EQ(t_members[3].slot, 5);
    T_EQ(t_members[0].last_before, 4);
    T_EQ(t_members[2].last_before, 5);

    t_members_end();
}


static void
test_bad_arguments(void)
{
    t_members_begin(1);

    T_EQ(t_members_start(0), 0);
    T_EQ(t_members_start(-1), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), NULL, 2, "member",
                                 NGX_PROCESS_RESPAWN), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_member, 2, "member", 0),
         NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_member, 2, "member",
                                 NGX_PROCESS_DETACHED), NGX_ERROR);
    T_EQ(ngx_ipc_spawn_processes(t_cycle(), t_member, 2, "member", -6),
         NGX_ERROR);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 5);
    T_EQ(ngx_last_process, 0);

    t_members_end();
}


int
main(void)
{
    t_begin();

    t_run("five processes are started together", test_five);
    t_run("five processes are started after two others", test_five_more);
    t_run("processes that are started together use free slots",
          test_freed_slots);
    t_run("invalid arguments", test_bad_arguments);

    return t_end();
}
