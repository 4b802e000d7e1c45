
/* Which requests ipc_publish and ipc_receive serve without from=any. */


#include "ngx_ipc_header.h"
#include "ngx_http_ipc.h"


ngx_int_t
ngx_http_ipc_access(ngx_http_request_t *r)
{
    struct sockaddr          *sa;
#if (NGX_HAVE_INET6)
    struct in6_addr          *in6;
#endif
    ngx_http_ipc_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);

    if (lcf->any) {
        return NGX_OK;
    }

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

    case AF_INET:
        if ((ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr) >> 24) == 127) {
            return NGX_OK;
        }

        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        in6 = &((struct sockaddr_in6 *) sa)->sin6_addr;

        if (IN6_IS_ADDR_LOOPBACK(in6)
            || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127))
        {
            return NGX_OK;
        }

        break;
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return NGX_OK;
#endif
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "access forbidden: the client is on another machine");

    return NGX_HTTP_FORBIDDEN;
}


/*
 * A browser on this machine sends requests for pages of all sites.  It names the site in
 * the header "Origin".
 */

ngx_uint_t
ngx_http_ipc_is_foreign(ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t  *host, *origin;

    origin = ngx_ipc_header(r, "Origin");
    if (origin == NULL) {
        return 0;
    }

    if (r->headers_in.host == NULL) {
        return 1;
    }

    host = &r->headers_in.host->value;

    p = ngx_strlcasestrn(origin->data, origin->data + origin->len,
                         (u_char *) "://", 3 - 1);
    if (p == NULL) {
        return 1;
    }

    p += 3;

    return origin->data + origin->len - p != (ssize_t) host->len
           || ngx_strncasecmp(p, host->data, host->len) != 0;
}
