#!/bin/sh

# real-sources.sh DIR NGINX: compiles unchanged source files of nginx modules with the
# headers of the library in DIR, and without nginx.  Programs of fixtures/real call the
# functions of these files in a server of four workers, which send each other messages.
# NGINX is a directory with the sources of nginx, whose ngx_process_cycle.c is compiled
# too.
#
# The sources are those of Debian.  The directories in fixtures/real have headers with the
# names of the module's own ones.  They declare what a file needs of nginx's http and of
# the other files of its module.

. "$(dirname "$0")/../harness/tap.sh"

lib=$1
nginx=$2
sources=$top/build/modules
real=$top/c-tests/fixtures/real

# fetched MODULE: fetches the sources of the module
fetched()
{
    [ -d "$sources/$1" ] \
        || sh "$top/nginx/fetch.sh" trixie "$sources/$1" "libnginx-mod-$1" > "$tmp/fetch" 2>&1
}

# links MODULE FILE...: gives the files of the module a directory of their own.  A file
# that includes another one with quotes finds it in its own directory first.
links()
{
    module=$1
    shift

    for file; do
        ln -sf "$sources/$module/$file" "$dir/$(basename "$file")"
    done
}

compiles()
{
    gcc -std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -Werror "-I$lib/include" "$@"
}

# builds NAME OPTION...: builds the program, and each linked C file that it does not
# include itself
builds()
{
    name=$1
    shift

    set -- "$@" "-I$real" "-I$real/$headers" "-I$dir" "$real/real.c" "$real/$name.c"

    for file in "$dir"/*.c; do
        grep -qF "\"$(basename "$file")\"" "$real/$name.c" || set -- "$@" "$file"
    done

    compiles -o "$dir/$name" "$@" "-L$lib" -lngx_ipc "-Wl,-rpath,$lib"
}

# runs NAME: succeeds if each worker gets each message
runs()
{
    mkdir -p "$dir/files"
    chmod 777 "$tmp" "$dir" "$dir/files"
    timeout 30 "$dir/$1" "$dir/files"
}

# source_of MODULE NAME HEADERS FILE...: tests the program NAME with files of the module
source_of()
{
    module=$1
    name=$2
    headers=$3
    shift 3

    if ! fetched "$module"; then
        skip "$name" "the sources of $module cannot be fetched"
        return 0
    fi

    dir=$tmp/$name
    mkdir "$dir"
    links "$module" "$@"

    ok "$name compiles with an unchanged $(basename "$1") of $module" builds "$name"
    ok "$name: each of four workers gets the messages of the others" runs "$name"
}

source_of nchan nchan nchan src/store/memory/ipc.c src/store/memory/ipc.h
source_of http-push-stream push_stream push_stream \
    src/ngx_http_push_stream_module_ipc.c include/ngx_http_push_stream_module_ipc.h
source_of rtmp auto_push rtmp ngx_rtmp_auto_push_module.c
source_of rtmp exec rtmp ngx_rtmp_exec_module.c
source_of http-lua lua lua src/ngx_http_lua_worker.c src/ddebug.h

# stops: prints the names that keep ngx_process_cycle.c of nginx from compiling
stops()
{
    LC_ALL=C gcc -std=gnu11 -fsyntax-only "-I$lib/include" "$nginx/src/os/unix/ngx_process_cycle.c" 2>&1 \
        | sed -nE -e "s/.*implicit declaration of function '([a-z_]*)'.*/\1/p" \
            -e "s/.*error: '([a-z_]*)' undeclared.*/\1/p" \
            -e "s/.*no member named '([a-z_]*)'.*/\1/p" \
            -e "s/.*request for member '([a-z_]*)' in.*/\1/p" \
        | LC_ALL=C sort -u
}

# stopped NAME...: succeeds if only these names keep the file from compiling
stopped()
{
    printf '%s\n' "$@" | LC_ALL=C sort > "$tmp/expected"
    stops | diff "$tmp/expected" -
}

ok "ngx_process_cycle.c of nginx compiles, but for the names in docs/identifiers.md" \
    stopped data len ngx_close_idle_connections ngx_delete_pidfile ngx_exec_new_binary \
    ngx_get_cpu_affinity ngx_set_shutdown_timer ngx_use_accept_mutex transparent

end
