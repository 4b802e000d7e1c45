#!/bin/sh

# programs.sh PROGRAM...: runs test programs, each of which prints TAP.
#
# The command in WRAPPER, such as "valgrind -q --trace-children=no", runs each
# program.  JOBS=N runs N programs at the same time, for programs whose time does not
# matter.

if [ "${JOBS:-1}" -gt 1 ]; then
    PRINTING=$(mktemp) || exit 1
    export PRINTING
    trap 'rm -f "$PRINTING"' EXIT

    printf '%s\n' "$@" | xargs -d '\n' -P "$JOBS" -n 1 env JOBS=1 sh "$0"
    exit
fi

status=0

out=$(mktemp) || exit 1
trap 'rm -f "$out" "$out".asan.*' EXIT

# A process can have closed stderr, or have another one.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$out.asan"

# run PROGRAM: runs the program, and stores its output with AddressSanitizer's reports, and
# in $code its exit code
run()
{
    rm -f "$out".asan.*

    # The shell looks in PATH for a program whose name has no slash.
    case $1 in
        */*) ${WRAPPER:-} "$1" ;;
        *)   ${WRAPPER:-} "./$1" ;;
    esac > "$out" 2>&1
    code=$?

    cat "$out".asan.* >> "$out" 2> /dev/null
}

# how a line of a report of valgrind or AddressSanitizer begins
report='^==[0-9][0-9]*=='

# reports: succeeds if the stored output has such a report, of any process
reports()
{
    grep -aq "$report" "$out"
}

# print PROGRAM: prints the stored output
print()
{
    name=$(basename "$1")
    echo "# program $name"
    cat "$out"

    # failures that the program did not print: an error of memory, or a signal
    if reports; then
        echo "not ok - $name: errors of memory"
        grep -a "$report" "$out" | head -n 40 | sed 's/^/# /'
    elif [ "$code" -ne 0 ] && ! grep -q '^not ok' "$out"; then
        echo "not ok - $name ended with code $code"
        grep -vE '^(ok|1\.\.)' "$out" | tail -n 40 | sed 's/^/# /'
    fi
}

for program; do
    run "$program"

    # Programs that run at the same time print one after the other.
    (
        [ -z "${PRINTING:-}" ] || flock 9
        print "$program"
    ) 9> "${PRINTING:-/dev/null}"

    if [ "$code" -ne 0 ] || reports; then
        status=1
    fi
done

exit "$status"
