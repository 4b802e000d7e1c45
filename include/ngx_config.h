/*
 * ngx_config.h: headers of the system, and nginx's basic types.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_CONFIG_H_INCLUDED_
#define _NGX_CONFIG_H_INCLUDED_


#ifndef __LP64__
#error "ngx_ipc needs a system with addresses of 64 bits"
#endif

#include <ngx_linux_config.h>


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

#define NGX_MAX_INT_T_VALUE      INTPTR_MAX
#define NGX_MAX_INT32_VALUE      (uint32_t) 0x7fffffff
#define NGX_MAX_UINT32_VALUE     (uint32_t) 0xffffffff

#define NGX_INVALID_ARRAY_INDEX  0x80000000
#define NGX_MAXHOSTNAMELEN       256

#ifndef NGX_ALIGNMENT
#define NGX_ALIGNMENT  sizeof(uintptr_t)
#endif

#define ngx_align(d, a)  (((d) + (a - 1)) & ~(a - 1))

#define ngx_align_ptr(p, a)                                                   \
    ((u_char *) ngx_align((uintptr_t) (p), (uintptr_t) (a)))


/*
 * Fields at the end of a structure that keep its size the same in each build of
 * nginx.  As in nginx without "--with-compat", there are none.
 */

#define NGX_COMPAT_BEGIN(slots)
#define NGX_COMPAT_END


#endif /* _NGX_CONFIG_H_INCLUDED_ */
