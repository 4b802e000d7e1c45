/*
 * ngx_user.h: users and groups.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_USER_H_INCLUDED_
#define _NGX_USER_H_INCLUDED_


#include <ngx_config.h>


typedef uid_t  ngx_uid_t;
typedef gid_t  ngx_gid_t;


#endif /* _NGX_USER_H_INCLUDED_ */
