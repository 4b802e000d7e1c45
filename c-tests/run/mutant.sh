#!/bin/sh

# mutant.sh: tests one mutant, in whose directory it runs, see mutants.sh.  cargo has
# built the library for tests/mutants.rs.  Stops at the first failure.  A mutant of the
# library's own host gets the unit tests, the C tests and the tests of whole servers, any
# other mutant the C tests, the unit tests and the injected faults.  Without a mutant,
# all these tests run: cargo-mutants measures the time that they need.

set -eu

. c-tests/run/mutated.sh

dir=${T_MUTANTS:?}

contain "$0"

# If a mutant does not end in time, cargo-mutants kills this script.  So each run also
# removes what the last one has left.
work=$dir/work
export TMPDIR="$work/tmp"

clean()
{
    rm -rf "$work" target/tmp/*
}

clean
mkdir -p "$TMPDIR"
trap clean EXIT

# shellcheck disable=SC2012
archive=$(ls -t "${CARGO_TARGET_DIR:-target}"/mutants/deps/libngx_ipc-*.a | head -n 1)

link_library "$archive" "$dir/lib/ngx_ipc.map" "$work"
ln -s "$dir/lib/include" "$work/include"

export T_TIMEOUT="${T_TIMEOUT:-10}" T_STOP=1

# programs: runs the C tests whose names are in the standard input.  xargs stops when a
# command exits with 255.  A test that fails is repeated once, with four times the limit,
# because a loaded machine can make it fail
programs()
{
    LD_LIBRARY_PATH=$work xargs -P 2 -n 1 sh -c '
        "$1" > "$0/$$" 2>&1 \
            || T_TIMEOUT=$((T_TIMEOUT * 4)) "$1" > "$0/$$" 2>&1 \
            || { cat "$0/$$"; exit 255; }' "$work"
}

# unit_tests: runs the unit tests, which take less than a second.  With a mutant they can
# take for ever
unit_tests()
{
    cargo test --locked --quiet --profile mutants --lib --no-run
    timeout -k 1 60 cargo test --locked --quiet --profile mutants --lib
}

# faults: injects faults
faults()
{
    LD_LIBRARY_PATH=$work sh c-tests/checks/inject.sh "$work" \
        "$(awk 'NR == 1 { print $1 }' src/shmem/backends)"
}

# subject: prints an expression for the names of the tests that are about the file $1
subject()
{
    case ${1##*/} in
        activation.rs|addresses.rs|open_sockets.rs) echo '^(activation|listening|unix_files)' ;;
        conf*.rs|program_conf.rs|arguments.rs|refusal.rs) echo '^(conf|start_fails)' ;;
        main.rs|start.rs|signaller.rs|variables.rs) echo '^start_' ;;
        log*.rs|syslog*.rs|reopen.rs|report.rs|errno.rs|date.rs) echo '^(logs|conf)' ;;
        listening*.rs|draft.rs|datagram*.rs|left_files.rs) echo '^(listening|unix_files)' ;;
        upgrade.rs) echo '^upgrade' ;;
        master.rs|on_signal.rs|hooks.rs) echo '^(signals|respawn)' ;;
        worker.rs|init_process.rs|overdue.rs) echo '^(signals|privilege|shutdown)' ;;
        *cycle.rs|init.rs) echo '^(signals|reload_files|unchanged)' ;;
        message*.rs) echo '^(messages|own_messages)' ;;
        spawn.rs|helper.rs) echo '^(respawn|worker_spawns|fork_fails)' ;;
        *connection*.rs|accept.rs|event*.rs|timers.rs|by_fd.rs) echo '^(events|single)' ;;
        *) echo "^$(basename "$1" .rs)" ;;
    esac
}

# servers: runs the tests of whole servers, those first that are about the file $1
servers()
{
    link_server_library "$archive" "$dir"

    awk -v subject="$(subject "$1")" '
        { test = 15 + int(10 * $1 / 1000) " " $2 }
        $2 ~ subject { print test; next }
        { rest[++n] = test }
        END { for (i = 1; i <= n; i++) print rest[i] }' "$dir/server.list" \
        | xargs -P 4 -n 2 sh c-tests/run/server-test.sh "$dir"
}

# The file that cargo-mutants has changed, if any.
changed=$(diff -rq "$dir/src" src | awk '{ print $4 }' || true)

case $changed in
    src/host/*)
        unit_tests
        grep /standalone/ "$dir/list" | programs
        servers "$changed"
        grep -v /standalone/ "$dir/list" | programs
        ;;
    *)
        programs < "$dir/list"
        unit_tests
        faults
        if [ -z "$changed" ] && [ -f "$dir/server.list" ]; then
            servers none
        fi
        ;;
esac
