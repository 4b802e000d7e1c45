
/* A worker that receives messages, for the tests of ngx_channel_handler(). */


#ifndef _T_HANDLER_H_INCLUDED_
#define _T_HANDLER_H_INCLUDED_


#include "t_channel.h"


#define T_OWN_SLOT    2
#define T_OTHER_SLOT  5
#define T_FAR_SLOT    ((ngx_int_t) 1 << 40)


void t_handler_open(void);
void t_send_about(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd);
void t_handle(ngx_uint_t command, ngx_int_t slot, ngx_pid_t pid, int fd);
int t_open_slot(ngx_int_t slot, ngx_pid_t pid);


#endif /* _T_HANDLER_H_INCLUDED_ */
