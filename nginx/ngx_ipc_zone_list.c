
/*
 * The zones of nginx, for the page of the status module.  nginx's make compiles this
 * file with nginx's headers, also for a module with the library.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <nginx.h>

#include "ngx_ipc_asserts.h"


/* a zone of ngx_cycle */

typedef struct {
    u_char  *name;
    size_t   name_len;
    void    *addr;
    size_t   size;
} ngx_ipc_zone_t;


/* a function that only the library calls */

ngx_int_t ngx_ipc_zone(ngx_uint_t n, ngx_ipc_zone_t *zone);


/*
 * Describes the zone number n.  Returns 0 if there are not so many zones, or if
 * pools have another layout than the library knows.
 */

ngx_int_t
ngx_ipc_zone(ngx_uint_t n, ngx_ipc_zone_t *zone)
{
#if (NGX_HAVE_POSIX_SEM && nginx_version >= 1011007)

    ngx_shm_zone_t   *zones;
    ngx_list_part_t  *part;

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part != NULL;
         part = part->next)
    {
        if (n >= part->nelts) {
            n -= part->nelts;
            continue;
        }

        zones = part->elts;

        zone->name = zones[n].shm.name.data;
        zone->name_len = zones[n].shm.name.len;
        zone->addr = zones[n].shm.addr;
        zone->size = zones[n].shm.size;

#if (NGX_IPC_NOSLAB)
        if (zones[n].noslab) {
            zone->addr = NULL;
        }
#endif

        return 1;
    }

#endif

    return 0;
}
