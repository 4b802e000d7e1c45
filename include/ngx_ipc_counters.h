/*
 * ngx_ipc_counters.h: counters to which many processes add.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/ipc_counters.rs
 *   src/zone/counters.rs
 *   include/generator/ipc_counters.h
 */

#ifndef _NGX_IPC_COUNTERS_H_INCLUDED_
#define _NGX_IPC_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Counters and gauges in shared memory, as a process sees them. ngx_ipc_counters_init()
 * sets the fields; a program does not use them. Children may use the copies that they
 * inherit.
 */
typedef struct {
    /* The address of the first lane. */
    size_t memory;
    /* The number of processes that have a lane of their own. */
    ngx_uint_t processes;
    /* The number of counters. */
    ngx_uint_t counters;
    /* The number of counters and gauges. */
    ngx_uint_t numbers;
    /* The size of a lane in bytes. */
    size_t lane_size;
    /* The size of all lanes in bytes. */
    size_t size;
    /* The address of the numbers to which this process adds. */
    size_t own;
    /* How many of them it alone adds to: all, or 0. */
    ngx_uint_t own_numbers;
    /* The process that adds to them, with its start time. */
    uint64_t owner;
    /* Its pid. */
    ngx_pid_t pid;
} ngx_ipc_counters_t;

/*
 * Returns the size in bytes of the memory for counters and gauges. Returns 0 if there are no
 * counters and no gauges, if processes is 0, or if no memory can be so large.
 *
 * The memory has a lane for each of processes processes, and one more, which further
 * processes share. A lane takes whole cache lines of 64 bytes, each with up to 8 words: one
 * for the process, and one for each counter and gauge.
 */
size_t ngx_ipc_counters_size(ngx_uint_t counters,
                             ngx_uint_t gauges,
                             ngx_uint_t processes);

/*
 * Prepares a structure for counters in shared memory. Each process that uses the memory
 * has a structure of its own, or inherits one, and all give the same numbers.
 *
 * memory has as many bytes as ngx_ipc_counters_size() returns. They are 0 until the first
 * process adds to a number; this function does not write to them. The memory can be a piece of
 * ngx_slab_calloc(). processes is the number of lanes: how many processes add at a time,
 * old workers of a reload and the processes of an old binary among them.
 *
 * Returns NGX_OK. Returns NGX_ERROR if a pointer is NULL, if memory is not aligned to a
 * word, or if ngx_ipc_counters_size() returns 0 for these numbers.
 *
 * Safety: group is NULL or valid for writes. memory is NULL or memory of this size, which stays
 * mapped while the structure is used.
 */
ngx_int_t ngx_ipc_counters_init(ngx_ipc_counters_t *group,
                                void *memory,
                                ngx_uint_t counters,
                                ngx_uint_t gauges,
                                ngx_uint_t processes);

/*
 * Adds value, which can be negative, to the number n: a counter, from 0, or a gauge, from
 * the number of counters.
 *
 * The function needs no atomic instruction and waits for no process. At its first call, a
 * process takes a free lane, or the lane of a process that has exited. If other running
 * processes have all lanes, the function writes a warning to the log of ngx_cycle, and this
 * process adds to the lane that processes share: the sums are right all the same, but what
 * it has added to gauges stays when it is killed.
 *
 * Returns NGX_OK. Returns NGX_ERROR, and changes nothing, if group is NULL or if there is
 * no number n.
 *
 * Safety: group is NULL, or ngx_ipc_counters_init() has returned NGX_OK for it. One thread of a
 * process uses the memory, and no signal handler.
 */
ngx_int_t ngx_ipc_counters_add(ngx_ipc_counters_t *group,
                               ngx_uint_t n,
                               ngx_int_t value);

/*
 * Returns the sum of the number n over all processes. For a gauge, only processes that run
 * count.
 *
 * If the system has no pidfd_open(2), a process that has exited counts as running until
 * its parent has reaped it. Returns 0 if group is NULL or if there is no number n.
 *
 * Safety: group is NULL, or ngx_ipc_counters_init() has returned NGX_OK for it.
 */
ngx_int_t ngx_ipc_counters_get(const ngx_ipc_counters_t *group,
                               ngx_uint_t n);


/*
 * Adds as ngx_ipc_counters_add() does, without a call in most cases.  A child that
 * ngx_spawn_process() has not started sets ngx_pid before.
 */
static ngx_inline ngx_int_t
ngx_ipc_count(ngx_ipc_counters_t *group, ngx_uint_t n, ngx_int_t value)
{
    volatile ngx_int_t  *own;

    if (n < group->own_numbers && group->pid == ngx_pid) {
        own = (volatile ngx_int_t *) group->own;
        own[n] += value;
        return NGX_OK;
    }

    return ngx_ipc_counters_add(group, n, value);
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_COUNTERS_H_INCLUDED_ */
