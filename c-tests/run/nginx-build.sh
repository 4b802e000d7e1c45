#!/bin/sh

# nginx-build.sh VERSION DIR [VARIANT]: builds this version of nginx twice:
# stock, and with the library.  VERSION is one of the versions that
# nginx/fetch.sh knows.  Creates in DIR:
#
#   src/            nginx's sources
#   stock/nginx     the stock nginx
#   loaded/*.so     for the stock nginx: ngx_ipc_module.so, which brings the library, and
#                   nginx's own ngx_mail_module.so
#   ipc/nginx       nginx with the add-on nginx/config, which links the library
#   ipc/*.so        the status module, and the module of nginx/messages
#
# If VARIANT is given, builds only ipc-VARIANT/, which differs from ipc/:
#
#   asan            nginx and the add-on's C code have AddressSanitizer, and
#                   each allocation of a pool is a malloc() of its own; the Rust
#                   code does not change
#   BACKEND         the library has this backend, one of src/shmem/backends
#
# If VARIANT is release, builds stock-release/ and loaded-release/, which differ from stock/
# and loaded/: they have no debug log.
#
# CC, CFLAGS, LDFLAGS and the options in CONFIGURE are used for each nginx.
# With ADD_STATUS=--add-module the status module is static.

set -eu

version=$1
variant=${3:-}
mkdir -p "$2"
dir=$(cd "$2" && pwd)

. "$(dirname "$0")/../run/backends.sh"
. "$(dirname "$0")/../run/quietly.sh"

addon=$top/nginx

options="--with-compat --with-debug --with-threads --with-stream --with-poll_module
         --with-select_module
         --with-http_stub_status_module --prefix=$dir/prefix ${CONFIGURE:-}"

# Its SSL module uses functions that newer versions of OpenSSL have deprecated.
[ "$version" = bullseye ] || options="$options --with-http_ssl_module"

cflags=${CFLAGS:--O2 -g}
ldflags=${LDFLAGS:-}

# configure NAME [OPTION...]: configures nginx in DIR/NAME, unless it has been
# configured with these options already
configure()
{
    name=$1
    shift
    stamp="${CC:-cc} $cflags $ldflags $options $*"

    if [ "$stamp" = "$(cat "$dir/$name/stamp" 2> /dev/null)" ] \
        && [ -z "$(find "$addon" -newer "$dir/$name/stamp" -type f ! -name '*.[ch]' ! -name 'page.*')" ]
    then
        return 0
    fi

    # An object of a file that is not compiled any more would stay there.
    find "$dir/$name" -name '*.o' -delete

    # configure splits $options at spaces, so flags with spaces in them, such
    # as "-O2 -g", are passed in options of their own.
    # shellcheck disable=SC2086
    (
        cd "$dir/src"
        quietly "$dir/$name.log" sh "$configure" --builddir="../$name" --with-cc="${CC:-cc}" \
            --with-cc-opt="$cflags" --with-ld-opt="$ldflags" $options "$@"
    )

    echo "$stamp" > "$dir/$name/stamp"
}

# build NAME [TARGET]: compiles nginx in DIR/NAME, or with the target "modules" only its
# dynamic modules
build()
{
    (cd "$dir/src" && quietly "$dir/$1.log" make -j2 -f "../$1/Makefile" "${2:-build}")
}

# library NAME: builds the library for DIR/NAME as nginx/config does, if it has
# changed
library()
{
    (
        set +u
        # shellcheck disable=SC2034
        ngx_addon_dir=$addon NGX_OBJS=$dir/$1 CFLAGS="-g $cflags"
        . "$addon/archive.sh"
    )
}

# on_library NAME: configures and builds nginx with the add-on in DIR/NAME
on_library()
{
    mkdir -p "$dir/$1"
    configure "$1" --add-module="$addon" "${ADD_STATUS:---add-dynamic-module}=$addon/status" \
        --add-dynamic-module="$addon/messages"
    quietly "$dir/$1.log" library "$1"
    build "$1"
    built "on ngx-ipc" "$1"
}

# unmodified STOCK LOADED: configures and builds a stock nginx in DIR/STOCK, and in
# DIR/LOADED the modules that it loads
unmodified()
{
    mkdir -p "$dir/$1" "$dir/$2"
    configure "$1"
    build "$1"
    built "stock" "$1"

    configure "$2" --with-mail=dynamic --add-dynamic-module="$addon/messages"
    quietly "$dir/$2.log" library "$2"
    build "$2" modules
}

# built HOW NAME: prints the version, the kind and the path of the nginx in
# DIR/NAME
built()
{
    echo "$("$dir/$2/nginx" -v 2>&1 | sed 's/.*: //') $1: $dir/$2/nginx"
}

# vary VARIANT: sets the options of the variant.  The library of another
# backend is built in a directory of its own, so that the usual one is not
# rebuilt
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

if [ "$variant" = release ]; then
    options=$(printf '%s\n' "$options" | sed 's/--with-debug //')
    unmodified stock-release loaded-release
    exit 0
fi

if [ -n "$variant" ]; then
    vary "$variant"
    on_library "ipc-$variant"
    exit 0
fi

unmodified stock loaded
on_library ipc
