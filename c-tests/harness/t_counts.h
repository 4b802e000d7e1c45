
/*
 * Reads the numbers of messages.
 */


#ifndef _T_COUNTS_H_INCLUDED_
#define _T_COUNTS_H_INCLUDED_


#include "test.h"

#if !(T_NGINX)

#include <ngx_ipc_message.h>


/*
 * Reads the numbers of the type with a name, for processes of a set or for one
 * worker.  Returns NGX_DECLINED if these processes have none.
 */
ngx_int_t t_counts_of(ngx_ipc_message_counts_t *c, const char *name,
    ngx_uint_t set, ngx_int_t worker);

/* The numbers of the type "test_note", for all processes. */
ngx_ipc_message_counts_t *t_note_counts(void);

/* The numbers of the type "test_note", for one worker; zeros if it has none. */
ngx_ipc_message_counts_t *t_worker_counts(ngx_int_t worker);

/* The numbers of a pair of slots; zeros if the pair has none. */
ngx_ipc_message_pair_t *t_pair_of(ngx_int_t sender, ngx_int_t receiver);

/* The number of measured times in all buckets. */
ngx_uint_t t_sum_of_times(ngx_ipc_message_counts_t *c);

#endif


#endif /* _T_COUNTS_H_INCLUDED_ */
