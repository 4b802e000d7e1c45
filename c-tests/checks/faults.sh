#!/bin/sh

# faults.sh LIBRARY NGINX: compares the page faults of a process that the library
# spawns with those of a process that nginx's objects spawn.  After fork(2) the
# kernel copies each page to which the master or the process writes.  The faults
# of both are counted, until the master has reaped the process.
#
# LIBRARY is the directory of libngx_ipc.so and libngx_ipc.a, NGINX that of
# nginx-objects.sh.  All programs bind their functions when they start, because
# the faults of the dynamic linker are not the library's.

. "$(dirname "$0")/../harness/tap.sh"

library=$1
nginx=$2
drivers=$top/benches/c

# The number of faults that a process may cause in addition to those with nginx's
# objects.  It is two more than was measured, because another compiler produces other
# code, and each change of the library moves its code to other pages.  The static library causes a fault for each of these: the slot that the process
# fills in (D11), two tables that the master has in private memory (D38), and code
# that is larger than nginx's.  The shared library also has pages of variables of its
# own, beside those of the program.
static=8
shared=12

# build NAME OPTION...: compiles the driver
build()
{
    name=$1
    shift
    "${CC:-cc}" -O2 -g -std=gnu11 -Wall -Wextra -Werror -Wl,-z,now \
        -o "$tmp/$name" "$drivers/spawn.c" "$drivers/bench.c" "$@"
}

build_nginx()
{
    sh "$top/c-tests/run/nginx-objects.sh" "$nginx" || return 1

    set --
    for part in src/core src/event src/event/modules src/os/unix objs; do
        set -- "$@" -isystem "$nginx/nginx/$part"
    done

    build nginx "$@" "$nginx/libnginx.a" -lcrypt
}

# faults NAME: prints the page faults of 100 processes.  The program spawns 100 other
# processes first, so that it has read all its pages from the file.  The addresses
# are the same in each run if the system allows it: the kernel maps 16 pages of a
# file at once, beginning at an address that is a multiple of their size
faults()
{
    # shellcheck disable=SC2086
    printf '100\n100\n' | $fixed "$tmp/$1" faults \
        | awk '{ n = $1 } END { print int(n * 100) }'
}

# few NAME MORE: a test that passes if a process causes at most MORE faults in
# addition to those with nginx's objects
few()
{
    now=$(faults "$1")

    ok "$1: ${now:-0} faults of 100 processes, nginx $stock, $2 more for each are allowed" \
        test "${now:-0}" -gt 0 -a "${now:-0}" -le $((stock + $2 * 100))
}

fixed="setarch -R"
$fixed true 2> /dev/null || fixed=

ok "the driver with nginx's objects" build_nginx
ok "the driver with the shared library" build shared -DBENCH_IPC=1 "-I$library/include" \
    "-L$library" -lngx_ipc "-Wl,-rpath,$library"
ok "the driver with the static library" build static -DBENCH_IPC=1 "-I$library/include" \
    "$library/libngx_ipc.a" -lutil -lrt -lpthread -lm -ldl

stock=$(faults nginx)
ok "nginx's objects: $stock faults of 100 processes" test "${stock:-0}" -gt 0

few static "$static"
few shared "$shared"

end
