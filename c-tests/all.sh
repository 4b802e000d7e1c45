#!/bin/sh

# all.sh: everything that "make test" runs.  Each part prints a closing line,
# "N passed, N failed, N skipped"; at the end they are added up.
#
#   ONLY=text    only the parts whose names contain the text

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build=$top/build

passed=0
failed=0
skipped=0

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT


# part NAME COMMAND...: run one part, add its closing line
part()
{
    part_name=$1
    shift

    case $part_name in *"${ONLY:-}"*) ;; *) return 0 ;; esac

    echo "## $part_name"

    { "$@" 2>&1; echo "exit code $?"; } | tee "$out" | grep -v '^exit code'
    code=$(sed -n 's/^exit code //p' "$out" | tail -n 1)

    counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' \
                 "$out" | tail -n 1)

    # shellcheck disable=SC2086
    set -- ${counts:-0 0} 0
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))

    # a part that fails, or counts nothing, cannot pass
    if [ "$2" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$1$3" = 00 ]; }; then
        echo "not ok - $part_name: exit code $code, $1 passed"
        failed=$((failed + 1))
    fi
}

run_make()
{
    make --no-print-directory "$@"
}

# rust: cargo's own closing lines, added up
rust()
{
    cargo test --quiet --locked --manifest-path "$top/Cargo.toml" > "$out.rust" 2>&1
    cargo_code=$?
    cat "$out.rust"
    sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored.*/\1 \2 \3/p' \
        "$out.rust" \
        | awk '{ p += $1; f += $2; s += $3 }
               END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
    rm -f "$out.rust"
    return "$cargo_code"
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
    run_make -C "$here" run-ours \
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
    cc -std=gnu11 -g -Wall -Wextra -Werror -Wno-unused-parameter "-I$lib/include" "$here/inject.c" \
        -o "$build/c-tests/$T_SHMEM/inject" "-L$lib" -lngx_ipc "-Wl,-rpath,$lib" \
        && sh "$here/inject.sh" "$build/c-tests/$T_SHMEM/inject"
}


nginx=$build/nginx

part "Rust" rust

for backend in sysvshm map_devzero map_anon; do
    use $backend
    part "C tests, $backend" programs
    part "make demo, $backend" demo
    part "injected faults, $backend" inject
done

part "C tests on nginx's own objects" \
    run_make -C "$here" run-nginx "OUT=$build/c-tests" "NGINX=$nginx"

part "C tests under valgrind" under_valgrind
part "C tests with AddressSanitizer" under_asan

part "ABI" sh "$here/abi.sh" "$lib/include" "$nginx/nginx"
part "headers" sh "$here/headers.sh" "$lib/include"
part "generated headers" sh "$here/generated.sh" "$lib/include"
part "exported symbols" sh "$here/symbols.sh" "$lib/libngx_ipc.so.1"
part "sources against nginx's headers" sh "$here/sources.sh" "$lib/include" "$nginx/nginx"
part "probes" sh "$here/probes.sh"
part "install" sh "$here/install.sh"
part "README" sh "$here/readme.sh"

echo
echo "$passed passed, $failed failed, $skipped skipped"

[ "$failed" -eq 0 ]
