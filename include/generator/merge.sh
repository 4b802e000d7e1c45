#!/bin/sh

# merge.sh ARCHIVE CSRC TO: makes the static library TO of ARCHIVE, which cargo has
# built, and CSRC, the archive of the functions in C, which ARCHIVE contains:
#
#   ngx_ipc.o                   all Rust that is used; only its ngx_ functions and
#                               variables are global
#   ngx_log.o, ngx_string.o     the functions in C, if there are any
#
# The symbols of Rust's standard library are local then.  Otherwise a program could
# contain no other Rust library, and a module that nginx loads would use parts of
# this one instead of its own: a panic that it catches would abort nginx.
#
#   NGX_IPC_DEBUG=0     without debug information
#   LD, OBJCOPY, NM, READELF, AR, STRIP

set -eu

archive=$1
csrc=$2
to=$3
ar=${AR:-ar}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: what it prints goes to $work/said, and is shown if it fails.  A
# plugin of the tools may be of another LLVM than Rust's, and says so of each object.
quietly()
{
    "$@" > "$work/said" 2>&1 || { cat "$work/said" >&2; return 1; }
}

cp "$archive" "$work/rust.a"
mkdir "$work/members"

# cc has put a hash before the names of the objects
if [ -f "$csrc" ]; then
    for member in $("$ar" t "$csrc"); do
        quietly "$ar" d "$work/rust.a" "$member"
        "$ar" p "$csrc" "$member" > "$work/members/${member##*-}"
    done
fi

quietly "${NM:-nm}" --defined-only --extern-only "$work/rust.a"
awk 'NF == 3 && $3 ~ /^ngx_/ { print $3 }' "$work/said" | sort -u > "$work/names"
[ -s "$work/names" ] || { echo "$0: $archive defines no function" >&2; exit 1; }

# A group of sections that another library has as well would be dropped from one of
# them, with what local symbols refer to: no section stays in a group.
#
# shellcheck disable=SC2046
quietly "${LD:-ld}" -r --gc-sections --force-group-allocation \
    $(sed 's/^/-u /' "$work/names") -o "$work/merged.o" "$work/rust.a"

# Small variables come first, sorted by size, and then the tables of all slots.
# After fork() the kernel copies a page when a process writes to it.  The variables
# that a spawn changes are small ones, so they lie in one page.
quietly "${READELF:-readelf}" -SW "$work/merged.o"
{
    echo 'SECTIONS { .bss 0 : ALIGN(4096) {'
    sed -n 's/^ *\[ *[0-9]*\] *\(\.bss\.[^ ]*\) *NOBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\2 *(\1)/p' \
        "$work/said" | LC_ALL=C sort | sed 's/^[^ ]* //'
    echo '} }'
} > "$work/sorted.ld"
quietly "${LD:-ld}" -r -T "$work/sorted.ld" -o "$work/sorted.o" "$work/merged.o"
quietly "${OBJCOPY:-objcopy}" --keep-global-symbols="$work/names" \
    "$work/sorted.o" "$work/members/ngx_ipc.o"

case ${NGX_IPC_DEBUG:-1} in
    0) quietly "${STRIP:-strip}" --strip-debug "$work"/members/*.o ;;
esac

# D: no times and owners
rm -f "$to"
quietly "$ar" rcsD "$to" "$work"/members/*.o
