/* Names of files. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_int_t
ngx_get_full_name(ngx_pool_t *pool, ngx_str_t *prefix, ngx_str_t *name)
{
    u_char  *full, *p;

    if (name->len != 0 && ngx_path_separator(name->data[0])) {
        return NGX_OK;
    }

    full = (u_char *) ngx_pnalloc(pool, prefix->len + name->len + 1);

    if (full == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(full, prefix->data, prefix->len);
    p = ngx_cpymem(p, name->data, name->len);
    *p = '\0';

    name->data = full;
    name->len += prefix->len;

    return NGX_OK;
}
