
/*
 * Which requests ipc_publish and ipc_receive serve without from=any: those of clients on
 * this machine.  A browser on this machine also sends requests for the pages of other
 * sites, and the name server of such a site can lead the browser to 127.0.0.1.  So
 * another site must not have sent the request, and must not have the name of its host.
 */


#include "ngx_ipc_header.h"
#include "ngx_http_ipc.h"


static ngx_uint_t ngx_http_ipc_is_local(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ipc_is_same_origin(ngx_str_t *origin,
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_ipc_is_own_host(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ipc_has_name(ngx_str_t *host, ngx_str_t *name);


/*
 * Keeps the names of the server for a location with ipc_publish or ipc_receive.  Another
 * site can have a name that matches a regular expression, so regular expressions are left
 * out.
 */

char *
ngx_http_ipc_access_init(ngx_conf_t *cf, ngx_http_ipc_loc_conf_t *lcf)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_http_server_name_t    *sn;
    ngx_http_core_srv_conf_t  *cscf;

    if (lcf->type == NULL) {
        return NGX_CONF_OK;
    }

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    sn = cscf->server_names.elts;

    if (ngx_array_init(&lcf->names, cf->pool, cscf->server_names.nelts + 1,
                       sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < cscf->server_names.nelts; i++) {

#if (NGX_PCRE)
        if (sn[i].regex) {
            continue;
        }
#endif

        name = ngx_array_push(&lcf->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = sn[i].name;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ipc_access(ngx_http_request_t *r)
{
    ngx_str_t                *origin;
    ngx_http_ipc_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);

    if (lcf->any) {
        return NGX_OK;
    }

    if (!ngx_http_ipc_is_local(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "access forbidden: the client is on another machine");

        return NGX_HTTP_FORBIDDEN;
    }

    if (r->method == NGX_HTTP_POST) {
        origin = ngx_ipc_header(r, "Origin");

        if (origin == NULL) {

            /* a browser sends this header with each POST request */

            return NGX_OK;
        }

        if (!ngx_http_ipc_is_same_origin(origin, r)) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "access forbidden: "
                          "the request is from a page of another site");

            return NGX_HTTP_FORBIDDEN;
        }
    }

    if (!ngx_http_ipc_is_own_host(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "access forbidden: the host \"%V\" is not in "
                      "\"server_name\"", &r->headers_in.server);

        return NGX_HTTP_FORBIDDEN;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_ipc_is_local(ngx_http_request_t *r)
{
    struct sockaddr  *sa;
#if (NGX_HAVE_INET6)
    struct in6_addr  *in6;
#endif

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

    case AF_INET:
        return (ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        in6 = &((struct sockaddr_in6 *) sa)->sin6_addr;

        return IN6_IS_ADDR_LOOPBACK(in6)
               || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

    default:
        return 0;
    }
}


/* Returns whether the header "Origin" names the host and port of the request. */

static ngx_uint_t
ngx_http_ipc_is_same_origin(ngx_str_t *origin, ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t   host;

    if (r->headers_in.host) {
        host = r->headers_in.host->value;

    } else if (r->host_start) {

        /* HTTP/3 */

        host.data = r->host_start;
        host.len = r->host_end - r->host_start;

    } else {
        return 0;
    }

    p = ngx_strlcasestrn(origin->data, origin->data + origin->len,
                         (u_char *) "://", 3 - 1);
    if (p == NULL) {
        return 0;
    }

    p += 3;

    return origin->data + origin->len - p == (ssize_t) host.len
           && ngx_strncasecmp(p, host.data, host.len) == 0;
}


/*
 * Returns whether the host of the request is an address, or has a name that another site
 * cannot have.  A request without a host is not from a browser.
 */

static ngx_uint_t
ngx_http_ipc_is_own_host(ngx_http_request_t *r)
{
    ngx_str_t                *host, *name, hostname;
    ngx_uint_t                i;
    ngx_http_ipc_loc_conf_t  *lcf;

    static ngx_str_t  localhost = ngx_string(".localhost");

    host = &r->headers_in.server;
    hostname = ngx_cycle->hostname;

    if (host->len == 0 || host->data[0] == '['
        || ngx_inet_addr(host->data, host->len) != INADDR_NONE
        || ngx_http_ipc_has_name(host, &localhost)
        || ngx_http_ipc_has_name(host, &hostname))
    {
        return 1;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ipc_module);
    name = lcf->names.elts;

    for (i = 0; i < lcf->names.nelts; i++) {
        if (ngx_http_ipc_has_name(host, &name[i])) {
            return 1;
        }
    }

    return 0;
}


/*
 * Returns whether the host has the name.  A name that begins with "." or "*." has the
 * meaning that it has in server_name.  A name like "www.*" is that of no host, because
 * another site can have a name that begins in this way.
 */

static ngx_uint_t
ngx_http_ipc_has_name(ngx_str_t *host, ngx_str_t *name)
{
    size_t   len;
    u_char  *p;

    p = name->data;
    len = name->len;

    if (len > 1 && p[0] == '*') {
        p++;
        len--;

    } else if (len > 1 && p[0] == '.' && host->len == len - 1) {
        p++;
        len--;
    }

    if (host->len < len || (host->len > len && p[0] != '.')) {
        return 0;
    }

    return len > 0
           && ngx_strncasecmp(host->data + host->len - len, p, len) == 0;
}
