
/* What the attacks of t_attack.h have in common. */


#include "t_attack.h"


#if !(T_NGINX)

t_attacks_t  *t_attacks;


void
t_attacks_init(void)
{
    t_attacks = t_shared(sizeof(t_attacks_t));
}


/* Forks a process that lives until the test is over. */

void
t_leave_process(pid_t (*fork_it)(void))
{
    pid_t  pid;

    __atomic_fetch_add(&t_attacks->left, 1, __ATOMIC_SEQ_CST);

    pid = fork_it();

    if (pid > 0) {
        return;
    }

    while (pid == 0 && !t_attacks->over) {
        (void) poll(NULL, 0, 5);
    }

    __atomic_fetch_sub(&t_attacks->left, 1, __ATOMIC_SEQ_CST);

    if (pid == 0) {
        _exit(0);
    }
}


/*
 * A pid that may be signalled: not 0, -1 or 1, which would reach processes that
 * are not of the test.  No process has the largest number.
 */

static pid_t
target(pid_t pid)
{
    return pid > 1 ? pid : 0x7fffffff;
}


pid_t
t_victim(void)
{
    return target(ngx_processes[T_VICTIM].pid);
}


pid_t
t_master(void)
{
    return target(ngx_parent);
}


void
t_kill_victim(void)
{
    __atomic_fetch_add(&t_attacks->kills, 1, __ATOMIC_SEQ_CST);
    (void) kill(t_victim(), SIGKILL);
}


/* The end of the sibling's channel that the master has, too. */

int
t_victims_channel(void)
{
    return ngx_processes[T_VICTIM].channel[0];
}

#endif
