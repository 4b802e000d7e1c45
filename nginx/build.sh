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

# build NAME [OPTION...]
build()
{
    name=$1
    shift

    rm -f "$dir/$name/nginx"

    # nginx has no other way to take flags, and they may have several words
    # shellcheck disable=SC2086
    (
        cd "$dir/src"
        sh "$configure" --builddir="../$name" --with-cc="${CC:-cc}" \
            --with-cc-opt="${CFLAGS:--O2 -g}" --with-ld-opt="${LDFLAGS:-}" $options "$@"
        make -j2 -f "../$name/Makefile" build
    ) > "$dir/$name.log" 2>&1 || {
        tail -n 40 "$dir/$name.log" >&2
        echo "$0: building $name failed, see $dir/$name.log" >&2
        exit 1
    }
}

[ -f "$dir/src/src/core/nginx.c" ] || sh "$here/fetch.sh" "$version" "$dir/src"

if [ -f "$dir/src/configure" ]; then configure=./configure; else configure=auto/configure; fi

mkdir -p "$dir/stock" "$dir/ipc" "$dir/prefix"

# The stock one changes only with what it is made of.
stamp="${CC:-cc} ${CFLAGS:-} ${LDFLAGS:-} ${CONFIGURE:-}"
if [ ! -x "$dir/stock/nginx" ] || [ "$(cat "$dir/stock/stamp")" != "$stamp" ]; then
    build stock
    echo "$stamp" > "$dir/stock/stamp"
fi

build ipc --add-module="$here" --add-dynamic-module="$here/status"

echo "$dir/stock/nginx"
echo "$dir/ipc/nginx"
