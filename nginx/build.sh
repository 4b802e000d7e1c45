#!/bin/sh

# build.sh VERSION DIR: nginx of that version (see fetch.sh) as it is, and on
# the library.  Leaves in DIR:
#
#   src/            its sources
#   stock/nginx     the program, as it always was
#   ipc/nginx       the same with nginx/config added
#   ipc/*.so        ... and its module, dynamically
#
# CC, CFLAGS and LDFLAGS are for both, and so is what CONFIGURE adds.

set -eu

version=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

options="--with-compat --with-debug --with-threads --with-stream
         --with-http_stub_status_module --prefix=$dir/prefix ${CONFIGURE:-}"

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
    stamp="${CC:-cc} ${CFLAGS:-} ${LDFLAGS:-} $options $*"

    if [ "$stamp" = "$(cat "$dir/$name/stamp" 2> /dev/null)" ] \
        && [ -z "$(find "$here" -newer "$dir/$name/stamp" -name 'config')" ]
    then
        return 0
    fi

    # nginx has no other way to take flags, and they may have several words
    # shellcheck disable=SC2086
    (
        cd "$dir/src"
        quietly "$name" sh "$configure" --builddir="../$name" --with-cc="${CC:-cc}" \
            --with-cc-opt="${CFLAGS:--O2 -g}" --with-ld-opt="${LDFLAGS:-}" $options "$@"
    )

    echo "$stamp" > "$dir/$name/stamp"
}

# build NAME
build()
{
    (cd "$dir/src" && quietly "$1" make -j2 -f "../$1/Makefile" build)
}

# library: brings the library up to date, as nginx/config does when it is new
library()
{
    (
        set +u
        # shellcheck disable=SC2034
        ngx_addon_dir=$here NGX_OBJS=$dir/ipc
        . "$here/archive.sh"
    )
}

[ -f "$dir/src/src/core/nginx.c" ] || sh "$here/fetch.sh" "$version" "$dir/src"

if [ -f "$dir/src/configure" ]; then configure=./configure; else configure=auto/configure; fi

mkdir -p "$dir/stock" "$dir/ipc" "$dir/prefix"

configure stock
build stock

configure ipc --add-module="$here" --add-dynamic-module="$here/status"
quietly ipc library
build ipc

echo "$dir/stock/nginx"
echo "$dir/ipc/nginx"
