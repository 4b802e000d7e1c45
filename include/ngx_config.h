/*
 * ngx_config.h: headers of the system, and nginx's basic types.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_CONFIG_H_INCLUDED_
#define _NGX_CONFIG_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <ngx_auto_config.h>

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define ngx_signal_helper(n)     SIG##n
#define ngx_signal_value(n)      ngx_signal_helper(n)

#define NGX_SHUTDOWN_SIGNAL      QUIT
#define NGX_TERMINATE_SIGNAL     TERM
#define NGX_NOACCEPT_SIGNAL      WINCH
#define NGX_RECONFIGURE_SIGNAL   HUP
#define NGX_REOPEN_SIGNAL        USR1
#define NGX_CHANGEBIN_SIGNAL     USR2

#define ngx_random               random
#define ngx_abort                abort
#define ngx_cdecl
#define ngx_libc_cdecl

#ifndef ngx_inline
#define ngx_inline               inline
#endif


typedef intptr_t   ngx_int_t;
typedef uintptr_t  ngx_uint_t;
typedef intptr_t   ngx_flag_t;


#define NGX_INT32_LEN  (sizeof("-2147483648") - 1)
#define NGX_INT64_LEN  (sizeof("-9223372036854775808") - 1)

#if (NGX_PTR_SIZE == 4)
#define NGX_INT_T_LEN  NGX_INT32_LEN
#else
#define NGX_INT_T_LEN  NGX_INT64_LEN
#endif

#define NGX_MAX_INT_T_VALUE  INTPTR_MAX

#define NGX_ALIGNMENT  sizeof(uintptr_t)

#define ngx_align(d, a)  (((d) + (a - 1)) & ~(a - 1))


#endif /* _NGX_CONFIG_H_INCLUDED_ */
