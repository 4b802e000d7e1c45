#!/bin/sh

# nginx-objects.sh DIR [fast]: builds nginx's own objects, with which test
# programs are linked.  Creates in DIR:
#
#   nginx/               nginx's sources, configured and built
#   libnginx.a           nginx's objects. main() is renamed to nginx_main(), and
#                        the static functions that STATICS lists are global
#   shmem_BACKEND.o      ngx_shmem.c, compiled as on a system without the
#                        features of better backends; for each backend of
#                        src/shmem/backends but the best
#
# Without "fast", for tests: a debug build without optimization.  With "fast",
# for benchmarks: a build as users of nginx have it, whose static functions
# stay static.
#
# Does nothing if DIR/libnginx.a is up to date.  nginx/fetch.sh provides the
# sources.

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


# shmem BACKEND: compiles ngx_shmem.c as if configure had found none of the
# features of better backends
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
        # With optimization, the compiler can inline the static functions that
        # are to become global.
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

# The last step: the file libnginx.a shows the next run that all is built.
mv "$DIR/libnginx.tmp" "$DIR/libnginx.a"
rm -rf "$DIR/objs" "$DIR/config" "$DIR/step.log"
