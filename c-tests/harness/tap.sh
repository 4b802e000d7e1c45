# Shared by the tests in shell: counts, and says what came out as TAP.

passed=0
failed=0
skipped=0

# the project; for the scripts that source this one
# shellcheck disable=SC2034
top=$(cd "$(dirname "$0")/../.." && pwd)

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# ok NAME COMMAND...: the command must succeed; what it says is shown if not.
ok()
{
    ok_name=$1
    shift

    if "$@" > "$tmp/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok $((passed + failed + skipped)) - $ok_name"
    else
        failed=$((failed + 1))
        echo "not ok $((passed + failed + skipped)) - $ok_name"
        sed 's/^/# /' "$tmp/said"
    fi
}

# not_ok NAME COMMAND...: the command must fail.
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

skip()
{
    skipped=$((skipped + 1))
    echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"
}

# The closing line, and the script's exit code.
end()
{
    echo "1..$((passed + failed + skipped))"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
