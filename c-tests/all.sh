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

    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
                 "$out" | tail -n 1)

    # shellcheck disable=SC2086
    set -- ${counts:-0 0 0}
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

# library BACKEND [ENVIRONMENT...]: build it for a way to shared memory
library()
{
    library_for=$1
    shift
    env "$@" make --no-print-directory -s -C "$top" "B=build/$library_for" \
        > "$out.make" 2>&1 || cat "$out.make"
    rm -f "$out.make"
}

# programs BACKEND [VARIABLE=VALUE...]: the C tests with that library
programs()
{
    programs_with=$1
    shift
    T_SHMEM=$programs_with run_make -C "$here" run-ours \
        "OUT=$build/c-tests/$programs_with" \
        "CFLAGS_IPC=-I$build/$programs_with/include" \
        "LIBS_IPC=-L$build/$programs_with -lngx_ipc -Wl,-rpath,$build/$programs_with" \
        "$@"
}

demo()
{
    run_make -s -C "$top" "B=build/$1" demo && echo "1 passed, 0 failed, 0 skipped"
}

nginx=$build/nginx
anon=NGX_HAVE_MAP_ANON=0
zero=NGX_HAVE_MAP_DEVZERO=0

part "Rust" rust

library sysvshm $anon $zero
library map_devzero $anon
library map_anon

for backend in map_anon map_devzero sysvshm; do
    part "C tests, $backend" programs $backend
    part "demo, $backend" demo $backend
done

part "the same on nginx's own objects" \
    run_make -C "$here" run-nginx "OUT=$build/c-tests" "NGINX=$nginx"

part "valgrind" env T_VALGRIND=1 T_TIMEOUT=120 "$here/tap-env" \
    programs map_anon
