#!/bin/sh

# archives.sh LIBRARY NGINX: checks the static libraries.  They export only the
# library's own functions, so that other Rust libraries work in the same program.
# They do not depend on the directories in which they are built.  A panic ends the
# process with a message.  A stripped nginx grows little.
#
# LIBRARY is the directory of libngx_ipc.a.  NGINX is the directory in which
# nginx-build.sh builds nginx.

. "$(dirname "$0")/../harness/nginx.sh"

library=$(cd "$1" && pwd)
nginx=$2
fixtures=$top/c-tests/fixtures/rust

# A stripped nginx may be this much larger on the library, in bytes.
growth=620000

archive=$library/libngx_ipc.a
nginx_archive=$nginx/ipc/ngx_ipc/libngx_ipc_nginx.a
libs="-lutil -lrt -lpthread -lm -ldl"


# defined FILE: prints the global symbols that an object or an archive defines
defined()
{
    nm --defined-only --extern-only "$1" | awk 'NF == 3 { print $3 }' | sort
}

# undefined FILE...
undefined()
{
    nm --undefined-only "$@" | awk '$1 == "U" { print $2 }' | sort -u
}

# exports_documented: succeeds if the library exports what the headers declare, and
# beside this only what its functions in C call
exports_documented()
{
    mkdir "$tmp/members"
    (cd "$tmp/members" && ar x "$archive") || return 1
    undefined "$tmp/members/ngx_log.o" "$tmp/members/ngx_string.o" \
        | grep '^ngx_ipc_' > "$tmp/glue"
    sort -u "$top/c-tests/checks/symbols" "$tmp/glue" > "$tmp/wanted"
    defined "$archive" > "$tmp/defined"
    diff "$tmp/wanted" "$tmp/defined"
}

# exports_nginx: succeeds if nginx's library exports what the six replaced files
# define, what ngx_ipc.h, ngx_slab.h and ngx_shmem.h declare beside this, and what the glue
# calls
exports_nginx()
{
    glue=$nginx/ipc/addon/nginx
    for file in os/unix/ngx_process os/unix/ngx_channel os/unix/ngx_shmem \
                core/ngx_shmtx core/ngx_slab core/ngx_rwlock
    do
        defined "$nginx/stock/src/$file.o"
    done > "$tmp/stock"
    undefined "$glue/ngx_ipc_host.o" "$glue/ngx_ipc_messages.o" \
        "$glue/ngx_ipc_messages_event.o" "$glue/ngx_ipc_keep_zones.o" \
        "$glue/ngx_ipc_zone_content.o" \
        | grep '^ngx_ipc_' > "$tmp/glue"
    grep -e '^ngx_ipc_' -e '^ngx_slab_' -e '^ngx_shm_prefault$' "$top/c-tests/checks/symbols" \
        > "$tmp/own"
    # the function "init" of typed zones, which nginx calls through a pointer
    echo ngx_ipc_zone_init >> "$tmp/own"
    # for ngx_ipc_loaded.c, which takes the place of ngx_ipc_host.c in a dynamic module
    echo ngx_ipc_messages_begin >> "$tmp/own"
    # for nginx/messages, which can be a dynamic module
    echo ngx_ipc_messages_count_type >> "$tmp/own"
    sort -u "$tmp/stock" "$tmp/glue" "$tmp/own" > "$tmp/wanted"
    defined "$nginx_archive" > "$tmp/defined"

    # the glue and nginx's own files define the others
    ! comm -13 "$tmp/wanted" "$tmp/defined" | grep .
}

# only_c PROGRAM: succeeds if the program, which is linked with -Wl,-E, exports no
# symbols of Rust to the modules that it loads
only_c()
{
    ! nm -D --defined-only "$1" | grep -E '_ZN|_R[NIM]|rust_|__rdl|__rg_'
}

# other PANIC: compiles the second Rust library
other()
{
    compiles_other "$1" "$tmp"
}

# linked COMPILER PANIC ORDER [FLAG...]: links both libraries into a program and runs it
linked()
{
    compiler=$1
    ours=$archive
    second=$tmp/libother_$2.a
    case $2 in unwind) catch=catch ;; *) catch= ;; esac
    case $3 in
        first) set -- "$compiler" "$ours" "$second" "$@" ;;
        last) set -- "$compiler" "$second" "$ours" "$@" ;;
    esac
    one=$2
    two=$3
    shift 6
    # shellcheck disable=SC2086
    "$compiler" -DLINKED -O1 -g "-I$library/include" "$@" -o "$tmp/linked" \
        "$fixtures/program.c" "$one" "$two" $libs && "$tmp/linked" $catch
}

# shared PANIC: links a module that contains the second library
shared()
{
    cc -shared -o "$tmp/other_$1.so" -Wl,-u,other_counts,-u,other_catches \
        -Wl,--whole-archive "$tmp/libother_$1.a" -Wl,--no-whole-archive $libs -lgcc_s
}

# loads PANIC: a program that contains and exports this library loads the module
loads()
{
    case $1 in unwind) catch=catch ;; *) catch= ;; esac
    # shellcheck disable=SC2086
    cc -O1 "-I$library/include" -Wl,-E -o "$tmp/loads" "$fixtures/program.c" \
        -Wl,--whole-archive "$archive" -Wl,--no-whole-archive $libs \
        && only_c "$tmp/loads" && "$tmp/loads" "$tmp/other_$1.so" $catch
}

# nginx_loads NAME: runs the stock nginx, or the nginx on the library, with a module
# that catches a panic
nginx_loads()
{
    links_module "$nginx" "$1" "$tmp" && module_catches "$nginx/$1/nginx" "$tmp/module.so"
}

# elsewhere: builds both libraries in other directories and with another home of
# cargo
elsewhere()
(
    mkdir -p "$tmp/else/home" "$tmp/else/where"
    (cd "$top" && tar -cf - Cargo.toml Cargo.lock build.rs src csrc include probes nginx) \
        | tar -xf - -C "$tmp/else/where" || return 1

    # cargo needs these files to build without a network
    home=${CARGO_HOME:-$HOME/.cargo}
    mkdir "$tmp/else/home/registry"
    for part in config.toml registry/cache registry/index; do
        [ ! -e "$home/$part" ] || cp -R "$home/$part" "$tmp/else/home/$part" || return 1
    done

    export CARGO_HOME="$tmp/else/home" CARGO_TARGET_DIR="$tmp/else/target"
    export CARGO_NET_OFFLINE=true
    sh "$tmp/else/where/include/generator/build.sh" "$tmp/else/c" build --release || return 1
    set +u
    # shellcheck disable=SC2034,SC2030
    (
        ngx_addon_dir=$tmp/else/where/nginx NGX_OBJS=$tmp/else/objs CFLAGS=-g
        . "$tmp/else/where/nginx/archive.sh"
    )
)

# pathless ARCHIVE: succeeds if the archive names no directory of this machine
pathless()
{
    for part in "$top" "$tmp" "$HOME" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)"; do
        [ "$part" != / ] || continue
        ! strings -a "$1" | grep -F "$part/" || return 1
    done
}

# protected: succeeds if the functions in C have the stack protector
protected()
{
    undefined "$tmp/members/ngx_log.o" | grep -qx __stack_chk_fail
}

# panics: makes a static library of a crate that panics, and a program with it
panics()
{
    rustc --edition 2024 -O -C panic=abort --crate-type staticlib --crate-name panics \
        -o "$tmp/libpanics.a" "$fixtures/panics.rs" \
        && sh "$top/include/generator/merge.sh" "$tmp/libpanics.a" none "$tmp/libends.a" \
        && cc -O1 -o "$tmp/panics" "$fixtures/panics.c" "$tmp/libends.a"
}

# ends CASE TEXT: succeeds if the program writes a message of at most 1,024 bytes to
# stderr, whose last line is TEXT, and aborts
ends()
{
    "$tmp/panics" "$1" > "$tmp/stdout" 2> "$tmp/stderr"
    status=$?
    # some shells write this line
    sed '/^Aborted/d' "$tmp/stderr" > "$tmp/message"
    cat "$tmp/message"
    [ "$status" -eq 134 ] && [ ! -s "$tmp/stdout" ] \
        && [ "$(wc -c < "$tmp/message")" -le 1024 ] \
        && [ "$(tail -n 1 "$tmp/message" | tr -d ' ')" = "$(echo "$2" | tr -d ' ')" ]
}

# no_backtrace ARCHIVE: succeeds if the archive does not contain the code with which
# Rust's standard library reads debug information
no_backtrace()
{
    ! nm "$1" | grep -E 'gimli|addr2line|rustc_demangle'
}

# size NAME: prints the size of a stripped nginx
size()
{
    strip -o "$tmp/stripped" "$nginx/$1/nginx"
    wc -c < "$tmp/stripped"
}

grows_little()
{
    stock=$(size stock)
    ipc=$(size ipc)
    echo "stock: $stock bytes, on the library: $ipc, $((ipc - stock)) more"
    [ "$((ipc - stock))" -le "$growth" ]
}

# debug_lines ARCHIVE: succeeds if a debugger finds functions and line numbers
debug_lines()
{
    readelf -SW "$1" | grep -q '\.debug_line'
}

# built FLAGS: builds nginx's archive as configure does with these flags
built()
{
    set +u
    # shellcheck disable=SC2034,SC2030,SC2031
    (
        ngx_addon_dir=$top/nginx NGX_OBJS=$tmp/objs CFLAGS=$1
        . "$top/nginx/archive.sh"
    )
}

same()
{
    cmp "$1" "$2"
}


ok "nginx is built" sh "$top/c-tests/run/nginx-build.sh" 1.28.3 "$nginx"
ok "libngx_ipc.a exports what the headers declare" exports_documented
ok "libngx_ipc_nginx.a exports what nginx and its glue call" exports_nginx
ok "nginx exports no symbols of Rust" only_c "$nginx/ipc/nginx"

for panic in unwind abort; do
    ok "another Rust library, panic=$panic" other "$panic"
    ok "a module that contains it, panic=$panic" shared "$panic"

    for order in first last; do
        for compiler in gcc clang; do
            ok "linked $order, panic=$panic, $compiler" linked "$compiler" "$panic" "$order"
        done

        ok "linked $order, panic=$panic, static" linked gcc "$panic" "$order" -static
        ok "linked $order, panic=$panic, --gc-sections" \
            linked gcc "$panic" "$order" -Wl,--gc-sections
        ok "linked $order, panic=$panic, AddressSanitizer" \
            linked gcc "$panic" "$order" -fsanitize=address
        ok "linked $order, panic=$panic, all of it" linked gcc "$panic" "$order" \
            -Wl,-E,--whole-archive "$archive" -Wl,--no-whole-archive
    done

    ok "loaded, panic=$panic" loads "$panic"
done

for name in stock ipc; do
    ok "$name: a module of nginx catches a panic" nginx_loads "$name"
done

ok "a library that panics" panics
ok "a panic" ends panics "the number is 42"
ok "a panic in the message of a panic" ends twice \
    "ngx_ipc: the message of a panic has caused a panic"
ok "a panic with a long message" ends long ""
ok "no memory" ends no_memory "ngx_ipc: no memory for 4096 bytes"
ok "libngx_ipc.a does not read debug information" no_backtrace "$archive"
ok "libngx_ipc_nginx.a does not read debug information" no_backtrace "$nginx_archive"

ok "the functions in C have the stack protector" protected
ok "built in another directory" elsewhere
ok "libngx_ipc.a is the same" same "$archive" "$tmp/else/c/libngx_ipc.a"
ok "libngx_ipc_nginx.a is the same" \
    same "$nginx_archive" "$tmp/else/objs/ngx_ipc/libngx_ipc_nginx.a"

for file in "$archive" "$nginx_archive" "$tmp/else/c/libngx_ipc.a"; do
    ok "$(basename "$file") has no path of this machine" pathless "$file"
done

ok "a stripped nginx grows by $growth bytes at most" grows_little
ok "nginx's archive has line numbers where nginx has" debug_lines "$nginx_archive"
ok "nginx's archive is built without debugging" built "-O2 -g -g0"
not_ok "an archive without debugging has no line numbers" \
    debug_lines "$tmp/objs/ngx_ipc/libngx_ipc_nginx.a"

end
