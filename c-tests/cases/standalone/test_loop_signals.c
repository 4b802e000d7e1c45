
/* Tests of the event loop: signals. */


#include "t_event.h"


static void
setup_signals(void)
{
    t_event_setup();
    T_REQUIRE(ngx_init_signals(t_log()) == NGX_OK);
    ngx_process = NGX_PROCESS_MASTER;
}


/* No timer is set, so only the signal can end the wait. */

static void
test_signal_before(void)
{
    setup_signals();

    raise(SIGUSR1);
    T_EQ(ngx_reopen, 1);
    t_loop_round();
}


static void
test_signals_before(void)
{
    int  i;

    setup_signals();

    for (i = 0; i < 1000; i++) {
        raise(SIGUSR1);
        raise(SIGWINCH);
        t_loop_round();
    }

    T_EQ(ngx_reopen, 1);

    /*
     * Each signal has ended one wait.  No signal is left that would end the
     * next wait.
     */

    t_quiet_round();
}


static void
raise_handler(ngx_event_t *ev)
{
    char  ch;

    t_count_handler(ev);

    T_EQ(read(((ngx_connection_t *) ev->data)->fd, &ch, 1), 1);
    raise(SIGUSR1);
}


static void
test_signal_in_handler(void)
{
    setup_signals();
    t_socketpair(t_pairs[0]);
    T_EQ(t_watch(t_pairs[0][1], NGX_READ_EVENT, raise_handler), NGX_OK);

    t_pair_put(0);
    t_loop_round();
    T_EQ(t_calls, 1);
    T_EQ(ngx_reopen, 1);

    t_loop_round();
    T_EQ(t_calls, 1);
    t_quiet_round();

    t_pairs_close(1);
}


static void
raise_timer(ngx_event_t *ev)
{
    t_timer_handler(ev);
    raise(SIGUSR1);
}


static void
test_signal_in_timer(void)
{
    setup_signals();

    t_timers[1].handler = raise_timer;
    ngx_add_timer(&t_timers[1], 0);
    t_loop_round();
    T_EQ(t_norder, 1);

    t_loop_round();
    T_EQ(t_norder, 1);
    t_quiet_round();
}


/*
 * A child exits.  Its SIGCHLD can arrive before the event loop waits, and must
 * still end the wait.
 */

static void
test_child_exits_before(void)
{
    pid_t  pid;

    setup_signals();

    pid = t_spawn(t_hold_proc, (int[]) { -1, -1 }, "short",
                  NGX_PROCESS_DETACHED);
    T_REQUIRE(pid > 0);

    while (!ngx_reap) {
        t_loop_round();
    }

    T_EQ(ngx_reap_children(t_cycle()), 0);
}


/*
 * Delays the sender, which waits a different time before each signal, so that
 * signals arrive at all moments of the event loop.
 */

static void
spin(unsigned n)
{
    volatile unsigned  i;

    for (i = 0; i < n; i++) {
        /* void */
    }
}


static void
send_signals(int rounds, int answer)
{
    char      ch;
    unsigned  seed;

    seed = 1;

    while (rounds--) {
        seed = seed * 1103515245 + 12345;
        spin((seed >> 16) % 20000);

        if (kill(getppid(), SIGUSR1) == -1 || read(answer, &ch, 1) != 1) {
            _exit(1);
        }
    }

    _exit(0);
}


/*
 * A child sends a signal and waits for an answer, again and again.  If the
 * event loop misses a signal, both processes wait until the time limit of the
 * case.
 */

static void
signals_at_random(int rounds)
{
    int    n, answer[2];
    pid_t  pid;

    T_REQUIRE(pipe(answer) == 0);

    pid = fork();

    if (pid == 0) {
        send_signals(rounds, answer[0]);
    }

    for (n = 0; n < rounds; /* void */ ) {

        if (ngx_reopen) {
            ngx_reopen = 0;
            n++;
            T_REQUIRE(write(answer[1], "x", 1) == 1);

        } else {
            t_loop_round();
        }
    }

    /*
     * The handler of SIGCHLD can already have reaped the sender, so it is
     * possible that no further signal comes.
     */

    while (!ngx_reap) {
        t_loop_round();
    }

    T_EQ(t_logged(NGX_LOG_NOTICE, "unknown process"), 1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "exited with code 0"), 1);

    close(answer[0]);
    close(answer[1]);
}


static void
test_signals_at_random(void)
{
    setup_signals();
    signals_at_random(t_under_valgrind() ? 200 : 2000);
}


/*
 * Signals arrive at random moments while a descriptor and a timer are active.
 */

static void
ring_handler(ngx_event_t *ev)
{
    t_pair_put(0);
    ngx_add_timer(ev, 1);
}


static void
echo_handler(ngx_event_t *ev)
{
    t_count_handler(ev);
    t_read_one(t_pairs[0][1]);
}


static void
test_signals_with_others(void)
{
    setup_signals();

    t_timers[1].handler = ring_handler;
    ngx_add_timer(&t_timers[1], 1);
    t_socketpair(t_pairs[0]);
    T_EQ(t_watch(t_pairs[0][1], NGX_READ_EVENT, echo_handler), NGX_OK);

    signals_at_random(t_under_valgrind() ? 100 : 500);

    T_OK(t_calls > 0);

    ngx_close_channel(t_pairs[0], t_log());
    ngx_del_timer(&t_timers[1]);
}


/*
 * Another library has the handler of SIGCHLD.  Only the event loop can find out
 * that the child has exited, because nothing else ends its wait.
 */

static void
finds_exit(ngx_int_t reaped)
{
    int        status;
    pid_t      pid;
    siginfo_t  info;

    setup_signals();
    t_wake_on(SIGCHLD);

    T_REQUIRE(t_spawn(t_pause, NULL, "some worker", NGX_PROCESS_NORESPAWN)
              > 0);
    pid = t_spawn(t_exit_proc, NULL, "some worker", NGX_PROCESS_RESPAWN);
    T_REQUIRE(pid > 0);

    while (waitid(P_PID, pid, &info, WEXITED|WNOWAIT) == -1) {
        T_REQUIRE(errno == EINTR);
    }

    if (reaped) {
        T_EQ(waitpid(pid, &status, 0), pid);
    }

    T_EQ(ngx_reap, 0);

    while (!ngx_reap) {
        ngx_process_events_and_timers(t_cycle());
    }

    T_EQ(ngx_reap_children(t_cycle()), 1);
    T_OK(ngx_processes[1].pid > 0);
    T_OK(ngx_processes[1].pid != pid);
    T_EQ(ngx_processes[0].exited, 0);

    t_end_processes();
}


static void
test_another_handler(void)
{
    finds_exit(0);
}


static void
test_another_handler_reaps(void)
{
    finds_exit(1);
}


int
main(void)
{
    t_begin();

    t_run("a signal before the wait", test_signal_before);
    t_run("signals before each wait", test_signals_before);
    t_run("a signal in a handler", test_signal_in_handler);
    t_run("a signal in a timer's handler", test_signal_in_timer);
    t_run("a child that exits before the wait", test_child_exits_before);
    t_run("signals at random moments", test_signals_at_random);
    t_run("signals at random moments, with others",
          test_signals_with_others);
    t_run("a child exits while another handler has SIGCHLD",
          test_another_handler);
    t_run("another handler reaps a child", test_another_handler_reaps);

    return t_end();
}
