#!/bin/sh

# programs.sh PROGRAM...: runs test programs, each of which prints TAP.
#
# WRAPPER is put before each program, e.g. "valgrind -q --trace-children=no".

status=0

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

for program; do
    name=$(basename "$program")
    echo "# program $name"

    # a relative name without a slash would be looked for in PATH
    case $program in
        */*) ;;
        *)   program=./$program ;;
    esac

    ${WRAPPER:-} "$program" > "$out" 2>&1
    code=$?
    cat "$out"

    [ "$code" -eq 0 ] || status=1

    # the program was killed, or valgrind or AddressSanitizer found an error
    if [ "$code" -ne 0 ] && ! grep -q '^not ok' "$out"; then
        echo "not ok - $name ended with code $code"
        grep -vE '^(ok|1\.\.)' "$out" | tail -n 40 | sed 's/^/# /'
    fi
done

exit "$status"
