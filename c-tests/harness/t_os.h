
/* ngx_os_init() for tests that run on nginx's objects too. */


#ifndef _T_OS_H_INCLUDED_
#define _T_OS_H_INCLUDED_


#include "test.h"


/* nginx's ngx_os_init() also prepares process titles and random numbers. */

static void
t_os_init(void)
{
    static char  *no_args[] = { NULL };

    ngx_time_init();
    ngx_os_argv = no_args;
    T_EQ(ngx_os_init(t_log()), NGX_OK);
}


#endif /* _T_OS_H_INCLUDED_ */
