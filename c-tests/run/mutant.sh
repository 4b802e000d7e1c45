#!/bin/sh

# mutant.sh: tests one mutant, in whose directory it runs, see mutants.sh.  cargo has
# built the library for tests/mutants.rs.  Runs the C tests with this library, then the
# unit tests, then the injected faults.  Stops at the first failure.

set -eu

. c-tests/run/mutated.sh

dir=${NGX_IPC_MUTANTS:?}

contain "$0"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2012
archive=$(ls -t "${CARGO_TARGET_DIR:-target}"/mutants/deps/libngx_ipc-*.a | head -n 1)

link_library "$archive" "$dir/lib/ngx_ipc.map" "$work"
ln -s "$dir/lib/include" "$work/include"

export T_TIMEOUT="${T_TIMEOUT:-10}" T_STOP=1

# xargs stops when a command exits with 255.
LD_LIBRARY_PATH=$work xargs -P 2 -n 1 \
    sh -c '"$0" > "'"$work"'/$$" 2>&1 || { cat "'"$work"'/$$"; exit 255; }' \
    < "$dir/list"

# The unit tests take less than a second.  With a mutant they can take for ever.
cargo test --locked --quiet --profile mutants --lib --no-run
timeout -k 1 60 cargo test --locked --quiet --profile mutants --lib

LD_LIBRARY_PATH=$work sh c-tests/checks/inject.sh "$work" \
    "$(awk 'NR == 1 { print $1 }' src/shmem/backends)"
