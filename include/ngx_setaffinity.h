/*
 * ngx_setaffinity.h: the processors that a process may use.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_SETAFFINITY_H_INCLUDED_
#define _NGX_SETAFFINITY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


#define NGX_HAVE_CPU_AFFINITY  1

/* A set of processors, see CPU_SET(3). */
typedef cpu_set_t  ngx_cpuset_t;


/*
 * Restricts this process to the processors of a set.  Logs a notice for each
 * processor, and an alert if the kernel refuses the set.
 *
 * Safety: log is a log.
 *
 * References: sched_setaffinity(2); nginx's src/os/unix/ngx_setaffinity.c.
 */
void ngx_setaffinity(ngx_cpuset_t *cpu_affinity, ngx_log_t *log);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_SETAFFINITY_H_INCLUDED_ */
