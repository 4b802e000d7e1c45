/* Names of files. */

#include <ngx_config.h>
#include <ngx_core.h>


/* data of an empty string can be NULL, which memcpy() does not allow. */

static u_char *
ngx_append(u_char *p, const ngx_str_t *str)
{
    return (str->len == 0) ? p : ngx_cpymem(p, str->data, str->len);
}


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

    p = ngx_append(full, prefix);
    p = ngx_append(p, name);
    *p = '\0';

    name->data = full;
    name->len += prefix->len;

    return NGX_OK;
}
