/*
 * nginx.h: the version of nginx whose names, types and functions the headers have.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGINX_H_INCLUDED_
#define _NGINX_H_INCLUDED_


#define nginx_version      1028003
#define NGINX_VERSION      "1.28.3"
#define NGINX_VER          "nginx/" NGINX_VERSION

/* The end of the name of the pid file of a master that has been upgraded. */
#define NGX_OLDPID_EXT     ".oldbin"


#endif /* _NGINX_H_INCLUDED_ */
