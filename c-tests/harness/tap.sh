# Sourced by the tests in shell: counts results and prints them as TAP.
#
#   T_VERBOSE=1    what each command prints, also if the result is as expected

passed=0
failed=0
skipped=0

# the project, for the scripts that source this one
# shellcheck disable=SC2034
top=$(cd "$(dirname "$0")/../.." && pwd)

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# ok NAME COMMAND...: the command must succeed; if it fails, its output is shown
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

# not_ok NAME COMMAND...: the command must fail
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

# skip NAME REASON
skip()
{
    skipped=$((skipped + 1))
    echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"
}

# end: the plan; fails if a test has failed
end()
{
    echo "1..$((passed + failed + skipped))"
    [ "$failed" -eq 0 ]
}
