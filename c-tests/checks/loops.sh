#!/bin/sh

# loops.sh DIR: builds the examples that use the event loop of another library,
# with the library in DIR, and checks what they do.

. "$(dirname "$0")/../harness/tap.sh"

lib=$1

# has HEADER: succeeds if the C compiler finds the header
has()
{
    echo "#include <$1>" | "${CC:-cc}" -E - > "$tmp/header" 2>&1
}

has_pidfds()
{
    python3 -c 'import os; os.close(os.pidfd_open(os.getpid()))' 2> "$tmp/pidfd"
}

# runs NAME: succeeds if the example exits with 0; its output is in $tmp/out and
# its log in $tmp/log
runs()
{
    timeout 20 "$lib/$1" > "$tmp/out" 2> "$tmp/log" || { cat "$tmp/out" "$tmp/log"; return 1; }
}

# prints: succeeds if the example has printed these lines, in any order
prints()
{
    printf '%s\n' 'another program exits with 3' 'the workers shut down' \
        'worker 0 answers' 'worker 1 answers' 'worker 1 answers' 'worker 1 is killed' \
        'worker 2 answers' > "$tmp/expected"
    LC_ALL=C sort "$tmp/out" | diff "$tmp/expected" -
}

# logs N TEXT: succeeds if N lines of the log contain the text
logs()
{
    [ "$(grep -c -e "$2" "$tmp/log")" -eq "$1" ] || { cat "$tmp/log"; return 1; }
}

# builds_and_runs NAME HEADER PACKAGE: builds and runs the example NAME; fails,
# after it has said why, if this machine cannot do it
builds_and_runs()
{
    if ! has "$2"; then
        skip "$1" "$3 is not installed"
        return 1
    fi

    if ! has_pidfds; then
        skip "$1" "the kernel has no pidfd_open()"
        return 1
    fi

    ok "$1 builds" make -s -C "$top" "B=$lib" "$lib/$1"
    ok "$1 runs" runs "$1"
}

# example NAME HEADER PACKAGE: tests the example NAME
example()
{
    builds_and_runs "$@" || return 0

    ok "$1: workers answer, and another program keeps its status" prints
    ok "$1: four workers were started" logs 4 ': start worker process '
    ok "$1: one worker was killed" logs 1 ' exited on signal 9$'
    ok "$1: three workers have shut down" logs 3 ' exited with code 0$'
    ok "$1: the log has no other line" logs 8 .
}

# purges: succeeds if each worker has printed what it purges
purges()
{
    printf 'worker %d purges /a\n' 0 1 2 > "$tmp/expected"
    LC_ALL=C sort "$tmp/out" | diff "$tmp/expected" -
}

# messages NAME HEADER PACKAGE: tests the example NAME, whose workers get messages
messages()
{
    builds_and_runs "$@" || return 0

    ok "$1: each worker gets the message" purges
    ok "$1: three workers have exited" logs 3 ' exited with code 0$'
}

messages purge_libuv uv.h libuv1-dev
example libuv uv.h libuv1-dev
example libev ev.h libev-dev

end
