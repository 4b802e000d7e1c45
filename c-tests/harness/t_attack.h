
/*
 * Attacks of a worker that an attacker controls.  An attack runs in a process
 * that the master has spawned, that has given up root, and that has the
 * channels of a worker.  It may kill its process, and may hang.
 *
 * A new attack is a function and a row of a table.
 */


#ifndef _T_ATTACK_H_INCLUDED_
#define _T_ATTACK_H_INCLUDED_


#include "test.h"


#if !(T_NGINX)

typedef struct {
    const char  *name;
    void       (*run)(void);
} t_attack_t;


/* a part of the memory of this process */

typedef struct {
    u_char  *start;
    size_t   size;
    char     mode[5];
} t_mapping_t;


/* data in memory that the attacks share with the test */

typedef struct {
    volatile int  begun;        /* an attack that does not return has begun */
    volatile int  over;         /* processes that attacks forked must exit */
    volatile int  kills;        /* signals that attacks sent to the sibling */
    volatile int  children;     /* children that attacks gave to the master */
} t_attacks_t;


/* The sibling that is attacked is in slot 0. */

#define T_VICTIM  0


extern t_attacks_t  *t_attacks;

/* each table ends with a row without a name */

extern const t_attack_t  t_channel_attacks[];
extern const t_attack_t  t_socket_attacks[];
extern const t_attack_t  t_memory_attacks[];
extern const t_attack_t  t_process_attacks[];


void t_attacks_init(void);
const t_attack_t *t_attack(int n);
void t_leave_process(pid_t (*fork_it)(void));
pid_t t_victim(void);
pid_t t_master(void);
void t_kill_victim(void);
int t_victims_channel(void);
size_t t_shared_mappings(t_mapping_t *m, size_t max);
void t_overwrite_shared(int byte);

#endif


#endif /* _T_ATTACK_H_INCLUDED_ */
