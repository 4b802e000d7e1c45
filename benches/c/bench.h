
/*
 * What the drivers have in common.  Each is written against nginx's API and
 * compiled three times: with nginx's own objects, with the library, and with
 * floor.c, where nginx's functions are bare system calls.
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


/* does something n times; returns the nanoseconds that it took */
typedef double (*bench_round_pt)(long n);

typedef struct {
    const char      *name;
    bench_round_pt   round;
} bench_case_t;


extern ngx_cycle_t  bench_cycle;
extern ngx_log_t    bench_log;
extern size_t       bench_argument;


/*
 * Runs the case that argv[1] names, with argv[2] as bench_argument: for each
 * number that is read from stdin that many times, then prints the nanoseconds
 * that one took.
 */
int bench_main(int argc, char **argv, const bench_case_t *cases);

double bench_now(void);

/* sets up what nginx sets up before it spawns */
void bench_init(void);

/* waits for the process in a slot, and empties that as nginx's master does */
void bench_wait_for_exit(ngx_int_t slot);

/* ends the program with a message unless ok */
void bench_check(int ok, const char *what);


#endif /* _BENCH_H_INCLUDED_ */
