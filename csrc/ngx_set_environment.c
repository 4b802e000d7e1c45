/* The environment of a program that another program is executed with. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_cycle.h>


char **
ngx_set_environment(ngx_cycle_t *cycle, ngx_uint_t *last)
{
    char        **copy;
    ngx_uint_t    n;

    if (last == NULL) {
        return environ;
    }

    for (n = 0; environ != NULL && environ[n] != NULL; n++) { /* void */ }

    copy = ngx_alloc((*last + n + 1) * sizeof(char *), cycle->log);

    if (copy != NULL) {
        *last = n;
        copy[n] = NULL;

        if (n != 0) {
            memcpy(copy, environ, n * sizeof(char *));
        }
    }

    return copy;
}
