#!/bin/sh

# merge.sh ARCHIVE CSRC TO: makes the static library TO of ARCHIVE, which cargo has
# built, and CSRC, the archive of the functions in C, which ARCHIVE contains:
#
#   ngx_ipc.o                   all Rust code that the library calls; only its ngx_
#                               functions and variables are global
#   an object for each file in csrc/, if CSRC exists
#
# So the symbols of Rust's standard library are local.  If they were global, a program
# could not contain another Rust library.  A Rust module that nginx loads would use
# parts of this standard library instead of its own, and a panic that the module
# catches would abort nginx.
#
# The standard library's functions for a panic and for a failed allocation are
# replaced with those of src/sys/panic.rs, which need much less code.
#
#   NGX_IPC_DEBUG=0     removes the debug information
#   NGX_IPC_UNWIND      a library that is linked too, see build.sh
#   LD, OBJCOPY, NM, READELF, AR, STRIP     the tools

set -eu

archive=$1
csrc=$2
to=$3
ar=${AR:-ar}
objcopy=${OBJCOPY:-objcopy}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: runs the command with its output in $work/said, and prints the
# output only if the command fails.  The tools may load a plugin of another version of
# LLVM than Rust's, and such a plugin prints a warning for each object.
quietly()
{
    "$@" > "$work/said" 2>&1 || { cat "$work/said" >&2; return 1; }
}

# The objects of the standard library also contain code of LLVM.  A plugin of another
# version of LLVM cannot read it, and then the tools find no symbols.
quietly "$objcopy" --remove-section .llvmbc --remove-section .llvmcmd \
    "$archive" "$work/rust.a"
mkdir "$work/members"

# build.rs uses the crate cc, which puts a hash before the name of each object
if [ -f "$csrc" ]; then
    for member in $("$ar" t "$csrc"); do
        quietly "$ar" d "$work/rust.a" "$member"
        "$ar" p "$csrc" "$member" > "$work/members/${member##*-}"
    done
fi

quietly "${NM:-nm}" --defined-only --extern-only "$work/rust.a"
awk 'NF == 3 && $3 ~ /^ngx_/ { print $3 }' "$work/said" | sort -u > "$work/names"
[ -s "$work/names" ] || { echo "$0: $archive defines no function" >&2; exit 1; }

# replace PATTERN FUNCTION: prints options for the linker that make all calls of the
# functions that match the pattern call FUNCTION instead.  The pattern is needed because
# a hash is in each name of Rust.
replace()
{
    sed -n "s/^ *U \(.*$1\)$/\1/p" "$work/undefined" | sort -u | while read -r symbol; do
        echo "--wrap=$symbol --defsym=__wrap_$symbol=$2 -u $2"
    done
}

quietly "${NM:-nm}" --undefined-only "$work/rust.a"
mv "$work/said" "$work/undefined"
{
    sed 's/^/-u /' "$work/names"
    replace rust_begin_unwind rust_panicked
    replace __rust_alloc_error_handler rust_no_memory
} > "$work/options"

# Only the crate's own objects keep their debug information: that of the standard library
# is larger than all code.  In the names of other objects a crate and its hash stand at
# the beginning or behind the first dot.
mkdir "$work/own"
for member in $("$ar" t "$work/rust.a" | grep '^ngx_ipc-[^.]*\.[^.-]*\.' | sort -u); do
    "$ar" p "$work/rust.a" "$member" > "$work/own/$member"
    quietly "$ar" d "$work/rust.a" "$member"
done
quietly "$objcopy" --strip-debug "$work/rust.a"

# If another library has the same group of sections, the linker keeps only one of the
# two groups.  Local symbols of the other library would then refer to sections that
# are gone.  So no section stays in a group.
#
# shellcheck disable=SC2046
quietly "${LD:-ld}" -r --gc-sections --force-group-allocation \
    $(cat "$work/options") -o "$work/merged.o" \
    $(find "$work/own" -type f | LC_ALL=C sort) "$work/rust.a" \
    ${NGX_IPC_UNWIND:+"$NGX_IPC_UNWIND"}

# The code that spawns processes and writes to channels lies side by side.  A new
# process has no page tables for the code: each group of pages that it uses costs a page
# fault.  In the names of Rust a module stands behind the length of its name.  Each
# function keeps a section of its own, so that --gc-sections leaves it out of a program
# that does not call it.  The linker places the sections .text.hot.* side by side.
#
# Small variables come first, sorted by size, and then the tables of all slots.
# After fork() the kernel copies a page when a process writes to it.  The variables
# that a spawn changes are small ones, so they lie in one page.
quietly "${READELF:-readelf}" -SW "$work/merged.o"
sed -n 's/^ *\[ *[0-9]*\] *\.text\.\([^ ]*\) *PROGBITS .*/\1/p' "$work/said" > "$work/functions"
{
    echo 'SECTIONS {'
    for module in '^ngx_' 7ngx_ipc7process 7ngx_ipc7channel 7ngx_ipc3sys 7ngx_ipc5table \
                  7ngx_ipc3log 7ngx_ipc4host5spawn '7ngx_ipc4host.*5hooks' \
                  '7ngx_ipc4host.*standalone5spawn'; do
        grep -e "$module" "$work/functions" || true
    done | awk '!seen[$0]++ { print " .text.hot." $0 " 0 : { *(.text." $0 ") }" }'
    echo ' .bss 0 : ALIGN(4096) {'
    sed -n 's/^ *\[ *[0-9]*\] *\(\.bss\.[^ ]*\) *NOBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\2 *(\1)/p' \
        "$work/said" | LC_ALL=C sort | sed 's/^[^ ]* //'
    echo '} }'
} > "$work/sorted.ld"
quietly "${LD:-ld}" -r -T "$work/sorted.ld" -o "$work/sorted.o" "$work/merged.o"

# src/sys/name_service.rs refers to some functions of the C library as weak symbols.
# Code that was left out refers to them too, and makes the symbols strong.
quietly "${NM:-nm}" "$work/sorted.o"
sed -n 's/.* [a-zA-Z] weak_\(.*\)$/--weaken-symbol=\1/p' "$work/said" > "$work/weak"
# shellcheck disable=SC2046
quietly "$objcopy" --keep-global-symbols="$work/names" $(cat "$work/weak") \
    "$work/sorted.o" "$work/members/ngx_ipc.o"

case ${NGX_IPC_DEBUG:-1} in
    0) quietly "${STRIP:-strip}" --strip-debug "$work"/members/*.o ;;
esac

# D: the archive contains no times and no owners of files, so each build is the same
rm -f "$to"
quietly "$ar" rcsD "$to" "$work"/members/*.o
