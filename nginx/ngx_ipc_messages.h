
#ifndef _NGX_IPC_MESSAGES_H_INCLUDED_
#define _NGX_IPC_MESSAGES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * Makes the event loop watch a descriptor that is not a client's, with flags as for
 * ngx_add_event().  NULL after an error.
 */

ngx_connection_t *ngx_ipc_connection(ngx_cycle_t *cycle, ngx_fd_t fd,
    ngx_int_t event, ngx_uint_t flags, ngx_event_handler_pt handler);

/* Makes the event loop of this process watch its wake-up descriptor. */

ngx_int_t ngx_ipc_messages_add(ngx_cycle_t *cycle);

/* Makes the event loop handle messages after this time; -1: not. */

void ngx_ipc_messages_set_timer(ngx_int_t milliseconds);

/* Makes the event loop handle no messages, which wait then, or messages again. */

void ngx_ipc_messages_hold(ngx_uint_t hold);

/*
 * Checks sizes and numbers of the directive "ipc_messages"; 0: the default.  Returns NULL, or
 * what is too large.
 */

const char *ngx_ipc_messages_check(size_t size, size_t largest,
    ngx_uint_t processes, ngx_uint_t spin);

/*
 * Counts the types of a configuration that are not registered yet, one at each call.
 * "others" is the number before the type with this name.  Returns the number with this
 * type, or NGX_ERROR if there is no room for so many.
 */

ngx_int_t ngx_ipc_messages_count_type(const char *name, ngx_uint_t others);

/*
 * Called before this process exits: handles the messages that have arrived, unless a
 * replacement of the process gets them.
 */

void ngx_ipc_messages_finish(void);

/* The numbers of processes that nginx's master starts for a cycle. */

void ngx_ipc_processes_of(ngx_cycle_t *cycle, ngx_uint_t *workers,
    ngx_uint_t *helpers);


#endif /* _NGX_IPC_MESSAGES_H_INCLUDED_ */
