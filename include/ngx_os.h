/*
 * ngx_os.h: the machine, and signals to a running program.
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
 * Finds out the size of a page and of a cache line, ngx_pagesize and
 * ngx_cacheline_size, the number of processors, ngx_ncpu, and the limit of
 * descriptors, ngx_max_sockets.
 *
 * ngx_ipc_main() and ngx_ipc_init() call this function.  It also begins a new
 * sequence of random numbers, srandom(), and so does each worker and helper at
 * its start.  So ngx_random() returns other numbers in each process.
 *
 * Returns NGX_OK, or NGX_ERROR, with an alert in the log, if getrlimit() fails.
 *
 * Safety: log is NULL or a log.
 *
 * References: sysconf(3), getrlimit(2), random(3); nginx's src/os/unix/ngx_posix_init.c.
 */
ngx_int_t ngx_os_init(ngx_log_t *log);

/*
 * Sends the process pid the signal with the name sig: "reload", "reopen",
 * "stop" or "quit".  Returns 0; or 1 if there is no signal with the name, or,
 * with an alert in the log of the cycle, if kill() fails.
 */
ngx_int_t ngx_os_signal_process(ngx_cycle_t *cycle, char *sig, ngx_pid_t pid);


/* The number of processors that run. */
extern ngx_int_t  ngx_ncpu;

/* The number of descriptors that the process may have, RLIMIT_NOFILE. */
extern ngx_int_t  ngx_max_sockets;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_OS_H_INCLUDED_ */
