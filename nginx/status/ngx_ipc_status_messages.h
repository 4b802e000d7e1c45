
/*
 * The part of the page of ngx_ipc_status about the messages of modules.
 */

#ifndef _NGX_IPC_STATUS_MESSAGES_H_INCLUDED_
#define _NGX_IPC_STATUS_MESSAGES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc_message.h>

#include "ngx_ipc_status.h"


/* The numbers of messages.  The arrays are empty if nginx has no messages. */

typedef struct {
    ngx_array_t  types;      /* ngx_ipc_message_counts_t, of all processes */
    ngx_array_t  processes;  /* ngx_ipc_message_counts_t, of some processes */
    ngx_array_t  pairs;      /* ngx_ipc_message_pair_t */
} ngx_ipc_status_messages_t;


/* Reads the numbers.  Returns NGX_OK, or NGX_ERROR if there is no memory. */
ngx_int_t ngx_ipc_status_read_messages(ngx_pool_t *pool,
    ngx_ipc_status_messages_t *messages);

/* The largest number of bytes that the numbers take in any format. */
size_t ngx_ipc_status_messages_size(ngx_ipc_status_messages_t *messages);

/* Numbers of a type that some processes have counted. */
#define NGX_IPC_STATUS_COUNTERS  5
extern const ngx_ipc_status_number_t  ngx_ipc_status_type_counters[];

/* Numbers of a type that are not of some processes only. */
#define NGX_IPC_STATUS_GAUGES  2
extern const ngx_ipc_status_number_t  ngx_ipc_status_type_gauges[];

/* The size of a buffer for a name in which each byte is escaped. */
#define NGX_IPC_STATUS_NAME  (56 * 2 + 1)

/*
 * Escapes the name of a type for a string of JSON or of Prometheus.  Other bytes
 * than printable ASCII become "?", because the text must be valid UTF-8.  Returns
 * the buffer.
 */
u_char *ngx_ipc_status_name(u_char *to, ngx_ipc_message_counts_t *counts);

/* The role of the processes whose numbers these are. */
const char *ngx_ipc_status_role_of(ngx_ipc_message_counts_t *counts);

void ngx_ipc_status_messages_text(ngx_buf_t *b,
    ngx_ipc_status_messages_t *messages);
void ngx_ipc_status_messages_json(ngx_buf_t *b,
    ngx_ipc_status_messages_t *messages);
void ngx_ipc_status_messages_prometheus(ngx_buf_t *b,
    ngx_ipc_status_messages_t *messages);

/* Writes the metrics of the n processes about the messages that wait for them. */
void ngx_ipc_status_receivers(ngx_buf_t *b, ngx_ipc_process_t *p, ngx_uint_t n);


#endif /* _NGX_IPC_STATUS_MESSAGES_H_INCLUDED_ */
