# Functions that run suites of tests. test.sh and test-nginx.sh source this
# file.
#
# A suite is a command that prints TAP.  For each suite one line is printed:
# its name, the numbers of tests that passed, failed and were skipped, and the
# seconds it took.  If a suite fails, its failed tests are printed too.
#
#   ONLY=text    runs only the suites whose names contain the text
#   V=1          also prints the whole output of the suites
#
# build/test.log (build/test-nginx.log) has the whole output of the last run.

run=$(cd "$(dirname "$0")" && pwd)
tests=$(dirname "$run")
top=$(dirname "$tests")
build=$top/build

log=$build/$(basename "$0" .sh).log

total_passed=0
total_failed=0
total_skipped=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

mkdir -p "$build"
: > "$log"
: > "$work/all_reasons"


# say TEXT: prints the text, on standard output and in the log
say()
{
    echo "$1" | tee -a "$log"
}

# keep: copies standard input to the log, and with V=1 to standard output
keep()
{
    if [ -n "${V:-}" ]; then
        tee -a "$log"
    else
        cat >> "$log"
    fi
}

# suite NAME COMMAND...: runs the command as a suite, and prints its results
suite()
{
    suite_name=$1
    shift

    case $suite_name in *"${ONLY:-}"*) ;; *) return 0 ;; esac

    started=$(date +%s)
    echo "## $suite_name" | keep

    { "$@" 2>&1; echo "exit code $?"; } | tee "$work/output" | keep

    : > "$work/failures"
    : > "$work/reasons"

    counts=$(awk -f "$run/tap.awk" -v "failures=$work/failures" \
                 -v "reasons=$work/reasons" "$work/output")

    # shellcheck disable=SC2086
    set -- $counts

    say "$(printf '%-30s %5d passed, %3d failed, %3d skipped %5d s' "$suite_name" \
               "$1" "$2" "$3" $(($(date +%s) - started)))"
    cat "$work/failures"
    cat "$work/reasons" >> "$work/all_reasons"

    total_passed=$((total_passed + $1))
    total_failed=$((total_failed + $2))
    total_skipped=$((total_skipped + $3))
}

# rust [ARGUMENT...]: runs "cargo test" with these arguments, and prints its
# results as TAP
rust()
{
    {
        cargo test --locked --no-fail-fast --manifest-path "$top/Cargo.toml" "$@" 2>&1
        echo "exit code $?"
    } | awk -f "$run/cargo-tap.awk"
}

# skip_reasons: prints each reason why tests were skipped, with the number of
# these tests
skip_reasons()
{
    sort "$work/all_reasons" | uniq -c | sort -rn \
        | sed 's/^ *\([0-9]*\) /\1 /' | paste -s -d ';' | sed 's/;/; /g; s/^/skipped: /' \
        | fold -s -w 78
}

# total: prints why tests were skipped, and the sum of all suites; fails if a
# test has failed
total()
{
    say ""
    [ "$total_skipped" -eq 0 ] || say "$(skip_reasons)"
    [ "$total_failed" -eq 0 ] || say "see $log"
    say "$total_passed passed, $total_failed failed, $total_skipped skipped"
    [ "$total_failed" -eq 0 ]
}
