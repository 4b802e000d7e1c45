/* Zones of shared memory, for the functions of directives. */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_cycle.h>
#include <ngx_conf_file.h>


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    return ngx_ipc_shared_memory_add(cf->cycle, name, size, tag);
}
