/* Entries of a directory, and names that match a pattern. */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_int_t
ngx_open_dir(ngx_str_t *name, ngx_dir_t *dir)
{
    dir->valid_info = 0;
    dir->dir = opendir((const char *) name->data);

    return (dir->dir == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_read_dir(ngx_dir_t *dir)
{
    dir->de = readdir(dir->dir);

    if (dir->de == NULL) {
        return NGX_ERROR;
    }

    dir->type = dir->de->d_type;

    return NGX_OK;
}


ngx_int_t
ngx_open_glob(ngx_glob_t *gl)
{
    switch (glob((const char *) gl->pattern, 0, NULL, &gl->pglob)) {

    case 0:
        return NGX_OK;

    case GLOB_NOMATCH:
        return gl->test ? NGX_OK : NGX_ERROR;

    default:
        return NGX_ERROR;
    }
}


ngx_int_t
ngx_read_glob(ngx_glob_t *gl, ngx_str_t *name)
{
    if (gl->n >= gl->pglob.gl_pathc) {
        return NGX_DONE;
    }

    name->data = (u_char *) gl->pglob.gl_pathv[gl->n++];
    name->len = ngx_strlen(name->data);

    return NGX_OK;
}


void
ngx_close_glob(ngx_glob_t *gl)
{
    globfree(&gl->pglob);
}
