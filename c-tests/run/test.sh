#!/bin/sh

# test.sh: the tests of "make test".

. "$(dirname "$0")/../run/suites.sh"
. "$(dirname "$0")/../run/backends.sh"

nginx=$build/nginx
best=$(backends | tail -n 1)
include=$build/$best/include

run_make()
{
    make --no-print-directory "$@"
}

# on BACKEND COMMAND...: builds the library with this backend of shared memory
# in build/BACKEND, then runs the command
on()
{
    backend=$1
    lib=$build/$1
    shift

    choose_backend "$backend" && run_make -s -C "$top" "B=build/$backend" lib && "$@"
}

# programs [VARIABLE=VALUE...]: builds and runs the C tests with the library;
# the variables are passed to make
programs()
{
    run_make -s -j "$(nproc)" -C "$tests" run-ours \
        "OUT=$build/c-tests/$backend" \
        "CFLAGS_IPC=-I$lib/include" \
        "LIBS_IPC=-L$lib -lngx_ipc -Wl,-rpath,$lib" \
        "$@"
}

# valgrind does not search for lost memory, because it would read all memory for messages
# whenever a process exits.  AddressSanitizer searches for it.
under_valgrind()
{
    (
        export T_VALGRIND=1 T_TIMEOUT=300
        programs WRAPPER="valgrind -q --error-exitcode=9 --leak-check=no \
            --child-silent-after-fork=no"
    )
}

under_asan()
{
    programs "OUT=$build/c-tests/asan" \
        CFLAGS="-O1 -fsanitize=address -fno-omit-frame-pointer"
}

# check NAME [ARGUMENT...]: runs the script checks/NAME.sh
check()
{
    name=$1
    shift
    sh "$tests/checks/$name.sh" "$@"
}


# T_SHORT makes the tests of a real nginx repeat their actions less often.
# "make test-nginx" runs their long form.
export T_SHORT=1

# The programs of the C tests run two at a time, because they often wait.
export JOBS=2

suite "Rust" rust
suite "cargo add" check cargo
suite "nginx's symbols" check nginx-symbols "$build/nginx-1.28.3"

# All programs run with the best backend.  With the others only those run that use shared
# memory.
for name in $(backends); do
    [ "$name" = "$best" ] && uses=. || uses='ngx_shm_|ngx_shared_memory_add|ngx_ipc_message_broadcast'

    suite "C tests, $name" on "$name" programs "USES=$uses"
    suite "injected faults, $name" on "$name" check inject "$build/$name" "$name"
done

suite "make demo" on "$best" check demo "build/$best"
suite "C tests on nginx's objects" \
    run_make -s -j "$(nproc)" -C "$tests" run-nginx "OUT=$build/c-tests" "NGINX=$nginx"

suite "C tests under valgrind" on "$best" under_valgrind
suite "C tests with AddressSanitizer" on "$best" under_asan

suite "reports of errors" check reports

suite "functions of nginx" on "$best" check compare "$build/$best" "$nginx" "$build/c-tests"
suite "ABI" on "$best" check abi "$include" "$nginx/nginx"
suite "headers" on "$best" check headers "$include"
suite "generated headers" on "$best" check generated "$include"
suite "exported symbols" on "$best" check symbols "$build/$best/libngx_ipc.so.1"
suite "archives" on "$best" check archives "$build/$best" "$build/nginx-1.28.3"
suite "sources and nginx's headers" on "$best" check sources "$include" "$nginx/nginx"
suite "nginx's identifiers" on "$best" check identifiers "$include" "$nginx/nginx"
suite "real sources" on "$best" check real-sources "$build/$best" "$nginx/nginx"
suite "event loops" on "$best" check loops "$build/$best"
suite "instructions" on "$best" check instructions "$build/$best"
suite "page faults" on "$best" check faults "$build/$best" "$nginx"
suite "nginx/config" check nginx-config asserts
suite "nginx modules" check nginx-modules 1.28.3 bookworm
suite "zones of nginx modules" rust --test nginx -- zones_load nchan
suite "module for an unmodified nginx" check nginx-loaded
suite "nginx relatives" check nginx-relatives
suite "probes" check probes
suite "C++ and Python" on "$best" check languages "build/$best"
suite "static programs" on "$best" check static "$build/$best"
suite "platforms" on "$best" check platforms "$build/$best"
suite "Debian packages" check debian
suite "install" check install
suite "CMake and Meson" check find
suite "documents" on "$best" check documents "$build/$best"

total
