/*
 * ngx_os.h: sending a running program a signal by its name.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_OS_H_INCLUDED_
#define _NGX_OS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* Sends the signal that the user calls "reload", "reopen", "stop" or "quit". */
ngx_int_t ngx_os_signal_process(ngx_cycle_t *cycle, char *sig, ngx_pid_t pid);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_OS_H_INCLUDED_ */
