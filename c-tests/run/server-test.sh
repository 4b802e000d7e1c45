#!/bin/sh

# server-test.sh DIR LIMIT NAME: runs one test of tests/runtime with the library in
# DIR/server, for mutants.sh and mutant.sh.  LIMIT is its time limit in seconds.
# Prints how many milliseconds the test has taken, and its name.  If the test fails,
# prints the end of its output and exits with 255, with which xargs stops.
#
# A loaded machine can make such a test fail, which would look as if the test noticed a
# mutant.  So a test that fails is repeated once, with four times the limit.

set -eu

dir=$1/server
out=$dir/$$.out

for limit in "$2" $(($2 * 4)); do
    start=$(date +%s%N)

    if T_LIBRARY=$dir timeout -k 1 "$limit" "$dir/tests" --exact "$3" --nocapture \
        > "$out" 2>&1 < /dev/null
    then
        echo "$((($(date +%s%N) - start) / 1000000)) $3"
        rm -f "$out"
        exit 0
    fi

    echo "$3 has failed within $limit s" >&2
done

tail -n 40 "$out" >&2
exit 255
