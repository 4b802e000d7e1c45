# Shared by the scripts that run others: adds up their closing lines, each
# "N passed, N failed, N skipped".
#
#   ONLY=text    only the parts whose names contain the text

tests=$(cd "$(dirname "$0")/.." && pwd)
top=$(dirname "$tests")

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

# rust [ARGUMENT...]: of "cargo test", whose own closing lines are added up
rust()
{
    cargo test --quiet --locked --manifest-path "$top/Cargo.toml" "$@" > "$out.rust" 2>&1
    cargo_code=$?
    cat "$out.rust"
    sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored.*/\1 \2 \3/p' \
        "$out.rust" \
        | awk '{ p += $1; f += $2; s += $3 }
               END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
    rm -f "$out.rust"
    return "$cargo_code"
}

# total: the closing line, and the script's exit code
total()
{
    echo
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
