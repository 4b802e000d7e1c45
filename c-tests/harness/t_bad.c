
/* Checks that the tests of invalid arguments share. */


#include "t_bad.h"


ngx_cycle_t  t_no_log_cycle;


/*
 * Checks that the text was logged once at level alert, and that no other alert
 * was logged.
 */

void
t_one_alert(const char *text)
{
    T_EQ(t_logged(NGX_LOG_ALERT, text), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


void
t_no_alert(void)
{
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
}


int
t_closed_fd(void)
{
    int  fd;

    fd = dup(0);
    T_REQUIRE(fd != -1);
    close(fd);

    return fd;
}
