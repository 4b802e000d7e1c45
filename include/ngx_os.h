/*
 * ngx_os.h: signals to a running program, by name.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_OS_H_INCLUDED_
#define _NGX_OS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Sends the process pid the signal with the name sig: "reload", "reopen",
 * "stop" or "quit".  Returns 0; or 1 if there is no signal with the name, or,
 * with an alert in the log of the cycle, if kill() fails.
 */
ngx_int_t ngx_os_signal_process(ngx_cycle_t *cycle, char *sig, ngx_pid_t pid);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_OS_H_INCLUDED_ */
