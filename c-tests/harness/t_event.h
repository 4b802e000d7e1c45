
/* Timers and watched descriptors, for the tests of the event loop. */


#ifndef _T_EVENT_H_INCLUDED_
#define _T_EVENT_H_INCLUDED_


#include "test.h"


/*
 * t_timers[] are the timers of a test.  Each timer that expires adds its index
 * to t_order[], which has t_norder indexes.
 */

extern ngx_event_t  t_timers[4];
extern int          t_order[64];
extern int          t_norder;


void t_event_setup(void);
void t_timers_init(void);
void t_timer_handler(ngx_event_t *ev);
void t_loop_round(void);
long long t_now(void);


#if !(T_NGINX)

#define T_PAIRS  200

/*
 * t_pairs[] are socketpairs, of which the event loop watches one end.
 * t_called[] counts handler calls for each descriptor, t_calls counts them for
 * all descriptors, and t_last_ev is the event of the last handler call.
 */

extern int                t_pairs[T_PAIRS][2];
extern ngx_connection_t  *t_others[4];
extern int                t_called[T_FDS_MAX];
extern int                t_calls;
extern ngx_event_t       *t_last_ev;

/* The event that ends a round of t_round_of() without a wait. */

extern ngx_event_t        t_posted;


void t_count_handler(ngx_event_t *ev);
ngx_int_t t_watch(int fd, ngx_int_t event, ngx_event_handler_pt handler);
ngx_connection_t *t_watched(int fd, ngx_event_handler_pt handler);
void t_pairs_open(int n);
void t_pairs_close(int n);
void t_pair_put(int i);
void t_read_one(int fd);
void t_round_of(int calls);
void t_quiet_round(void);
void t_others_open(ngx_event_handler_pt handler);
void t_others_close(void);
void t_hold_proc(ngx_cycle_t *cycle, void *data);

#endif


#endif /* _T_EVENT_H_INCLUDED_ */
