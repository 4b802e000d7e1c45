
/* Checks that the tests of invalid arguments share. */


#ifndef _T_BAD_H_INCLUDED_
#define _T_BAD_H_INCLUDED_


#include "t_channel.h"

#include <stdio.h>


extern ngx_cycle_t  t_no_log_cycle;      /* a cycle whose log is NULL */


void t_one_alert(const char *text);
void t_no_alert(void);
int t_closed_fd(void);


#endif /* _T_BAD_H_INCLUDED_ */
