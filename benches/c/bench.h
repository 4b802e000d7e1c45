
/*
 * Shared by all drivers.  A driver uses nginx's API and is compiled three
 * times: with nginx's own objects, with the library, and with floor.c, where
 * nginx's functions are bare system calls.
 */

#ifndef _BENCH_H_INCLUDED_
#define _BENCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_channel.h>

#if (BENCH_IPC)
#include <ngx_ipc.h>
#elif (BENCH_FLOOR)
#include "floor.h"
#endif

#include <errno.h>
#include <fcntl.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


/* repeats an operation n times; returns the nanoseconds of all of them */
typedef double (*bench_round_pt)(long n);

typedef struct {
    const char      *name;
    bench_round_pt   round;
} bench_case_t;


extern ngx_cycle_t  bench_cycle;
extern ngx_log_t    bench_log;
extern size_t       bench_argument;


/*
 * Runs the case that argv[1] names, with argv[2] as bench_argument.  For each
 * number n that it reads from stdin, it repeats the operation n times, and
 * prints the nanoseconds of one operation.
 */
int bench_main(int argc, char **argv, const bench_case_t *cases);

double bench_now(void);

/* initializes what nginx initializes before it spawns a process */
void bench_init(void);

/* waits for the process in a slot, and clears the slot like nginx's master */
void bench_wait_for_exit(ngx_int_t slot);

/* exits with a message if ok is 0 */
void bench_check(int ok, const char *what);


#endif /* _BENCH_H_INCLUDED_ */
