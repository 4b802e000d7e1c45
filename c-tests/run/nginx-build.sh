#!/bin/sh

# nginx-build.sh VERSION DIR [VARIANT]: nginx of that version (see nginx/fetch.sh) as it
# is, and on the library.  Leaves in DIR:
#
#   src/            its sources
#   stock/nginx     the program, as it always was
#   ipc/nginx       the same with nginx/config added
#   ipc/*.so        ... and its module, dynamically
#
# With a variant, nothing but ipc-VARIANT/, which is ipc/ in another way:
#
#   asan            nginx and the glue with AddressSanitizer, its pools in pieces
#                   that are checked one by one; Rust has none
#   BACKEND         this backend of shared memory, one of src/shmem/backends
#
# CC, CFLAGS and LDFLAGS are for all, and so is what CONFIGURE adds.  The module
# is built in with ADD_STATUS=--add-module.

set -eu

version=$1
variant=${3:-}
mkdir -p "$2"
dir=$(cd "$2" && pwd)

. "$(dirname "$0")/../run/backends.sh"

addon=$top/nginx

options="--with-compat --with-debug --with-threads --with-stream
         --with-http_stub_status_module --prefix=$dir/prefix ${CONFIGURE:-}"
cflags=${CFLAGS:--O2 -g}
ldflags=${LDFLAGS:-}

# quietly NAME COMMAND...: the output of a step is shown if it fails
quietly()
{
    name=$1
    shift

    if ! "$@" > "$dir/$name.log" 2>&1; then
        tail -n 40 "$dir/$name.log" >&2
        echo "$0: building $name failed, see $dir/$name.log" >&2
        exit 1
    fi
}

# configure NAME [OPTION...]: unless it has been configured so before
configure()
{
    name=$1
    shift
    stamp="${CC:-cc} $cflags $ldflags $options $*"

    if [ "$stamp" = "$(cat "$dir/$name/stamp" 2> /dev/null)" ] \
        && [ -z "$(find "$addon" -newer "$dir/$name/stamp" -name 'config')" ]
    then
        return 0
    fi

    # nginx has no other way to take flags, and they may have several words
    # shellcheck disable=SC2086
    (
        cd "$dir/src"
        quietly "$name" sh "$configure" --builddir="../$name" --with-cc="${CC:-cc}" \
            --with-cc-opt="$cflags" --with-ld-opt="$ldflags" $options "$@"
    )

    echo "$stamp" > "$dir/$name/stamp"
}

# build NAME
build()
{
    (cd "$dir/src" && quietly "$1" make -j2 -f "../$1/Makefile" build)
}

# library NAME: brings it up to date, as nginx/config does when it is new
library()
{
    (
        set +u
        # shellcheck disable=SC2034
        ngx_addon_dir=$addon NGX_OBJS=$dir/$1
        . "$addon/archive.sh"
    )
}

# on_library NAME: nginx with nginx/config added
on_library()
{
    mkdir -p "$dir/$1"
    configure "$1" --add-module="$addon" "${ADD_STATUS:---add-dynamic-module}=$addon/status"
    quietly "$1" library "$1"
    build "$1"
    built "on ngx-ipc" "$1"
}

# built HOW NAME: says so
built()
{
    echo "$("$dir/$2/nginx" -v 2>&1 | sed 's/.*: //') $1: $dir/$2/nginx"
}

# vary VARIANT: how it is to be built; a library of its own is not to make
# the usual one out of date
vary()
{
    case $1 in
        asan)
            cflags="-O1 -g -fsanitize=address -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1"
            ldflags="-fsanitize=address"
            return 0
        ;;
        *)
            choose_backend "$1" || { echo "$0: no variant $1" >&2; exit 1; }
        ;;
    esac

    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$top/target}/$1"
}

[ -f "$dir/src/src/core/nginx.c" ] || sh "$addon/fetch.sh" "$version" "$dir/src"

if [ -f "$dir/src/configure" ]; then configure=./configure; else configure=auto/configure; fi

mkdir -p "$dir/prefix"

if [ -n "$variant" ]; then
    vary "$variant"
    on_library "ipc-$variant"
    exit 0
fi

mkdir -p "$dir/stock"
configure stock
build stock
built "as it is" stock

on_library ipc
