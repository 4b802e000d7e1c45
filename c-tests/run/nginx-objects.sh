#!/bin/sh

# nginx-objects.sh DIR [fast]: nginx's own objects, for programs to link with.
#
# Leaves in DIR:
#
#   nginx/               nginx's sources, configured and built
#   libnginx.a           its objects; main() is called nginx_main() in it, and
#                        the static functions listed below are global
#   shmem_devzero.o      ngx_shmem.c as built where there is no MAP_ANON
#   shmem_sysv.o         ... and where there is only System V shared memory
#
# The tests want them with debug lines and as they are written; "fast" is what
# a user of nginx builds, and has no static function made global.
#
# Does nothing when DIR/libnginx.a is newer than this script.  The sources
# come from nginx/fetch.sh.

set -eu

STATICS="ngx_channel_handler ngx_pass_open_channel ngx_reap_children
         ngx_signal_worker_processes ngx_start_worker_processes
         ngx_worker_process_cycle"


fail()
{
    echo "$0: $*" >&2
    exit 1
}


# The output of a step is shown only when the step fails.
quietly()
{
    what=$1
    shift

    if ! "$@" > "$DIR/step.log" 2>&1; then
        tail -n 40 "$DIR/step.log" >&2
        fail "$what failed"
    fi
}


build()
{
    cd "$DIR/nginx"

    # shellcheck disable=SC2086
    quietly "auto/configure" sh auto/configure $OPTIONS \
        --without-http_rewrite_module --without-http_gzip_module \
        --with-cc-opt="$OPTIMIZE -g"

    quietly "make" make -f objs/Makefile
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
    quietly "ar" ar rcs "$DIR/libnginx.tmp" "$DIR"/objs/*.o
}


# shmem OBJECT MACRO...: ngx_shmem.c as if the macros had not been found.
shmem()
{
    object=$1
    shift

    rm -rf "$DIR/config"
    mkdir "$DIR/config"
    cp "$DIR/nginx/objs/ngx_auto_config.h" \
       "$DIR/nginx/objs/ngx_auto_headers.h" "$DIR/config"

    for macro; do
        printf '#undef %s\n' "$macro" >> "$DIR/config/ngx_auto_config.h"
    done

    src="$DIR/nginx/src"
    quietly "$object" "${CC:-cc}" -c $OPTIMIZE -g -I "$DIR/config" -I "$src/core" \
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

case $0 in
    /*) SELF=$0 ;;
    *)  SELF=$PWD/$0 ;;
esac

# shellcheck disable=SC3013
if [ -f "$DIR/libnginx.a" ] && [ "$DIR/libnginx.a" -nt "$SELF" ]; then
    exit 0
fi

rm -f "$DIR/libnginx.a"

sh "$(dirname "$SELF")/../../nginx/fetch.sh" 1.28.3 "$DIR/nginx"
build
archive
shmem shmem_devzero.o NGX_HAVE_MAP_ANON
shmem shmem_sysv.o NGX_HAVE_MAP_ANON NGX_HAVE_MAP_DEVZERO

# last, since it marks the work as done
mv "$DIR/libnginx.tmp" "$DIR/libnginx.a"
rm -rf "$DIR/objs" "$DIR/config" "$DIR/step.log"
