#!/bin/sh

# programs.sh PROGRAM...: runs test programs, each of which prints TAP.
#
# The command in WRAPPER, such as "valgrind -q --trace-children=no", runs each
# program.

status=0

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

for program; do
    name=$(basename "$program")
    echo "# program $name"

    # The shell looks in PATH for a program whose name has no slash.
    case $program in
        */*) ;;
        *)   program=./$program ;;
    esac

    ${WRAPPER:-} "$program" > "$out" 2>&1
    code=$?
    cat "$out"

    [ "$code" -eq 0 ] || status=1

    # The program printed no failure but exits with an error: a signal killed
    # it, or valgrind or AddressSanitizer has found an error.
    if [ "$code" -ne 0 ] && ! grep -q '^not ok' "$out"; then
        echo "not ok - $name ended with code $code"
        grep -vE '^(ok|1\.\.)' "$out" | tail -n 40 | sed 's/^/# /'
    fi
done

exit "$status"
