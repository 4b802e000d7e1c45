#!/bin/sh

# build.sh DIR COMMAND [OPTION...]: builds the library, if COMMAND is build, or only
# checks it, if it is check, with these options of cargo.  Copies the results of cargo
# and of build.rs to DIR.  If COMMAND is program, builds only the program ngx-ipc-zone.
#
#   ngx-ipc-zone   the program
#   libngx_ipc.a   the library, see merge.sh
#   include/       all headers
#   symbols        the names that the shared library exports
#   ngx_ipc.map    the same names, as a version script for the linker
#   probes.log     what the probes have found
#
# Results that this build does not make are left out.  A file whose content has
# not changed keeps its time, so that make does not build its targets again.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$1
command=$2
shift 2

# update FILE TO: copies FILE to TO, unless the files are equal
update()
{
    cmp -s "$1" "$2" || cp "$1" "$2"
}

# remaps: prints a line DIRECTORY=NAME for each directory of this machine whose path
# could be in the library.  The compiler writes NAME in place of DIRECTORY to messages
# and debug information.  If several lines match a path, the last one is used.
remaps()
{
    target=${CARGO_TARGET_DIR:-$top/target}
    case $target in /*) ;; *) target=$PWD/$target ;; esac

    rust=$(cd "$top" && ${RUSTC:-rustc} --print sysroot)/lib/rustlib/src/rust
    commit=$(cd "$top" && ${RUSTC:-rustc} -vV | sed -n 's/^commit-hash: //p')

    echo "${CARGO_HOME:-${HOME:-}/.cargo}=cargo"
    echo "$rust=/rustc/$commit"
    echo "$top=ngx_ipc"
    echo "$target=target"
}

# With these options two builds of the same sources are the same, whatever directories
# they are in.  If the environment has options for the compiler, cargo ignores those
# of its configuration files, so the new options are added to the environment: \037
# separates options that may contain spaces.  Otherwise --config adds the new options
# to those of the configuration files.
options=$(remaps | sed 's/^/--remap-path-prefix=/')
us=$(printf '\037')

# For musl, rustc would put a C library of its own into the static library. So it links
# the C library as a shared one, and merge.sh adds only the functions with which Rust
# unwinds the stack. GCC's functions for this need glibc.
musl=$(printf '%s\n' "$@" | sed -n 's/^--target=//; /-linux-musl$/p')
if [ -n "$musl" ]; then
    options=$(printf '%s\n%s' "$options" "-Ctarget-feature=-crt-static")
    NGX_IPC_UNWIND=$(${RUSTC:-rustc} --print sysroot)/lib/rustlib/$musl/lib/self-contained/libunwind.a
    export NGX_IPC_UNWIND
fi

if [ -n "${CARGO_ENCODED_RUSTFLAGS:-}${RUSTFLAGS:-}" ]; then
    given=${CARGO_ENCODED_RUSTFLAGS:-$(printf '%s' "$RUSTFLAGS" | tr -s ' ' "$us")}
    CARGO_ENCODED_RUSTFLAGS=$given$us$(printf '%s' "$options" | tr '\n' "$us")
    export CARGO_ENCODED_RUSTFLAGS
else
    set -- "$@" --config "build.rustflags = [$(echo "$options" | sed "s/.*/'&'/" | paste -s -d ,)]"
fi

# As the only type of the crate, a static library exports only its C functions, so that
# the compiler optimizes the others as a whole.
case $command in
    build)   set -- rustc --crate-type staticlib --lib "$@" ;;
    program) set -- build --profile program --bin ngx-ipc-zone "$@" ;;
    *)       set -- "$command" --lib "$@" ;;
esac

# The progress of cargo goes to stderr.  stdout is JSON, a line for each step.
json=$(${CARGO:-cargo} "$@" --locked --manifest-path "$top/Cargo.toml" \
           --message-format json-render-diagnostics)

# field PATTERN: prints the text of the first group of the pattern, from the
# last line of $json that matches
field()
{
    printf '%s\n' "$json" | sed -n "s|$1|\\1|p" | tail -n 1
}

if [ "$command" = program ]; then
    mkdir -p "$dir"
    update "$(field '.*"executable":"\([^"]*\)".*')" "$dir/ngx-ipc-zone"
    exit 0
fi

out=$(field '.*"build-script-executed".*[/#]ngx_ipc[@#].*"out_dir":"\([^"]*\)".*')
archive=$(field '.*"compiler-artifact".*"\([^"]*/libngx_ipc\.a\)".*')

mkdir -p "$dir/include"

merged=
if [ -n "$archive" ]; then
    merged=$(mktemp -d)/libngx_ipc.a
    trap 'rm -rf "${merged%/*}"' EXIT
    sh "$top/include/generator/merge.sh" "$archive" "$out/libngx_ipc_csrc.a" "$merged"
fi

for file in ${merged:+"$merged"} "$out/probes.log" "$out/symbols" "$out/ngx_ipc.map"; do
    [ ! -f "$file" ] || update "$file" "$dir/$(basename "$file")"
done

for file in "$out"/include/*.h; do
    [ ! -f "$file" ] || update "$file" "$dir/include/$(basename "$file")"
done
