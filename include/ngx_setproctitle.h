/*
 * ngx_setproctitle.h: process titles.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/setproctitle.rs
 */

#ifndef _NGX_SETPROCTITLE_H_INCLUDED_
#define _NGX_SETPROCTITLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Prepares for process titles. The program sets ngx_os_argv to the arguments
 * of main() before.
 *
 * The kernel shows memory of the library as the arguments of the process, so the
 * arguments and the environment of the program do not change. Where the kernel
 * refuses this, titles overwrite the arguments, as in nginx. Returns NGX_OK.
 *
 * Safety: ngx_os_argv is NULL or the argument of main().
 *
 * References: nginx's src/os/unix/ngx_setproctitle.c.
 */
ngx_int_t ngx_init_setproctitle(ngx_log_t *log);

/*
 * Makes ps show "NAME: TITLE" in place of the program's arguments.
 *
 * NAME is the name of the configuration, or else the name of the program.
 * Does nothing if title is NULL.
 *
 * Safety: title is NULL or a string.
 */
void ngx_setproctitle(char *title);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SETPROCTITLE_H_INCLUDED_ */
