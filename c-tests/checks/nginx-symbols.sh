#!/bin/sh

# nginx-symbols.sh DIR: checks that the nginx in DIR/ipc has the symbols of the
# library, and was built without the six files that the library replaces; and
# that the nginx in DIR/stock was built with these files.

. "$(dirname "$0")/../harness/tap.sh"

dir=$1

# The global symbols of ngx_process.c, ngx_channel.c, ngx_shmem.c, ngx_shmtx.c, ngx_slab.c
# and ngx_rwlock.c.
symbols="ngx_spawn_process ngx_execute ngx_init_signals ngx_debug_point
         ngx_os_signal_process ngx_write_channel ngx_read_channel
         ngx_add_channel_event ngx_close_channel ngx_shm_alloc ngx_shm_free
         ngx_argc ngx_argv ngx_os_argv ngx_process_slot ngx_channel
         ngx_last_process ngx_processes
         ngx_shmtx_create ngx_shmtx_destroy ngx_shmtx_trylock ngx_shmtx_lock
         ngx_shmtx_unlock ngx_shmtx_force_unlock
         ngx_slab_sizes_init ngx_slab_init ngx_slab_alloc ngx_slab_alloc_locked
         ngx_slab_calloc ngx_slab_calloc_locked ngx_slab_free ngx_slab_free_locked
         ngx_rwlock_wlock ngx_rwlock_rlock ngx_rwlock_unlock ngx_rwlock_downgrade"

# defined PROGRAM: prints the global symbols that the program defines
defined()
{
    nm --defined-only --extern-only "$@" | awk 'NF == 3 { print $3 }' | sort -u
}

# compiled OBJECT...: prints the global symbols that object files and archives
# define.  The function uses readelf, because nm cannot read all objects that
# rustc has produced
compiled()
{
    readelf -sW "$@" | awk '$5 == "GLOBAL" && $7 != "UND" { print $8 }' | sort -u
}

# listed FILE: succeeds if the file, a list of symbols, contains all of
# $symbols
listed()
{
    for symbol in $symbols; do
        grep -qx "$symbol" "$1" || { echo "no $symbol"; return 1; }
    done
}

# unlisted FILE: succeeds if the file, a list of symbols, contains none of
# $symbols
unlisted()
{
    for symbol in $symbols; do
        ! grep -x "$symbol" "$1" || return 1
    done
}

# compiles NAME: succeeds if the Makefile or the object files of an nginx
# include one of the six files
compiles()
{
    { cat "$dir/$1/Makefile"; find "$dir/$1" -name '*.o'; } \
        | grep -E 'ngx_(process|channel|shmem|shmtx|slab|rwlock)\.[co]\b'
}

glue=$dir/ipc/addon/nginx/ngx_ipc_host.o

defined "$dir/ipc/nginx" > "$tmp/ipc"
defined "$dir/stock/nginx" > "$tmp/stock"
compiled "$dir/ipc/ngx_ipc/libngx_ipc_nginx.a" "$glue" > "$tmp/library"
find "$dir/ipc" -name '*.o' ! -path "$glue" > "$tmp/objects"
# shellcheck disable=SC2046
compiled $(cat "$tmp/objects") > "$tmp/nginx"
grep '^ngx_ipc_' "$tmp/library" > "$tmp/own"

ok "the nginx on the library has the symbols" listed "$tmp/ipc"
ok "the library and its glue define them" listed "$tmp/library"
ok "none of nginx's objects defines them" unlisted "$tmp/nginx"
ok "nginx's objects were read" grep -qx ngx_master_process_cycle "$tmp/nginx"
not_ok "none of the six files is compiled" compiles ipc

ok "the stock nginx has the symbols" listed "$tmp/stock"
ok "the six files are compiled for it" compiles stock
ok "the library has symbols of its own" test -s "$tmp/own"
not_ok "they are not in the stock nginx" grep -qxFf "$tmp/own" "$tmp/stock"

end
