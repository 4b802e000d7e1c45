
/* Functions of the floor that nginx does not have. */

#ifndef _FLOOR_H_INCLUDED_
#define _FLOOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_process.h>


#define FLOOR_CMD_TOGETHER  1000


/*
 * Spawns n processes together.  They inherit each other's channels, and the
 * parent sends each of them a message when the others run.
 */
void floor_spawn_processes(ngx_spawn_proc_pt proc, ngx_int_t n);

/*
 * A process that floor_spawn_processes() has spawned calls this function when
 * it gets the message.  It enters the processes that were spawned later in the
 * process table.
 */
void floor_enter(void);


#endif /* _FLOOR_H_INCLUDED_ */
