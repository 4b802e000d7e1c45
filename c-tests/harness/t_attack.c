
/* Functions that several attacks of t_attack.h call. */


#include "t_attack.h"


#if !(T_NGINX)

t_attacks_t  *t_attacks;


void
t_attacks_init(void)
{
    t_attacks = t_shared(sizeof(t_attacks_t));
}


/* The attack with the number n, from 0; NULL if there are fewer attacks. */

const t_attack_t *
t_attack(int n)
{
    size_t  i;
    int     k;

    static const t_attack_t  *tables[] = {
        t_channel_attacks, t_socket_attacks, t_memory_attacks,
        t_process_attacks
    };

    for (i = 0; i < t_nitems(tables); i++) {
        for (k = 0; tables[i][k].name; k++) {
            if (n-- == 0) {
                return &tables[i][k];
            }
        }
    }

    return NULL;
}


/* Forks a process that lives until the test is over, at most 5 s. */

void
t_leave_process(pid_t (*fork_it)(void))
{
    int  i;

    if (fork_it() != 0) {
        return;
    }

    for (i = 0; i < 100 && !t_attacks->over; i++) {
        (void) poll(NULL, 0, 50);
    }

    _exit(0);
}


/*
 * A pid that may be signalled: not 0, -1 or 1, which would reach processes
 * that are not of the test.  No process has the largest number.
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


/*
 * The master's end of the sibling's channel, of which this process has a copy.
 */

int
t_victims_channel(void)
{
    return ngx_processes[T_VICTIM].channel[0];
}

#endif
