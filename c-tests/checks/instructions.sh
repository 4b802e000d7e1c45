#!/bin/sh

# instructions.sh LIBRARY: what the library itself adds to the system calls of
# a write, a read, an allocation, a free: instructions in user space, which
# valgrind counts the same each time; and calls of a master that spawns.
#
# LIBRARY is the folder of libngx_ipc.so.  The bounds are what was counted when
# they were stored; 10 % more is let pass, for other compilers.  Who makes
# something cheaper lowers them.

. "$(dirname "$0")/../harness/tap.sh"

library=$1
drivers=$top/benches/c

# build NAME: a driver of the benchmarks
build()
{
    "${CC:-cc}" -O2 -g -std=gnu11 -Wall -Wextra -Werror -DBENCH_IPC=1 \
        "-I$library/include" -o "$tmp/$1" "$drivers/$1.c" "$drivers/bench.c" \
        "-L$library" -lngx_ipc "-Wl,-rpath,$library"
}

# instructions FUNCTION N DRIVER CASE [SIZE]: in FUNCTION, while CASE is done
# N times
instructions()
{
    instructions_of=$1
    echo "$2" > "$tmp/n"
    shift 2
    driver=$1
    shift

    valgrind --tool=callgrind "--toggle-collect=$instructions_of" \
        --callgrind-out-file=/dev/null "$tmp/$driver" "$@" 2>&1 < "$tmp/n" \
        | sed -n 's/^.*Collected : \([0-9]*\)$/\1/p'
}

# bound STORED FUNCTION DRIVER CASE [SIZE]: of one call; the first is linked
bound()
{
    stored=$1
    shift
    of=$1
    shift
    few=$(instructions "$of" 1 "$@")
    more=$(instructions "$of" 9 "$@")
    now=$(((${more:-0} - ${few:-0}) / 8))

    ok "$of, $*: $now instructions, stored are $stored" \
        test "$now" -gt 0 -a "$((now * 10))" -le "$((stored * 11))"
}

# allocations N DRIVER CASE [SIZE]: how often malloc() was called
allocations()
{
    echo "$1" > "$tmp/n"
    shift
    driver=$1
    shift

    valgrind "$tmp/$driver" "$@" 2>&1 < "$tmp/n" \
        | sed -n 's/^.*total heap usage: \([0-9,]*\) allocs.*/\1/p'
}

# no_allocation DRIVER CASE [SIZE]
no_allocation()
{
    few=$(allocations 1 "$@")
    ok "$*: nothing is allocated" \
        test -n "$few" -a "$few" = "$(allocations 9 "$@")"
}

# made N: what a master calls that spawns N processes, fork and wait left out
made()
{
    echo "$1" | strace -o "$tmp/calls" "$tmp/spawn" spawn > "$tmp/said" 2>&1
    grep -cE '^(socketpair|ioctl|fcntl|setsockopt|sendto|sendmsg|pidfd_open|close)\(' "$tmp/calls"
}

# spawn_calls BOUND: for one process, without the end that the driver closes
spawn_calls()
{
    few=$(made 10)
    more=$(made 30)
    now=$(((more - few) / 20 - 1))

    ok "a master makes $now system calls for a process" \
        test "$now" -gt 0 -a "$now" -le "$1"
}

for driver in channel shmem spawn; do
    ok "$driver.c" build $driver
done

bound 104 ngx_write_channel channel write
bound 153 ngx_write_channel channel descriptor
bound 110 ngx_read_channel channel read
bound 121 ngx_read_channel channel descriptor
bound 47 ngx_shm_alloc shmem alloc 65536
bound 27 ngx_shm_free shmem alloc 65536

no_allocation channel command
no_allocation channel descriptor
no_allocation channel burst
no_allocation shmem alloc 65536

spawn_calls 4

end
