#!/bin/sh

# test.sh: everything that "make test" runs, see parts.sh.

. "$(dirname "$0")/parts.sh"

build=$top/build

run_make()
{
    make --no-print-directory "$@"
}

# use BACKEND: what follows is built for this way to shared memory
use()
{
    unset NGX_HAVE_MAP_ANON NGX_HAVE_MAP_DEVZERO

    case $1 in
        map_devzero) export NGX_HAVE_MAP_ANON=0 ;;
        sysvshm)     export NGX_HAVE_MAP_ANON=0 NGX_HAVE_MAP_DEVZERO=0 ;;
    esac

    export T_SHMEM="$1"
    lib=$build/$1

    # what it says is of interest only if it fails
    run_make -s -C "$top" "B=build/$1" > "$out.make" 2>&1 || cat "$out.make"
    rm -f "$out.make"
}

# programs [VARIABLE=VALUE...]: the C tests
programs()
{
    run_make -C "$tests" run-ours \
        "OUT=$build/c-tests/$T_SHMEM" \
        "CFLAGS_IPC=-I$lib/include" \
        "LIBS_IPC=-L$lib -lngx_ipc -Wl,-rpath,$lib" \
        "$@"
}

under_valgrind()
{
    (
        export T_VALGRIND=1 T_TIMEOUT=120
        programs WRAPPER="valgrind -q --error-exitcode=9 --leak-check=full \
            --errors-for-leak-kinds=definite --show-leak-kinds=definite --child-silent-after-fork=no"
    )
}

under_asan()
{
    programs "OUT=$build/c-tests/asan" \
        CFLAGS="-O1 -fsanitize=address -fno-omit-frame-pointer"
}

# demo: its exit code is the verdict; it counts for one
demo()
{
    run_make -s -C "$top" "B=build/$T_SHMEM" demo || return 1
    echo "1 passed, 0 failed, 0 skipped"
}

inject()
{
    mkdir -p "$build/c-tests/$T_SHMEM"
    cc -std=gnu11 -g -Wall -Wextra -Werror -Wno-unused-parameter "-I$lib/include" "$tests/fixtures/inject.c" \
        -o "$build/c-tests/$T_SHMEM/inject" "-L$lib" -lngx_ipc "-Wl,-rpath,$lib" \
        && sh "$tests/checks/inject.sh" "$build/c-tests/$T_SHMEM/inject"
}


nginx=$build/nginx

# make test-nginx runs the long form of what a real nginx has to do
export T_SHORT=1

part "Rust" rust
part "nginx's symbols" sh "$tests/checks/nginx-symbols.sh" "$build/nginx-1.28.3"

for backend in sysvshm map_devzero map_anon; do
    use $backend
    part "C tests, $backend" programs
    part "make demo, $backend" demo
    part "injected faults, $backend" inject
done

part "C tests on nginx's own objects" \
    run_make -C "$tests" run-nginx "OUT=$build/c-tests" "NGINX=$nginx"

part "C tests under valgrind" under_valgrind
part "C tests with AddressSanitizer" under_asan

part "ABI" sh "$tests/checks/abi.sh" "$lib/include" "$nginx/nginx"
part "headers" sh "$tests/checks/headers.sh" "$lib/include"
part "generated headers" sh "$tests/checks/generated.sh" "$lib/include"
part "exported symbols" sh "$tests/checks/symbols.sh" "$lib/libngx_ipc.so.1"
part "sources against nginx's headers" sh "$tests/checks/sources.sh" "$lib/include" "$nginx/nginx"
part "instructions" sh "$tests/checks/instructions.sh" "$lib"
part "nginx/config" sh "$tests/checks/nginx-config.sh" asserts
part "probes" sh "$tests/checks/probes.sh"
part "install" sh "$tests/checks/install.sh"
part "README" sh "$tests/checks/readme.sh"

total
