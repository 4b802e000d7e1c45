
/* A channel, and messages on it, for the tests of ngx_channel.c. */


#ifndef _T_CHANNEL_H_INCLUDED_
#define _T_CHANNEL_H_INCLUDED_


#include "test.h"


/* A module's message: it begins with ngx_channel_t and is larger. */

typedef struct {
    ngx_channel_t  ch;
    char           data[256 - sizeof(ngx_channel_t)];
} t_message_t;


#define T_FILLER  31     /* the command of messages that fill a socket */


extern int  t_pair[2];


void t_channel_open(void);
void t_channel_open_messages(void);
void t_channel_close(void);
void t_message(ngx_channel_t *ch, ngx_uint_t command, ngx_fd_t fd);
ngx_int_t t_put(ngx_channel_t *ch);
ngx_int_t t_get(ngx_channel_t *ch);
void t_put_raw(ngx_uint_t command, size_t from, size_t size, const int *fd,
    size_t nfds);
void t_fill_channel(int s);
int t_some_fd(void);


#endif /* _T_CHANNEL_H_INCLUDED_ */
