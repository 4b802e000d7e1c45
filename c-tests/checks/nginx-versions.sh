#!/bin/sh

# nginx-versions.sh [NAME...]: checks other versions of nginx, stock and built
# with the library.  Each nginx starts, answers, reloads, replaces a killed
# worker, and quits.  NAME is one of:
#
#   1.28.3, or the name of a Debian release, such as bookworm, see nginx/fetch.sh
#   old         1.18.0, changed to resemble 1.6.2: without auto/module,
#               ngx_worker and ngx_parent. This tests the code in nginx/ that
#               supports old versions
#
# The built programs stay in build/nginx-*, for the next run.

. "$(dirname "$0")/../harness/nginx.sh"


# age TREE: removes from nginx's sources what 1.6.2 does not have
age()
{
    (
        cd "$1" || exit 1
        sed -i 's/^#define nginx_version .*/#define nginx_version      1006002/' src/core/nginx.h
        grep -rlE '\<ngx_(worker|parent|getppid)\>' src \
            | xargs sed -i -E 's/\<ngx_(worker|parent|getppid)\>/ngx_later_\1/g'
        mv auto/module auto/later_module
        sed -i 's|\. auto/module$|. auto/later_module|' auto/modules
    )
}

# build NAME DIRECTORY: builds the version NAME in DIRECTORY, stock and with
# the library
build()
{
    # The rewrite module of these versions needs PCRE1, which newer systems do
    # not have.
    case $1 in
        bullseye | old) export CONFIGURE=--without-http_rewrite_module ;;
        *)              unset CONFIGURE ;;
    esac

    # age() changes names in ngx_process.c, so nginx/config would not recognise it
    case $1 in
        old) export NGX_IPC_REPLACE=process ;;
        *)   unset NGX_IPC_REPLACE ;;
    esac

    if [ "$1" != old ]; then
        sh "$top/c-tests/run/nginx-build.sh" "$1" "$2"
    elif [ -d "$2/src" ]; then
        ADD_STATUS=--add-module sh "$top/c-tests/run/nginx-build.sh" bullseye "$2"
    else
        sh "$top/nginx/fetch.sh" bullseye "$tmp/src" && age "$tmp/src" \
            && mkdir -p "$2" && mv "$tmp/src" "$2/src" && build "$1" "$2"
    fi
}

# version PROGRAM: prints the version of an nginx
version()
{
    "$1" -v 2>&1 | sed 's|.*nginx/||'
}

reloads()
{
    old=$(workers)
    kill -HUP "$master"
    within 20 are 2 && within 20 answers / hello
}

killed()
{
    old=$(workers | head -n 1)
    kill -9 "$old"
    within 20 are 2 && within 20 answers / hello
}

# reports PATTERN...: succeeds if each pattern matches a line of the output of
# ipc_status
reports()
{
    get /status > "$tmp/status"

    for line; do
        grep -q "$line" "$tmp/status" || { cat "$tmp/status"; return 1; }
    done
}

# scenario WHICH NGINX MAIN: runs the tests with this nginx, and with the
# directives MAIN in the main context
scenario()
{
    port=$(free_port)
    status=
    [ "$1" = stock ] || status="location /status { ipc_status; }"

    start "$2" "worker_processes 2; $3" "server { listen 127.0.0.1:$port;
        $status }"

    ok "$1: starts" within 20 are 2
    ok "$1: answers" within 20 answers / hello
    ok "$1: reloads" reloads
    ok "$1: a killed worker is replaced" killed

    [ "$1" = stock ] || ok "$1: the status module reports it" reports \
        'worker:0 generation:2 running "worker process" respawns:' \
        'worker:1 generation:2 running "worker process" respawns:' \
        'respawns:1' 'respawns:0'

    ok "$1: quits" ended QUIT
    ok "$1: no errors in the log" clean
}

[ $# -gt 0 ] || set -- 1.28.3 bookworm bullseye trixie old

for name; do
    case $name in
        bookworm) directory=$top/build/nginx-1.22.1 ;;
        bullseye) directory=$top/build/nginx-1.18.0 ;;
        trixie)   directory=$top/build/nginx-1.26.3 ;;
        *)        directory=$top/build/nginx-$name ;;
    esac

    ok "nginx of $name is built" build "$name" "$directory"

    echo "# $(version "$directory/stock/nginx")"
    module=$directory/ipc/ngx_http_ipc_status_module.so

    scenario stock "$directory/stock/nginx" ""
    scenario ipc "$directory/ipc/nginx" "${module:+$([ ! -f "$module" ] || echo "load_module $module;")}"
done

end
