#!/bin/sh

# nginx-build.sh VERSION DIR [VARIANT]: builds nginx of this version, stock and
# on the library.  The versions are those of nginx/fetch.sh.  Creates in DIR:
#
#   src/            the sources
#   stock/nginx     the stock program
#   ipc/nginx       the program with the add-on nginx/config
#   ipc/*.so        the status module
#
# With a variant, only ipc-VARIANT/ is built, which differs from ipc/:
#
#   asan            nginx and the glue have AddressSanitizer, and each allocation
#                   of a pool is a malloc() of its own; the Rust code is the same
#   BACKEND         the library has this backend, one of src/shmem/backends
#
# CC, CFLAGS, LDFLAGS and the options in CONFIGURE are used for all programs.
# With ADD_STATUS=--add-module the status module is static.

set -eu

version=$1
variant=${3:-}
mkdir -p "$2"
dir=$(cd "$2" && pwd)

. "$(dirname "$0")/../run/backends.sh"
. "$(dirname "$0")/../run/quietly.sh"

addon=$top/nginx

options="--with-compat --with-debug --with-threads --with-stream
         --with-http_stub_status_module --prefix=$dir/prefix ${CONFIGURE:-}"
cflags=${CFLAGS:--O2 -g}
ldflags=${LDFLAGS:-}

# configure NAME [OPTION...]: unless it is already configured with these options
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

    # flags of several words can be passed to nginx only in this way
    # shellcheck disable=SC2086
    (
        cd "$dir/src"
        quietly "$dir/$name.log" sh "$configure" --builddir="../$name" --with-cc="${CC:-cc}" \
            --with-cc-opt="$cflags" --with-ld-opt="$ldflags" $options "$@"
    )

    echo "$stamp" > "$dir/$name/stamp"
}

# build NAME
build()
{
    (cd "$dir/src" && quietly "$dir/$1.log" make -j2 -f "../$1/Makefile" build)
}

# library NAME: builds the library as nginx/config does, if it has changed
library()
{
    (
        set +u
        # shellcheck disable=SC2034
        ngx_addon_dir=$addon NGX_OBJS=$dir/$1 CFLAGS="-g $cflags"
        . "$addon/archive.sh"
    )
}

# on_library NAME: builds nginx with the add-on
on_library()
{
    mkdir -p "$dir/$1"
    configure "$1" --add-module="$addon" "${ADD_STATUS:---add-dynamic-module}=$addon/status"
    quietly "$dir/$1.log" library "$1"
    build "$1"
    built "on ngx-ipc" "$1"
}

# built HOW NAME: prints what was built
built()
{
    echo "$("$dir/$2/nginx" -v 2>&1 | sed 's/.*: //') $1: $dir/$2/nginx"
}

# vary VARIANT: sets the options of the variant; another library is built in its
# own directory
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
built "stock" stock

on_library ipc
