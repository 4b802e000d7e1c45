
/* A master and its workers, for the tests of what becomes of them. */


#ifndef _T_WORKERS_H_INCLUDED_
#define _T_WORKERS_H_INCLUDED_


#include "test.h"


/* nginx's worker cycle needs a configuration; all of this is for ours. */

#if !(T_NGINX)

#define T_SLOTS  32


/* What each worker tells, by its slot: it looks at its table now and then. */

typedef struct {
    ngx_pid_t    pid;
    ngx_uint_t   worker;
    ngx_uint_t   process;
    ngx_int_t    last;
    ngx_pid_t    pids[T_SLOTS];
    int          fds[T_SLOTS];
    int          own[2];
    int          channel;
    int          open_fds;
    int          inits;
    int          exits;
    int          order[4];
    int          norder;
    int          exiting;
    int          looks;
} t_worker_t;


typedef struct {
    t_worker_t   workers[T_SLOTS];
    int          fail_init;         /* how many workers are to fail */
    int          hold;              /* a worker's timer keeps it alive */
    int          masters;           /* hooks that are not a worker's */
} t_told_t;


extern volatile t_told_t  *t_told;
extern ngx_uint_t          t_live;


void t_master_init(void);
void t_master_round(void);
int t_all_know_all(ngx_int_t n);
void t_check_channels(ngx_int_t n);
void t_workers_start(ngx_int_t n, ngx_int_t type);
void t_workers_hold(void);
void t_wait_all_gone(void);
void t_workers_stop(void);
pid_t t_kill_worker(ngx_int_t slot);
int t_exits(void);


#define T_UNTIL(expr)                                                        \
    while (!(expr)) {                                                        \
        t_master_round();                                                    \
    }

#endif


#endif /* _T_WORKERS_H_INCLUDED_ */
