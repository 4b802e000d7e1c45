#!/bin/sh

# nginx-objects.sh DIR [fast]: nginx's own objects, for programs to link with.
#
# Leaves in DIR:
#
#   nginx/               nginx's sources, configured and built
#   libnginx.a           its objects; main() is called nginx_main() in it, and
#                        the static functions listed below are global
#   shmem_BACKEND.o      ngx_shmem.c as it is built on a system without the
#                        features of better backends, for each such backend in
#                        src/shmem/backends
#
# The tests use a debug build without optimization.  "fast" builds what users
# of nginx build, for benchmarks, and makes no static function global.
#
# Does nothing when DIR/libnginx.a is up to date.  The sources come from
# nginx/fetch.sh.

set -eu

STATICS="ngx_channel_handler ngx_pass_open_channel ngx_reap_children
         ngx_signal_worker_processes ngx_start_worker_processes
         ngx_worker_process_cycle"


. "$(dirname "$0")/../run/backends.sh"
. "$(dirname "$0")/../run/quietly.sh"


fail()
{
    echo "$0: $*" >&2
    exit 1
}


build()
{
    cd "$DIR/nginx"

    # shellcheck disable=SC2086
    quietly "$DIR/step.log" sh auto/configure $OPTIONS \
        --without-http_rewrite_module --without-http_gzip_module \
        --with-cc-opt="$OPTIMIZE -g"

    quietly "$DIR/step.log" make -f objs/Makefile
}


archive()
{
    rm -rf "$DIR/objs"
    mkdir "$DIR/objs"
    find "$DIR/nginx/objs" -name '*.o' -exec cp '{}' "$DIR/objs" ';'

    objcopy --redefine-sym main=nginx_main "$DIR/objs/nginx.o"

    for symbol in $STATICS; do
        nm "$DIR/objs/ngx_process_cycle.o" | grep -q " t $symbol\$" \
            || fail "no static function $symbol"
        objcopy --globalize-symbol="$symbol" "$DIR/objs/ngx_process_cycle.o"
    done

    rm -f "$DIR/libnginx.tmp"
    quietly "$DIR/step.log" ar rcs "$DIR/libnginx.tmp" "$DIR"/objs/*.o
}


# shmem BACKEND: ngx_shmem.c as if configure had not found the better ones.
shmem()
{
    object=shmem_$1.o

    rm -rf "$DIR/config"
    mkdir "$DIR/config"
    cp "$DIR/nginx/objs/ngx_auto_config.h" \
       "$DIR/nginx/objs/ngx_auto_headers.h" "$DIR/config"

    for macro in $(features_before "$1"); do
        printf '#undef %s\n' "$macro" >> "$DIR/config/ngx_auto_config.h"
    done

    src="$DIR/nginx/src"
    quietly "$DIR/step.log" "${CC:-cc}" -c $OPTIMIZE -g -I "$DIR/config" -I "$src/core" \
        -I "$src/event" -I "$src/event/modules" -I "$src/os/unix" \
        -o "$DIR/$object" "$src/os/unix/ngx_shmem.c"
}


case $#:${2:-} in
    1:)
        # -O0 keeps the static functions that are to be made global
        OPTIONS=--with-debug
        OPTIMIZE=-O0
    ;;
    2:fast)
        OPTIONS=
        OPTIMIZE=-O2
        STATICS=
    ;;
    *) fail "usage: $0 DIR [fast]" ;;
esac

mkdir -p "$1"
DIR=$(cd "$1" && pwd)

if [ -f "$DIR/libnginx.a" ] \
    && [ -z "$(find "$0" "$top/src/shmem/backends" -newer "$DIR/libnginx.a")" ]
then
    exit 0
fi

rm -f "$DIR/libnginx.a"

sh "$top/nginx/fetch.sh" 1.28.3 "$DIR/nginx"
build
archive

for backend in $(backends); do
    [ -z "$(features_before "$backend")" ] || shmem "$backend"
done

# last, since it marks the work as done
mv "$DIR/libnginx.tmp" "$DIR/libnginx.a"
rm -rf "$DIR/objs" "$DIR/config" "$DIR/step.log"
