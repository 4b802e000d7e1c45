
/*
 * Typed zones, ngx_ipc_zone.h, for modules of nginx: what the library needs to
 * know of the zones in nginx's cycles.  nginx's make compiles this file with
 * nginx's headers.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_ipc_asserts.h"


/* functions that only the library calls */

ngx_shm_zone_t *ngx_ipc_shared_memory_add(ngx_cycle_t *cycle, ngx_str_t *name,
    size_t size, void *tag);
ngx_shm_zone_t *ngx_ipc_zone_before(ngx_shm_zone_t *zone);


/* ngx_shared_memory_add() for a cycle whose configuration is being read */

ngx_shm_zone_t *
ngx_ipc_shared_memory_add(ngx_cycle_t *cycle, ngx_str_t *name, size_t size,
    void *tag)
{
    ngx_conf_t  cf;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;

    return ngx_shared_memory_add(&cf, name, size, tag);
}


/*
 * The zone that has the name of this one in ngx_cycle, while nginx makes the
 * next cycle.  NULL if there is none, or if the zone must not use its content.
 */

ngx_shm_zone_t *
ngx_ipc_zone_before(ngx_shm_zone_t *zone)
{
#if !(NGX_IPC_NO_TYPED_ZONES)

    ngx_uint_t        i;
    ngx_shm_zone_t   *before;
    ngx_list_part_t  *part;

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part != NULL;
         part = part->next)
    {
        before = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (before[i].shm.name.len != zone->shm.name.len
                || ngx_memcmp(before[i].shm.name.data, zone->shm.name.data,
                              zone->shm.name.len)
                   != 0)
            {
                continue;
            }

#if (NGX_IPC_NOSLAB)
            if (before[i].noslab) {
                return NULL;
            }
#endif

            /*
             * nginx reuses memory by noreuse of the new zone, and frees it by
             * that of the zone before.  If they differ, nginx unmaps memory
             * that the new zone uses, or keeps memory that no zone uses.
             */

            before[i].noreuse = zone->noreuse;

            return zone->noreuse ? NULL : &before[i];
        }
    }

#endif

    return NULL;
}
