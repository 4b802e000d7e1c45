#!/bin/sh

# programs.sh PROGRAM...: run test programs, add up their closing lines.
#
# WRAPPER is put before each program, e.g. "valgrind -q --trace-children=no".

passed=0
failed=0
skipped=0

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

for program; do
    echo "# $(basename "$program")"

    # a relative name without a slash would be looked for in PATH
    case $program in
        */*) ;;
        *)   program=./$program ;;
    esac

    ${WRAPPER:-} "$program" > "$out"
    code=$?
    cat "$out"

    # "N passed, N failed[, N skipped]"; none if the program itself died
    counts=$(tail -n 1 "$out" \
             | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed/\1 \2/p' \
             | sed 's/,//; s/ skipped//')

    if [ -z "$counts" ]; then
        echo "# $program ended with code $code and no closing line"
        failed=$((failed + 1))
        continue
    fi

    set -- $counts 0

    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))

    if [ "$2" -eq 0 ] && [ "$code" -ne 0 ]; then
        echo "# $program ended with code $code"
        failed=$((failed + 1))
    fi
done

echo "$passed passed, $failed failed, $skipped skipped"

[ "$failed" -eq 0 ]
