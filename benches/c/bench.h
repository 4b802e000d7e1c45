
/*
 * Declarations for all drivers.  A driver measures functions of nginx's API.
 * It is compiled three times: with nginx's own objects, with the library, and
 * with floor.c, whose functions are bare system calls.
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


/*
 * Repeats an operation n times; returns the time of all repetitions together,
 * in nanoseconds.
 */
typedef double (*bench_round_pt)(long n);

typedef struct {
    const char      *name;
    bench_round_pt   round;
} bench_case_t;


extern ngx_cycle_t  bench_cycle;
extern ngx_log_t    bench_log;
extern size_t       bench_argument;


/*
 * Runs the case whose name is argv[1], with the number argv[2] as
 * bench_argument.  Reads numbers from stdin; for each number n, repeats the
 * operation n times and prints the nanoseconds of one operation.
 */
int bench_main(int argc, char **argv, const bench_case_t *cases);

double bench_now(void);

/* Initializes what a program must initialize before it spawns a process. */
void bench_init(void);

/*
 * Waits for the exit of the process in a slot, and then clears the slot as
 * nginx's master does.
 */
void bench_wait_for_exit(ngx_int_t slot);

/* Exits with a message if "ok" is 0. */
void bench_check(int ok, const char *what);


#endif /* _BENCH_H_INCLUDED_ */
