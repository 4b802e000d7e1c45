
/*
 * Processes that ngx_ipc_spawn_processes() starts together.  Each process, a
 * member, records which of the others it knows.
 */


#ifndef _T_MEMBERS_H_INCLUDED_
#define _T_MEMBERS_H_INCLUDED_


#include "test.h"


#if !(T_NGINX)


#define T_MEMBERS  16
#define T_HELLO    31
#define T_FILL     32

/* The observations of one member, in memory that the test shares. */

typedef struct {
    ngx_int_t  slot;
    ngx_int_t  last_before;         /* before the member read a message */
    ngx_int_t  known_before;
    ngx_int_t  messages;            /* until the member knew all others */
    ngx_int_t  opens;               /* OPEN_CHANNEL among the messages */
    ngx_int_t  hellos;
    ngx_pid_t  pids[T_MEMBERS];
    int        wrong;
    int        open_fds;
} t_member_t;


extern volatile t_member_t  *t_members;
extern ngx_int_t             t_expected;
extern int                   t_answers[2];


void t_member(ngx_cycle_t *cycle, void *data);
void t_members_begin(ngx_int_t n);
ngx_int_t t_members_start(ngx_int_t n);
void t_members_check(ngx_int_t n);
void t_members_end(void);
void t_open_gate(ngx_int_t n);
void t_wait_for_answers(ngx_int_t n);


#endif


#endif /* _T_MEMBERS_H_INCLUDED_ */
