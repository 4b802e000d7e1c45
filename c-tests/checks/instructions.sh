#!/bin/sh

# instructions.sh LIBRARY: compares costs with bounds: the instructions in user
# space of ngx_write_channel(), ngx_read_channel(), ngx_shm_alloc(), ngx_shm_free(),
# ngx_slab_alloc() and ngx_slab_free(), and of a request of examples/echo.c; memory
# allocations, and the system calls of a master that spawns a process.  valgrind counts the same number
# of instructions in each run; for a request the numbers differ by a few.
#
# LIBRARY is the directory of libngx_ipc.so.  A bound is the count of an
# earlier run.  The test allows 10 % more, because another compiler produces
# other code.  If a function becomes cheaper, lower its bound.

. "$(dirname "$0")/../harness/tap.sh"

library=$1
drivers=$top/benches/c

# build NAME: compiles a driver of the benchmarks with the library
build()
{
    "${CC:-cc}" -O2 -g -std=gnu11 -Wall -Wextra -Werror -DBENCH_IPC=1 \
        "-I$library/include" -o "$tmp/$1" "$drivers/$1.c" "$drivers/bench.c" \
        "-L$library" -lngx_ipc "-Wl,-rpath,$library"
}

# instructions FUNCTION N DRIVER CASE [SIZE]: prints how many instructions
# FUNCTION executes while the driver repeats CASE N times
instructions()
{
    measured=$1
    echo "$2" > "$tmp/n"
    shift 2
    driver=$1
    shift

    valgrind --tool=callgrind "--toggle-collect=$measured" \
        --callgrind-out-file=/dev/null "$tmp/$driver" "$@" 2>&1 < "$tmp/n" \
        | sed -n 's/^.*Collected : \([0-9]*\)$/\1/p'
}

# bound STORED FUNCTION DRIVER CASE [SIZE]: a test that passes if one call of
# FUNCTION executes at most STORED instructions and 10 %.  The first call is
# left out, because the dynamic linker binds the function in it
bound()
{
    stored=$1
    shift
    function=$1
    shift
    few=$(instructions "$function" 1 "$@")
    more=$(instructions "$function" 9 "$@")
    now=$(((${more:-0} - ${few:-0}) / 8))

    ok "$function, $*: $now instructions, the bound is $stored and 10 %" \
        test "$now" -gt 0 -a "$((now * 10))" -le "$((stored * 11))"
}

# allocations N DRIVER CASE [SIZE]: prints how often the driver allocates
# memory while it repeats CASE N times
allocations()
{
    echo "$1" > "$tmp/n"
    shift
    driver=$1
    shift

    valgrind "$tmp/$driver" "$@" 2>&1 < "$tmp/n" \
        | sed -n 's/^.*total heap usage: \([0-9,]*\) allocs.*/\1/p'
}

# no_allocation DRIVER CASE [SIZE]: a test that passes if CASE allocates no
# memory after its first run
no_allocation()
{
    few=$(allocations 1 "$@")
    ok "$*: nothing is allocated" \
        test -n "$few" -a "$few" = "$(allocations 9 "$@")"
}

# made N: prints the number of system calls of a master that spawns N
# processes; fork() and wait() are not counted
made()
{
    echo "$1" | strace -o "$tmp/calls" "$tmp/spawn" spawn > "$tmp/said" 2>&1
    grep -cE '^(socketpair|ioctl|fcntl|setsockopt|sendto|sendmsg|pidfd_open|close)\(' "$tmp/calls"
}

# spawn_calls BOUND: a test that passes if a master makes at most BOUND system
# calls for each process that it spawns.  The close() that the driver makes
# itself is subtracted
spawn_calls()
{
    few=$(made 10)
    more=$(made 30)
    now=$(((more - few) / 20 - 1))

    ok "a master makes $now system calls for a process" \
        test "$now" -gt 0 -a "$now" -le "$1"
}

# requests N: prints the number of instructions of an echo server whose two
# workers answer N requests each, over one connection to each worker
requests()
{
    rm -f "$tmp"/echo.*
    echo "$1" | "$tmp/load" "valgrind --tool=callgrind \
        --callgrind-out-file=$tmp/echo.%p $tmp/echo -l /dev/null" 1 > "$tmp/said" 2>&1
    awk '$1 == "totals:" { sum += $2 } END { print sum }' "$tmp"/echo.*
}

# request_bound BOUND: a test that passes if a worker of examples/echo.c executes at
# most BOUND instructions and 10 % for a request
request_bound()
{
    few=$(requests 100)
    more=$(requests 600)
    now=$(((${more:-0} - ${few:-0}) / 1000))

    ok "echo.c, a request: $now instructions, the bound is $1 and 10 %" \
        test "$now" -gt 0 -a "$((now * 10))" -le "$(($1 * 11))"
}

# build_server: compiles the echo server with the library, and the program that sends
# requests
build_server()
{
    "${CC:-cc}" -O2 -g "-I$library/include" "-I$top/nginx/status" -o "$tmp/echo" \
        "$top/examples/echo.c" "$top/nginx/status/ngx_counters_module.c" \
        "-L$library" -lngx_ipc "-Wl,-rpath,$library" \
        && "${CC:-cc}" -O2 -std=gnu11 -pthread -o "$tmp/load" "$top/benches/servers/load.c"
}

for driver in channel shmem slab spawn; do
    ok "$driver.c" build $driver
done

bound 55 ngx_write_channel channel write
bound 122 ngx_write_channel channel descriptor
bound 78 ngx_read_channel channel read
bound 95 ngx_read_channel channel descriptor
bound 47 ngx_shm_alloc shmem alloc 65536
bound 40 ngx_shm_free shmem alloc 65536
bound 147 ngx_slab_alloc slab pair 64
bound 140 ngx_slab_free slab pair 64
bound 179 ngx_slab_alloc slab pair 12000
bound 198 ngx_slab_free slab pair 12000

no_allocation channel command
no_allocation channel descriptor
no_allocation channel burst
no_allocation shmem alloc 65536

spawn_calls 2

ok "echo.c and load.c" build_server
request_bound 670

end
