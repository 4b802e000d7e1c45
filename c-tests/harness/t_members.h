
/* Processes that are started together, and what each knows of the others. */


#ifndef _T_MEMBERS_H_INCLUDED_
#define _T_MEMBERS_H_INCLUDED_


#include "test.h"


#if !(T_NGINX)


#define T_MEMBERS  16
#define T_HELLO    31
#define T_FILL     32

/* What a member has found, in memory that is shared. */

typedef struct {
    ngx_int_t  slot;
    ngx_int_t  last_before;         /* before it has read a message */
    ngx_int_t  known_before;
    ngx_int_t  messages;            /* read until it knew all others */
    ngx_int_t  opens;               /* those of them with a descriptor */
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
