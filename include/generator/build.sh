#!/bin/sh

# build.sh DIR COMMAND [OPTION...]: runs "cargo COMMAND --lib OPTION..." for the
# library, and copies the results of cargo and of build.rs to DIR:
#
#   libngx_ipc.a   the library, if COMMAND is build
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

# The progress of cargo goes to stderr.  stdout is JSON, a line for each step.
json=$(${CARGO:-cargo} "$command" --locked --lib --manifest-path "$top/Cargo.toml" \
           --message-format json-render-diagnostics "$@")

# field PATTERN: prints the text of the first group of the pattern, from the
# last line of $json that matches
field()
{
    printf '%s\n' "$json" | sed -n "s|$1|\\1|p" | tail -n 1
}

out=$(field '.*"build-script-executed".*[/#]ngx_ipc[@#].*"out_dir":"\([^"]*\)".*')
archive=$(field '.*"compiler-artifact".*"\([^"]*/libngx_ipc\.a\)".*')

mkdir -p "$dir/include"

for file in ${archive:+"$archive"} "$out/probes.log" "$out/symbols" "$out/ngx_ipc.map"; do
    [ ! -f "$file" ] || update "$file" "$dir/$(basename "$file")"
done

for file in "$out"/include/*.h; do
    [ ! -f "$file" ] || update "$file" "$dir/include/$(basename "$file")"
done
