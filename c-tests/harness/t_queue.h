
/*
 * A process table whose pids belong to no process, for the tests of control
 * messages that wait in a queue.  The test reads the other ends of the
 * channels.
 */


#ifndef _T_QUEUE_H_INCLUDED_
#define _T_QUEUE_H_INCLUDED_


#include "t_channel.h"


#if !(T_NGINX)

#define T_TO         0           /* the slot whose channel is full */
#define T_ABOUT      1           /* the slot that messages are about */
#define T_PROCESSES  4
#define T_FIRST_PID  1000000000  /* above the largest pid */


extern int  t_peer[T_PROCESSES];


/*
 * t_table_open() creates the processes 0 to 3, and fills the channel of the
 * process T_TO.
 */

void t_table_open(void);
void t_table_close(void);
void t_table_add(ngx_int_t slot, ngx_pid_t pid);
void t_table_remove(ngx_int_t slot);


/* Functions that send a message to the process "to". */

ngx_int_t t_tell(ngx_int_t to, ngx_uint_t command);
ngx_int_t t_tell_open(ngx_int_t to, ngx_int_t about);
ngx_int_t t_tell_close(ngx_int_t to, ngx_int_t about);
ngx_int_t t_tell_about(ngx_int_t to, ngx_uint_t command, ngx_int_t about,
    ngx_pid_t pid, int fd);


/*
 * Functions that read the messages that a process has received, and check
 * them.
 */

ngx_int_t t_receive(ngx_int_t slot, ngx_channel_t *ch);
void t_drain(ngx_int_t slot);
void t_expect(ngx_int_t slot, ngx_uint_t command, ngx_int_t about,
    ngx_pid_t pid);
void t_expect_nothing(ngx_int_t slot);


void t_send_queues(void);
void t_expect_counters(ngx_int_t slot, ngx_uint_t sent, ngx_uint_t queued,
    ngx_uint_t queued_max, ngx_uint_t dropped);

#endif


#endif /* _T_QUEUE_H_INCLUDED_ */
