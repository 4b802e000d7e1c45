
/*
 * A master and workers that exchange messages.  A worker does what the master's
 * messages of the type "order" say, and records what it receives in memory that
 * the test shares.
 */


#ifndef _T_MESSAGES_H_INCLUDED_
#define _T_MESSAGES_H_INCLUDED_


#include "t_workers.h"


#if !(T_NGINX)

#include <ngx_ipc_message.h>


#define T_RECEIVERS  8


/* What a worker does when it gets an order. */

typedef enum {
    T_ORDER_BROADCAST = 1,      /* a note of the order's value to all workers */
    T_ORDER_BROADCAST_SELF,     /* the same, to itself too */
    T_ORDER_BROADCAST_KEPT,     /* a message that is kept, to all workers */
    T_ORDER_TO_MASTER,          /* a note to the master */
    T_ORDER_DIE,                /* dies while it handles the order */
    T_ORDER_HOLD,               /* does not return before t_notes->hold is 0 */
    T_ORDER_REPLY,              /* replies with the value + 1 */
    T_ORDER_REPLY_TWICE,
    T_ORDER_BY_KEY,             /* a note with the value as its key */
    T_ORDER_ASK,                /* asks worker "value" to reply */
} t_order_e;


/* What a worker calls when it gets a message of the type t_call_type. */

typedef void (*t_called_pt)(ngx_ipc_message_t *m, int arg);


typedef struct {
    int  what;
    int  value;
} t_msg_order_t;


/* What one process has received.  The master is the last one. */

typedef struct {
    ngx_int_t   notes;
    int         value;          /* of the last note */
    int         values[64];     /* of the first notes */
    ngx_int_t   from_worker;
    ngx_int_t   from_slot;
    ngx_int_t   broadcast;      /* what ngx_ipc_message_broadcast() returned */
    ngx_int_t   gaps;
    ngx_uint_t  gap_cause;
    ngx_int_t   gaps_of[6];     /* gaps, by their cause */
    ngx_int_t   up;
    ngx_int_t   down;
    ngx_int_t   room;
    ngx_int_t   holding;
    ngx_int_t   outcomes;
    ngx_uint_t  outcome;
    int         reply;
    ngx_uint_t  fds_n;
    ngx_int_t   kept;           /* messages that are kept */
    int         kept_value;     /* of the last of them */
    volatile int  flags[8];     /* for the test */
} t_received_t;


typedef struct {
    t_received_t  of[T_RECEIVERS + 1];
    int           hold;
} t_notes_t;


/* If it is not 0, worker 0 sends this number to t_early workers when it starts. */

extern int                       t_early;
extern volatile t_notes_t       *t_notes;
extern ngx_ipc_message_type_t    t_note_type;
extern ngx_ipc_message_type_t    t_order_type;
extern ngx_ipc_message_type_t    t_order_later_type;   /* not a control message */
extern ngx_ipc_message_type_t    t_strict_type;
extern ngx_ipc_message_type_t    t_once_type;
extern ngx_ipc_message_type_t    t_strict_once_type;
extern ngx_ipc_message_type_t    t_kept_type;

/* Calls a function, as a control message and as an other message. */

extern ngx_ipc_message_type_t    t_call_type;
extern ngx_ipc_message_type_t    t_call_later_type;

/* The functions that count in t_received_t. Workers watch with it. */

extern ngx_ipc_message_watch_t   t_message_watch;

/* Registered only if t_with_fds is 1. */

extern int                       t_with_fds;
extern ngx_ipc_message_type_t    t_fds_type;
extern ngx_ipc_message_type_t    t_control_fds_type;


void t_messages_init(void);
volatile t_received_t *t_own(void);
ngx_int_t t_call(ngx_ipc_to_t to, t_called_pt fn, int arg);
ngx_int_t t_call_later(ngx_ipc_to_t to, t_called_pt fn, int arg);
void t_hold(ngx_int_t worker);
void t_messages_start(ngx_int_t n);
volatile t_received_t *t_of(ngx_int_t worker);
ngx_int_t t_note(ngx_ipc_to_t to, int value);
ngx_int_t t_by_key(ngx_ipc_message_type_t *type, ngx_uint_t set, int value);
ngx_int_t t_give_order(ngx_int_t worker, int what, int value);
void t_outcome(void *data, ngx_uint_t outcome, ngx_ipc_message_t *reply);
pid_t t_start_main(const ngx_core_conf_t *conf);
void t_run_main(const ngx_core_conf_t *conf);

#endif

#endif /* _T_MESSAGES_H_INCLUDED_ */
