#!/bin/sh

# mutants.sh: the program of "make mutants".  cargo-mutants changes one place of
# the library at a time, and mutant.sh tests the changed library, the mutant.  A
# mutant that passes all tests "survives": no test notices this change.
#
#   FILE="PATH..."  changes only these files, or the files in these directories
#   IN_DIFF=REV     changes only lines that differ from the git revision REV
#   SHARD=K/N       tests only each N-th mutant, from number K on; the first number is 0
#
# Creates in build/mutants:
#
#   tree/             a copy of the project, in which the mutants are built
#   src/              the unchanged sources
#   lib/, programs/   the unchanged library, and the C tests
#   list              the C tests, the fastest first
#   server/           the tests of tests/runtime, and the library that they use
#   server.list       these tests, with their times in milliseconds, the fastest first
#   results/NAME/     the results for the FILE with this name, "/" replaced by "_"

set -eu

version=27.1.0
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$top/build/mutants

. "$top/c-tests/run/quietly.sh"
. "$top/c-tests/run/mutated.sh"

export CARGO_INCREMENTAL=1

# install: installs cargo-mutants, which only this script needs
install()
{
    case $(cargo mutants --version 2> /dev/null) in
        *" $version") ;;
        *) cargo install --locked "cargo-mutants@$version" ;;
    esac
}

# programs: builds the unchanged library and the C tests.  The programs find the
# library in LD_LIBRARY_PATH.
programs()
{
    (cd "$dir/tree" && quietly "$dir/library.log" mutated_library "$dir/lib")
    quietly "$dir/programs.log" make -s -C "$top/c-tests" ours "OUT=$dir/programs" \
        "CFLAGS_IPC=-I$dir/lib/include" "LIBS_IPC=-L$dir/lib -lngx_ipc"
}

# sort_programs: writes the list of the C tests, the fastest first, because a fast test
# notices most mutants.  The fuzzer is left out, because its results are random.
sort_programs()
{
    for program in "$dir"/programs/ours/test_* "$dir"/programs/ours/standalone/test_*; do
        case $program in
            *_fuzz) continue ;;
        esac

        start=$(date +%s%N)
        LD_LIBRARY_PATH=$dir/lib "$program" > "$dir/out" 2>&1 \
            || { cat "$dir/out"; echo "$program fails without a mutant" >&2; exit 1; }
        echo "$(($(date +%s%N) - start)) $program"
    done > "$dir/times"

    sort -n "$dir/times" | sed 's/[0-9]* //' > "$dir/list"
}

# The directories that are changed if FILE is not given.
all="src/process src/channel src/process_cycle src/shmem src/sys src/host/standalone"

# changes_host: returns whether the library's own host is changed
changes_host()
{
    case " ${FILE:-$all}" in
        *" src/host"*) return 0 ;;
    esac
    return 1
}

# server_tests: builds the tests of whole servers, and writes their list.  These tests are
# left out:
#
#   storm, soak, many_reloads, stress    give the server much work for a long time, so
#                                        that their results depend on the machine
server_tests()
{
    rm -rf "$dir/server"
    mkdir "$dir/server"
    (
        cd "$dir/tree"
        target=${CARGO_TARGET_DIR:-target}/mutants
        quietly "$dir/server.log" \
            cargo test --locked --quiet --profile mutants --test runtime --no-run

        # shellcheck disable=SC2010
        cp "$target/deps/$(ls -t "$target/deps" | grep '^runtime-[^.]*$' | head -n 1)" \
            "$dir/server/tests"
        link_server_library "$target/libngx_ipc.a" "$dir"
    )

    "$dir/server/tests" --list --format terse | sed -n 's/: test$//p' \
        | grep -v -E '^(storm|soak|many_reloads)::|stress' \
        | xargs -P 2 -n 1 sh "$top/c-tests/run/server-test.sh" "$dir" 120 \
        > "$dir/server.times"

    sort -n "$dir/server.times" > "$dir/server.list"
}

# files: prints the --file options for FILE
files()
{
    for file in ${FILE:-$all}; do
        if [ -d "$top/$file" ]; then
            echo "--file $file/**/*.rs"
        else
            echo "--file $file"
        fi
    done
}

# mutate: runs cargo-mutants in tree/.  Without "--jobserver=false" its pipe of tokens
# is also that of the builds in mutant.sh.  The kernel gives a pipe a single page when a
# user has many pipes, pipe(7), and rustc then waits for ever to give a token back
mutate()
{
    results=$dir/results/$(echo "${FILE:-all}${SHARD:+_$SHARD}" | tr / _)
    mkdir -p "$results"

    if [ -n "${IN_DIFF:-}" ]; then
        git -C "$top" diff "$IN_DIFF" -- src > "$dir/diff"
    fi

    export T_MUTANTS="$dir"

    code=0
    # shellcheck disable=SC2046
    (
        set -f
        cd "$dir/tree"
        cargo mutants --in-place --output "$results" --no-shuffle --colors never --caught \
            --jobserver=false \
            ${IN_DIFF:+--in-diff "$dir/diff"} \
            ${SHARD:+--shard "$SHARD" --sharding round-robin} $(files)
    ) || code=$?

    # 2: mutants have survived, 3: a test has hung.  Other codes are errors.
    case $code in
        0|2|3) ;;
        *) exit $code ;;
    esac
}

# score: prints for each directory how many mutants the tests have noticed.  If a test has
# not ended in time, it is not known whether the tests notice the mutant
score()
{
    for kind in caught missed timeout; do
        sed "s|^|$kind |" "$results/mutants.out/$kind.txt"
    done | awk '
        { sub(/:.*/, "", $2); sub(/\/[^\/]*$/, "", $2) }
        { all[$2]++; n[$1, $2]++ }
        END {
            for (d in all)
                printf "%-20s %4d of %4d noticed, %3d %%, %d not known\n", d,
                    n["caught", d], all[d], 100 * n["caught", d] / all[d], n["timeout", d]
        }' | sort
}

install
copy_project "$top" "$dir/tree"
rm -rf "$dir/src" "$dir/server.list"
cp -R "$dir/tree/src" "$dir/src"
programs
sort_programs
if changes_host; then
    server_tests
fi
mutate
score
