# Functions that count the results of tests and print them as TAP.  The tests
# that are shell scripts source this file.
#
#   T_VERBOSE=1    also prints the output of commands that succeed

passed=0
failed=0
skipped=0

# $top is the directory of the project, for the scripts that source this file.
# shellcheck disable=SC2034
top=$(cd "$(dirname "$0")/../.." && pwd)

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# ok NAME COMMAND...: a test that passes if the command succeeds; if the
# command fails, the test's output includes that of the command
ok()
{
    ok_name=$1
    ok_result=ok
    shift

    if "$@" > "$tmp/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        ok_result="not ok"
    fi

    echo "$ok_result $((passed + failed + skipped)) - $ok_name"

    if [ "$ok_result" != ok ] || [ -n "${T_VERBOSE:-}" ]; then
        sed 's/^/# /' "$tmp/said"
    fi
}

# not_ok NAME COMMAND...: a test that passes if the command fails
not_ok()
{
    not_ok_name=$1
    shift
    ok "$not_ok_name" fails "$@"
}

fails()
{
    ! "$@"
}

# skip NAME REASON: a test that is not run, and the reason
skip()
{
    skipped=$((skipped + 1))
    echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"
}

# end: prints the plan of TAP, which is the number of tests; fails if a test
# has failed
end()
{
    echo "1..$((passed + failed + skipped))"
    [ "$failed" -eq 0 ]
}
