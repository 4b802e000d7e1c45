
/*
 * A master of the library's host and its workers, which record what they have
 * in their process tables.
 */


#ifndef _T_WORKERS_H_INCLUDED_
#define _T_WORKERS_H_INCLUDED_


#include "test.h"


/*
 * Only with the library: nginx's ngx_worker_process_cycle() needs a
 * configuration, which these tests do not have.
 */

#if !(T_NGINX)

#define T_SLOTS  32


/*
 * The observations of one worker, in memory that the test shares.  The worker
 * copies its process table every 5 ms.
 */

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
    long         random;            /* of ngx_random() in init_process() */
    int          exiting;
    int          looks;
} t_worker_t;


typedef struct {
    t_worker_t   workers[T_SLOTS];
    int          fail_init;         /* how many workers still fail */
    int          hold;              /* 1: a timer keeps workers alive */
    int          masters;           /* calls of a master's callbacks */
} t_common_t;


extern volatile t_common_t  *t_common;
extern ngx_uint_t          t_live;


void t_master_init(void);
void t_master_round(void);
int t_runs(ngx_int_t s);
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
