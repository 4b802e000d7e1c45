
/* What the floor has beside nginx's functions. */

#ifndef _FLOOR_H_INCLUDED_
#define _FLOOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_process.h>


#define FLOOR_CMD_TOGETHER  1000


/* n processes that inherit each other's channels, and a message for each */
void floor_spawn_processes(ngx_spawn_proc_pt proc, ngx_int_t n);

/* in such a process, at its message: enters the others */
void floor_enter(void);


#endif /* _FLOOR_H_INCLUDED_ */
