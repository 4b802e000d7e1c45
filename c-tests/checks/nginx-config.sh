#!/bin/sh

# nginx-config.sh [PART...]: checks that nginx's configure works with
# nginx/config and any of its other options, and that it prints the reason if
# it stops.  Without arguments all parts run.  The part "builds" takes some
# minutes:
#
#   builds    builds nginx with other options, and in other environments
#   stops     configure stops, because something that it needs is missing
#   asserts   the compiler stops, because nginx's structures are not those that
#             the library was written for

. "$(dirname "$0")/../harness/tap.sh"

add=--add-module=$top/nginx

# The files that the library replaces, and those of them that are replaced together.
zones="src/core/ngx_shmtx.c src/core/ngx_slab.c src/core/ngx_rwlock.c"
files="src/os/unix/ngx_process.c src/os/unix/ngx_channel.c src/os/unix/ngx_shmem.c $zones"

# Options that leave out parts of nginx that these tests do not need.
small="--without-http"
http="--without-http_rewrite_module --without-http_gzip_module"

# tree: puts a fresh copy of nginx's sources in $tmp/nginx
tree()
{
    if [ ! -d "$tmp/fetched" ]; then
        sh "$top/nginx/fetch.sh" 1.28.3 "$tmp/fetched" || return 1
    fi

    rm -rf "$tmp/nginx"
    cp -R "$tmp/fetched" "$tmp/nginx"
}

# configure OPTION...: runs configure in $tmp/nginx; its output is in
# $tmp/configured
configure()
{
    (cd "$tmp/nginx" && sh auto/configure "$@") > "$tmp/configured" 2>&1 \
        || { tail -n 20 "$tmp/configured"; return 1; }
}

# compile [DIRECTORY [ARGUMENT...]]: runs make in $tmp/nginx with the Makefile
# in DIRECTORY, which is "objs" if it is omitted
compile()
{
    objs=${1:-objs}
    [ $# -eq 0 ] || shift
    make -s -j2 -C "$tmp/nginx" -f "$objs/Makefile" "$@" > "$tmp/made" 2>&1 \
        || { tail -n 20 "$tmp/made"; return 1; }
}

# builds OPTION...: configures and compiles a fresh copy of nginx with these
# options
builds()
{
    builddir=objs
    for option; do
        case $option in --builddir=*) builddir=${option#*=} ;; esac
    done

    tree && configure "$@" && compile "$builddir" && "$tmp/nginx/$builddir/nginx" -V
}

# replaced [DIRECTORY]: succeeds if nginx's six files were not compiled, and
# the program has the symbols of the library
# shellcheck disable=SC2120
replaced()
{
    objs=$tmp/nginx/${1:-objs}

    for file in $files; do
        [ ! -f "$objs/${file%.c}.o" ] || return 1
    done

    for symbol in ngx_spawn_process ngx_write_channel ngx_shm_alloc ngx_shmtx_lock ngx_slab_alloc \
                  ngx_rwlock_wlock ngx_ipc_next_process
    do
        nm "$objs/nginx" | grep -q " T $symbol\$" || { echo "no $symbol"; return 1; }
    done
}

# stops MESSAGE OPTION...: succeeds if configure fails and prints the message
stops()
{
    message=$1
    shift

    if configure "$@"; then
        echo "configure succeeded"
        return 1
    fi

    grep -q "$message" "$tmp/configured" || { cat "$tmp/configured"; return 1; }
}

said()
{
    grep -q "$1" "$tmp/configured" || { cat "$tmp/configured"; return 1; }
}

# changed FILE: unpacks a tree of nginx, and adds a function to the file
changed()
{
    tree
    printf 'void\nngx_added(void)\n{\n}\n' >> "$tmp/nginx/$1"
}

# kept FILE...: succeeds if configure has kept nginx's own files, and has replaced the
# others
kept()
{
    for file in $files; do
        case " $* " in
            *" $file "*)
                said "^ + $file is kept" && grep -q "${file%.c}\.o" "$tmp/nginx/objs/Makefile"
            ;;
            *)
                said "^ + $file is replaced" && ! grep "${file%.c}\.o" "$tmp/nginx/objs/Makefile"
            ;;
        esac || { echo "$file"; return 1; }
    done
}

# foreign: creates $tmp/cc, a compiler whose programs cannot run on this machine
foreign()
{
    cat > "$tmp/cc" << 'END'
#!/bin/sh
gcc "$@" || exit
[ ! -x objs/autotest ] || printf '#!/bin/sh\nexit 126\n' > objs/autotest
END
    chmod +x "$tmp/cc"
}

# compiles_with_nginx SOURCE: checks the source with the headers of nginx, and with those
# that the add-on has added
compiles_with_nginx()
{
    (cd "$tmp/nginx" && gcc -fsyntax-only -Isrc/core -Isrc/event -Isrc/event/modules \
         -Isrc/os/unix -Iobjs -Iobjs/ngx_ipc/include "$1")
}

# has_atomic_operations: succeeds if the locks of this nginx are not locks of files
has_atomic_operations()
{
    cat > "$tmp/atomic.c" << 'END'
#include <ngx_config.h>
#include <ngx_core.h>
#if !(NGX_HAVE_ATOMIC_OPS)
#error this nginx has no atomic operations
#endif
END
    compiles_with_nginx "$tmp/atomic.c"
}

# no_typed_zones: succeeds if ngx_ipc_zone.h does not compile, and says why
no_typed_zones()
{
    for header in config core ipc_zone; do echo "#include <ngx_$header.h>"; done > "$tmp/typed.c"

    ! compiles_with_nginx "$tmp/typed.c" 2> "$tmp/errors" \
        && grep -q 'this nginx has kept its own zones' "$tmp/errors"
}

# own_zones: builds nginx with its own files of zones, and compares the functions of a lock
# in the program with those of its own objects
own_zones()
{
    NGX_IPC_KEEP="other zones" builds $small "$add" > /dev/null && kept $zones || return 1

    for symbol in ngx_shmtx_lock ngx_slab_alloc ngx_rwlock_wlock; do
        # The sizes are those of nginx's functions.
        size=$(readelf -sW "$tmp/nginx/objs/src/core/"*.o \
                   | awk -v "s=$symbol" '$8 == s && $7 != "UND" { print $3 }')
        readelf -sW "$tmp/nginx/objs/nginx" \
            | awk -v "s=$symbol" -v "n=$size" '$8 == s && $3 == n { found = 1 } END { exit !found }' \
            || { echo "$symbol is not nginx's"; return 1; }
    done
}

# documented: runs the commands of docs/nginx.md and "make install" in a new
# clone of the project
documented()
{
    awk '/^## / { on = /^## Build$/ } on && /^```/ { n++; next } on && n == 1
         END { print "make install" }' "$top/docs/nginx.md" > "$tmp/lines"

    git clone -q "$top" "$tmp/clone" || return 1
    (cd "$tmp/clone" && DESTDIR="$tmp/root" sh -ex "$tmp/lines") > "$tmp/made" 2>&1 \
        || { tail -n 20 "$tmp/made"; return 1; }

    "$tmp/root/usr/local/nginx/sbin/nginx" -V
}

# other_addon NAME: creates a module whose config file has the form of older
# versions of nginx; prints the option of configure that adds it
other_addon()
{
    mkdir -p "$tmp/$1"
    cat > "$tmp/$1/config" << END
ngx_addon_name=$1
CORE_MODULES="\$CORE_MODULES $1"
NGX_ADDON_SRCS="\$NGX_ADDON_SRCS \$ngx_addon_dir/$1.c"
END
    cat > "$tmp/$1/$1.c" << END
#include <ngx_config.h>
#include <ngx_core.h>
static ngx_core_module_t  $1_ctx = { ngx_string("$1"), NULL, NULL };
ngx_module_t  $1 = { NGX_MODULE_V1, &$1_ctx, NULL, NGX_CORE_MODULE, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING };
END
    echo "--add-module=$tmp/$1"
}

# The modules of examples/ that send messages.
examples="ngx_http_purge_module ngx_http_health_module ngx_http_blocklist_module
          ngx_http_setting_module"

# add_examples OPTION: makes a directory for each of these modules, with the file "config" of
# docs/nginx.md; prints the options of configure that add them, OPTION=DIRECTORY
add_examples()
{
    for name in $examples; do
        mkdir -p "$tmp/$name"
        cp "$top/examples/$name.c" "$tmp/$name"
        awk '/^ngx_addon_name=/ { on = 1 } on && /^```/ { exit } on' "$top/docs/nginx.md" \
            | sed "s/ngx_http_purge_module/$name/" > "$tmp/$name/config"
        echo "$1=$tmp/$name"
    done
}

# loads NAME...: succeeds if the nginx loads these dynamic modules in this order
loads()
{
    mkdir -p "$tmp/prefix/logs"
    for name; do echo "load_module $tmp/nginx/objs/$name.so;"; done > "$tmp/conf"
    echo 'events { } http { }' >> "$tmp/conf"

    "$tmp/nginx/objs/nginx" -t -p "$tmp/prefix" -c "$tmp/conf"
}

# modules NAME...: succeeds if the program contains these modules
modules()
{
    for name; do
        grep -q "&$name," "$tmp/nginx/objs/ngx_modules.c" || { echo "no $name"; return 1; }
    done
}

# strict COMPILER: compiles the C files that this project adds to nginx with
# more warnings than nginx's own options have
strict()
{
    directories=
    for directory in src/core src/event src/event/modules src/event/quic src/os/unix src/http \
                  src/http/modules objs
    do
        directories="$directories -isystem $directory"
    done

    for source in nginx/ngx_ipc_host.c nginx/ngx_ipc_loaded.c nginx/ngx_ipc_log.c \
                  nginx/ngx_ipc_messages.c nginx/ngx_ipc_messages_event.c \
                  nginx/ngx_ipc_keep_zones.c nginx/ngx_ipc_zone_content.c \
                  nginx/ngx_ipc_zone_list.c \
                  nginx/status/ngx_http_ipc_status_module.c \
                  nginx/status/ngx_ipc_status.c nginx/status/ngx_ipc_status_page.c \
                  nginx/status/ngx_counters_module.c \
                  $(cd "$top" && echo nginx/messages/*.c) \
                  $(printf 'examples/%s.c ' $examples)
    do
        # shellcheck disable=SC2086
        (
            cd "$tmp/nginx" && "$1" -c -o "$tmp/o" -O2 -Wall -Wextra -Werror \
                -Wno-unused-parameter $directories -Iobjs/ngx_ipc/include \
                "-I$top/nginx" "-I$top/nginx/status" "$top/$source"
        ) || return 1
    done
}

# refuses FILE SED: changes FILE of nginx; succeeds if an assertion then stops
# the compiler
refuses()
{
    cp "$tmp/fetched/$1" "$tmp/nginx/$1"
    sed -i "$2" "$tmp/nginx/$1"
    ! cmp -s "$tmp/fetched/$1" "$tmp/nginx/$1" || { echo "no such line"; return 1; }

    not_compiled=0
    compile objs objs/addon/nginx/ngx_ipc_host.o objs/addon/nginx/ngx_ipc_log.o || not_compiled=1

    cp "$tmp/fetched/$1" "$tmp/nginx/$1"
    [ $not_compiled -eq 1 ] && grep -q "ngx_ipc_assert_\|array is negative" "$tmp/made"
}

# read_only OPTION...: builds nginx while this project is mounted read-only,
# and so cannot be written to
read_only()
{
    tree || return 1

    unshare -m sh -c '
        mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
        ! touch "$1/nginx/config" 2> /dev/null || exit 77
        cd "$2" && shift 2 && exec sh auto/configure "$@"
    ' sh "$top" "$tmp/nginx" "$@" > "$tmp/configured" 2>&1
    code=$?
    [ "$code" -eq 0 ] || { cat "$tmp/configured"; return "$code"; }

    compile && replaced
}

no_mounts()
{
    ! unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"' sh "$tmp" \
        2> /dev/null
}

test_builds()
{
    ok "in nginx's tree" builds $small "$add"
    ok "the six files are replaced" replaced
    ok "configure prints the cargo that it found" said 'checking for cargo ... found (cargo'
    ok "configure prints that the library was built" said 'building ngx_ipc ... done'

    archive=$tmp/libngx_ipc_nginx.a
    cp "$tmp/nginx/objs/ngx_ipc/libngx_ipc_nginx.a" "$archive"

    ok "out of the tree, with debugging, threads and clang" \
        builds $small --builddir=../out --with-debug --with-threads --with-cc=clang "$add"
    ok "the six files are replaced" replaced ../out

    ln -s "$top/nginx" "$tmp/link"
    ok "by a relative path through a link, as a static program" \
        builds $small --add-module=../link --with-ld-opt=-static
    ok "the six files are replaced" replaced

    first=$(other_addon first_module)
    second=$(other_addon second_module)
    added=$(add_examples --add-module)
    ok "between other modules, with the modules of this project built in" \
        builds $http "$first" "$add" "--add-module=$top/nginx/status" \
        "--add-module=$top/nginx/messages" "$second" $added
    ok "the six files are replaced" replaced
    ok "all the modules are there" modules first_module second_module \
        ngx_http_ipc_status_module ngx_http_ipc_module $examples
    ok "gcc has no warnings with -Wall -Wextra" strict gcc
    ok "clang has no warnings with -Wall -Wextra" strict clang

    added=$(add_examples --add-dynamic-module)
    ok "unmodified, with the library and the examples as dynamic modules" \
        builds $http --with-compat "--add-dynamic-module=$top/nginx/messages" $added
    ok "it loads the modules" loads ngx_ipc_module $examples

    ok "by the commands of docs/nginx.md" documented
    ok "the module is there" grep -q ngx_http_ipc_status_module "$tmp/root/usr/local/nginx/sbin/nginx"

    ok "with a library that is already built" \
        env "NGX_IPC_ARCHIVE=$archive" CARGO=/nonexistent sh -c "cd '$tmp/nginx' && make -s clean; \
            sh auto/configure $small '$add'"

    ok "offline, once the crates have been fetched" \
        env CARGO_NET_OFFLINE=true "CARGO_TARGET_DIR=$tmp/target" sh -c \
            "cd '$tmp/fetched' && sh auto/configure --builddir=../offline $small '$add'"

    ok "with nginx's own files of zones" own_zones

    if no_mounts; then
        skip "with a read-only project directory" "mounting is not allowed here"
    else
        ok "with a read-only project directory" read_only $small "$add"
    fi
}

test_stops()
{
    tree
    export CARGO=/nonexistent
    ok "stops without cargo" stops 'is written in Rust: install Rust with cargo' $small "$add"
    ok "configure prints that cargo was not found" said 'checking for cargo ... not found'
    unset CARGO

    export NGX_IPC_ARCHIVE=/nonexistent
    ok "stops without the library that was named" stops 'there is no /nonexistent' $small "$add"
    unset NGX_IPC_ARCHIVE

    export NGX_HAVE_MAP_ANON=0 NGX_HAVE_MAP_DEVZERO=0 NGX_HAVE_SYSVSHM=0
    ok "stops with the output of cargo that failed" stops 'no shared memory: none of' $small "$add"
    unset NGX_HAVE_MAP_ANON NGX_HAVE_MAP_DEVZERO NGX_HAVE_SYSVSHM

    ok "the status module stops without the add-on" \
        stops "needs --add-module=$top/nginx before it" "--add-module=$top/nginx/status"
    ok "the module for messages is a dynamic module without the add-on" \
        stops "this module is a dynamic module" "--add-module=$top/nginx/messages"

    for name in process channel shmem; do
        tree
        sed -i "s| src/os/unix/ngx_$name\.c||" "$tmp/nginx/auto/sources"
        ok "stops without ngx_$name.c" \
            stops "src/os/unix/ngx_$name.c is not among the sources of this nginx" $small "$add"
    done

    # configure needs a library that can be read, and does not use it
    export NGX_IPC_ARCHIVE=/dev/null OBJCOPY=true

    for name in process channel; do
        changed src/os/unix/ngx_$name.c
        ok "stops with an ngx_$name.c that does more" \
            stops "src/os/unix/ngx_$name.c of this nginx does more than ngx_ipc" $small "$add"
        ok "prints the function that would be lost" said '^    ngx_added()$'

        ok "replaces ngx_$name.c if NGX_IPC_REPLACE names it" \
            env NGX_IPC_REPLACE="other $name" sh -c "cd '$tmp/nginx' && sh auto/configure $small '$add'"
    done

    changed src/os/unix/ngx_shmem.c
    ok "keeps an ngx_shmem.c that does more" configure $small "$add"
    ok "prints that ngx_shmem.c is kept" kept src/os/unix/ngx_shmem.c

    for zone in $zones; do
        name=$(basename "$zone")
        changed "$zone"
        ok "keeps the files of zones with a $name that does more" configure $small "$add"
        ok "prints that they are kept" kept $zones
        ok "prints the reason" said "^   $zone has parts that ngx_ipc does not know"
        ok "prints the function of $name that would be lost" said '^    ngx_added()$'

        name=${name#ngx_}
        export NGX_IPC_REPLACE="other ${name%.c}"
        ok "replaces them if NGX_IPC_REPLACE names it" configure $small "$add"
        ok "prints the function that is lost" said '^    ngx_added()$'
        unset NGX_IPC_REPLACE
    done

    tree
    export NGX_IPC_KEEP=zones
    ok "keeps the files of zones if NGX_IPC_KEEP says so" configure $small "$add"
    ok "prints that they are kept" kept $zones
    ok "a module with a typed zone does not compile" no_typed_zones
    unset NGX_IPC_KEEP

    tree
    sed -i 's/^    ngx_uint_t        pfree;//' "$tmp/nginx/src/core/ngx_slab.h"
    ok "keeps the files of zones of a version whose pools have no pfree" configure $small "$add"
    ok "prints that they are kept" kept $zones

    for feature in NGX_HAVE_GCC_ATOMIC NGX_HAVE_POSIX_SEM; do
        tree
        grep -rl "ngx_feature_name=\"*$feature" "$tmp/nginx/auto" \
            | xargs sed -i "s/ngx_feature_name=\"*$feature\"*/ngx_feature_name=/"
        ok "keeps the files of zones without $feature" configure $small "$add"
        ok "prints that they are kept" kept $zones

        if [ $feature = NGX_HAVE_GCC_ATOMIC ]; then
            if [ "$(uname -m)" = x86_64 ]; then
                ok "D24 it has atomic operations without $feature" has_atomic_operations
            else
                skip "D24 it has atomic operations without $feature" "this is not x86-64"
            fi
        fi
    done

    for compiler in gcc clang; do
        tree
        ok "D24 configure finds the atomic operations of $compiler" \
            configure --with-cc=$compiler $small "$add"
        ok "D24 configure says so" said 'gcc builtin atomic operations ... found$'
    done

    tree
    foreign
    ok "D24 stops with a compiler whose programs cannot run" \
        stops "C compiler $tmp/cc is not found" "--with-cc=$tmp/cc" $small "$add"

    tree
    for file in $files; do
        sed -i '1i /* another\n   comment */\n' "$tmp/nginx/$file"
        sed -i 's/^    /\t  /; s/$/ /' "$tmp/nginx/$file"
    done
    ok "files with other comments and white space" configure $small "$add"
    ok "all six are replaced" kept

    unset NGX_IPC_ARCHIVE OBJCOPY
}

test_asserts()
{
    tree
    configure $small "$add" > /dev/null

    unix=src/os/unix
    ok "the glue compiles with nginx's structures" compile objs objs/addon/nginx/ngx_ipc_host.o objs/addon/nginx/ngx_ipc_log.o
    ok "another field in ngx_process_t" \
        refuses $unix/ngx_process.h 's/^    ngx_spawn_proc_pt   proc;/    int more;\n&/'
    ok "a larger ngx_process_t" \
        refuses $unix/ngx_process.h 's/^    unsigned            exited:1;/&\n    void *more;/'
    ok "another order in ngx_exec_ctx_t" \
        refuses $unix/ngx_process.h 's/^    char         \*path;/    char *more;\n&/'
    ok "more processes" \
        refuses $unix/ngx_process.h 's/^#define NGX_MAX_PROCESSES .*/#define NGX_MAX_PROCESSES 2048/'
    ok "another mode of respawning" \
        refuses $unix/ngx_process.h 's/^\(#define NGX_PROCESS_DETACHED \).*/\1 -6/'
    ok "another field in ngx_channel_t" \
        refuses $unix/ngx_channel.h 's/^    ngx_fd_t    fd;/    ngx_int_t more;\n&/'
    ok "a larger ngx_channel_t" \
        refuses $unix/ngx_channel.h 's/^    ngx_fd_t    fd;/&\n    ngx_int_t more;/'
    ok "another command" \
        refuses $unix/ngx_process_cycle.h 's/^\(#define NGX_CMD_QUIT \).*/\1 7/'
    ok "another role" \
        refuses $unix/ngx_process_cycle.h 's/^\(#define NGX_PROCESS_WORKER \).*/\1 7/'
    ok "another field in ngx_shm_t" \
        refuses $unix/ngx_shmem.h 's/^    ngx_log_t   \*log;/    size_t more;\n&/'
    ok "another field in ngx_log_s" \
        refuses src/core/ngx_log.h 's/^    ngx_uint_t           log_level;/    void *more;\n&/'
    ok "another field in ngx_cycle_s" \
        refuses src/core/ngx_cycle.h 's/^    ngx_log_t                \*log;/    void *more;\n&/'
    ok "another field in ngx_shmtx_sh_t" \
        refuses src/core/ngx_shmtx.h 's/^    ngx_atomic_t   lock;/    ngx_atomic_t more;\n&/'
    ok "another field in ngx_shmtx_t" \
        refuses src/core/ngx_shmtx.h 's/^    ngx_uint_t     spin;/    void *more;\n&/'
    ok "another field in ngx_slab_page_t" \
        refuses src/core/ngx_slab.h 's/^    uintptr_t         prev;/    void *more;\n&/'
    ok "a larger ngx_slab_stat_t" \
        refuses src/core/ngx_slab.h 's/^    ngx_uint_t        fails;/&\n    void *more;/'
    ok "another field in ngx_slab_pool_t" \
        refuses src/core/ngx_slab.h 's/^    u_char           \*start;/    void *more;\n&/'
    ok "another level of debugging" \
        refuses src/core/ngx_log.h 's/^\(#define NGX_LOG_DEBUG_CORE \).*/\1 0x020/'
    ok "an ngx_log_error_core() that takes a va_list" \
        refuses src/core/ngx_log.h 's/^\(#.*if \)(NGX_HAVE_.*_VARIADIC_MACROS)/\1(0)/'
    ok "another signal" \
        refuses src/core/ngx_config.h 's/^\(#define NGX_SHUTDOWN_SIGNAL \).*/\1 TERM/'
}


[ $# -gt 0 ] || set -- builds stops asserts

for part; do
    "test_$part"
done

end
