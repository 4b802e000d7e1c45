#!/bin/sh

# nginx-loaded.sh: checks the module ngx_ipc_module.so, with which an unmodified nginx has
# messages.  It is built for the nginx of this Debian as docs/nginx-messages.md says, and
# for a stock nginx of nginx.org.  A nginx that would not load it is refused.

. "$(dirname "$0")/../harness/nginx.sh"

document=$top/docs/nginx-messages.md
for_modules=$top/docs/nginx.md
debian=$top/build/debian-nginx
built=$top/build/nginx-1.28.3
module=$tmp/module

# typed N [DOCUMENT]: prints the N-th block of the document that this script types
typed()
{
    awk -v wanted="$1" -v ticks='```' '
        /^<!-- typed by: c-tests\/checks\/nginx-loaded.sh -->$/ { n++; next }
        n == wanted && $0 == ticks { exit }
        n == wanted && $0 !~ ticks { print }' "${2:-$document}"
}

# made TARGET [VARIABLE=VALUE...]: runs a target of the Makefile for the nginx in $nginx; the
# output is in $tmp/made
made()
{
    (cd "$top" && MAKEFLAGS='' make -s "$@" "NGINX=$nginx" "NGINX_SRC=${sources:-}") \
        > "$tmp/made" 2>&1 || { cat "$tmp/made"; return 1; }
}

# refuses TEXT COMMAND...: succeeds if the command fails and prints the text
refuses()
{
    text=$1
    shift
    ! "$@" > "$tmp/refused" 2>&1 && grep -qF -e "$text" "$tmp/refused" \
        || { cat "$tmp/refused"; return 1; }
}

# Checks of the file.

# finds_lua DIR: succeeds if DIR has all files in lua/, with modes that let each user read
# them, and make has printed no line for lua_package_path
finds_lua()
{
    diff -r "$top/lua" "$1" && [ -z "$(find "$1" -type f ! -perm 644)" ] \
        && [ -z "$(find "$1" -type d ! -perm -755)" ] && ! grep lua_package_path "$tmp/made"
}

# exports FILE: succeeds if the file exports what nginx looks for, the functions for other
# modules and for Lua, and no others
exports()
{
    nm -D --defined-only "$1" | awk '{ print $3 }' | sort > "$tmp/exported"

    for name in ngx_modules ngx_ipc_module ngx_http_ipc_module ngx_ipc_message_send \
                ngx_http_ipc_queue_take; do
        grep -qx $name "$tmp/exported" || { echo "no $name"; return 1; }
    done

    # nginx has the last three too, and the library uses nginx's.
    ! grep -vxE 'ngx_(modules|module_names|module_order|ipc_module|ipc_messages_module)|ngx_http_ipc_module|ngx_http_ipc_queue_[a-z_]*|ngx_ipc_message_[a-z_]*|ngx_(processes|last_process|process_slot)' \
        "$tmp/exported"
}

# needs FILE NGINX: succeeds if the nginx or its libraries define all that the file needs
needs()
{
    nm -D --undefined-only "$1" | awk '$1 == "U" && $2 !~ /@/ { print $2 }' | sort > "$tmp/needed"
    nm -D --defined-only "$2" | awk '{ print $3 }' | sort > "$tmp/defined"

    ! comm -23 "$tmp/needed" "$tmp/defined" | grep .
}

# beside_rust: succeeds if a module with a Rust library of another crate catches a panic
# beside the module
beside_rust()
{
    compiles_other unwind "$tmp" && links_module "$built" loaded "$tmp" \
        && module_catches "$nginx" "$module/ngx_ipc_module.so; load_module $tmp/module.so"
}

# Checks of the document.

# serves NGINX: starts the nginx with the lines of the document
serves()
{
    port=$(free_port)
    start "$1" "$(typed 1 | sed "s|/usr/lib/nginx/modules/|$module/|")
worker_processes 2;" "server { listen 127.0.0.1:$port; $(typed 2) }"
    within 20 answers / hello
}

# told: succeeds if the commands of the document print what it shows.  Which worker has the
# client is a matter of chance
told()
{
    typed 3 | sed "s|http://127.0.0.1/|http://127.0.0.1:$port/|" > "$tmp/commands"
    sed -n 1p "$tmp/commands" | sed 's/ &$//' > "$tmp/first"

    sh -c "exec $(cat "$tmp/first")" > "$tmp/events" &
    client=$!

    within 20 grep -q retry "$tmp/events" && within 20 published \
        && within 20 grep -qx "$(typed 4 | sed -n 2p)" "$tmp/events"
    result=$?

    kill $client
    wait $client 2> /dev/null
    return $result
}

# published: succeeds if both workers have taken a message, and a client of one has got it
published()
{
    sed -n 2p "$tmp/commands" | sh > "$tmp/answer" \
        && sed 's/"clients":[01]/"clients":N/g' "$tmp/answer" \
            | diff - "$tmp/shown" && grep -q '"clients":1' "$tmp/answer"
}

# example NGINX: types the commands of the document
example()
{
    typed 4 | sed -n 1p | sed 's/"clients":[01]/"clients":N/g' > "$tmp/shown"

    { serves "$1" && told && ended QUIT && clean; } \
        || { head -n 20 "$dir/stdout" "$dir/log" "$tmp/answer" "$tmp/events"; return 1; }
}

# tells NGINX NJS: succeeds if examples/njs/tell.js, which the module NJS runs, sends a
# message to all workers
tells()
{
    port=$(free_port)
    start "$1" "load_module $module/ngx_ipc_module.so; load_module $2; worker_processes 2;" \
        "js_path $top/examples/njs; js_import tell.js;
         server { listen 127.0.0.1:$port;
                  location = /tell { js_content tell.all; }
                  location = /publish { internal; ipc_publish news from=any; } }"

    { within 20 is_told && ended QUIT && clean; } \
        || { head -n 20 "$dir/stdout" "$dir/log" "$tmp/answer"; return 1; }
}

is_told()
{
    curl -sS -d text "http://127.0.0.1:$port/tell" > "$tmp/answer" \
        && sed 's/"clients":0/"clients":N/g' "$tmp/answer" | diff - "$tmp/shown"
}

# compiles: types the commands with which docs/nginx.md compiles its module for Debian's nginx,
# which is in $debian; the module has the file "config" of this document
compiles()
{
    mkdir -p "$tmp/module"
    cp "$top/examples/ngx_http_purge_module.c" "$tmp/module"
    sed -n '/^ngx_addon_name=ngx_http_purge_module$/,/^\. auto.module$/p' "$for_modules" \
        > "$tmp/module/config"
    typed 1 "$for_modules" | sed -e "s|/usr/share/nginx/src|$debian&|" \
        -e "s|/usr/lib/nginx/modules|$module|" > "$tmp/commands"

    (cd "$tmp" && dir=$tmp/module ipc=$top bash -e commands) > "$tmp/made" 2>&1 \
        || { tail -n 20 "$tmp/made"; return 1; }
}

# purges NGINX: succeeds if the compiled module makes both workers log a line
purges()
{
    port=$(free_port)
    start "$1" "load_module $module/ngx_ipc_module.so;
load_module $module/ngx_http_purge_module.so; worker_processes 2;" \
        "server { listen 127.0.0.1:$port; location = /purge { purge; } }"

    { within 20 answers '/purge?/a' purged && within 20 both_log 'purge /a' \
        && ended QUIT && clean; } || { head -n 20 "$dir/stdout" "$dir/log"; return 1; }
}

# both_log TEXT: succeeds if two processes have logged a line with the text
both_log()
{
    [ "$(grep -F "$1" "$dir/log" | sed 's/.*\] \([0-9]*\)#.*/\1/' | sort -u | wc -l)" -eq 2 ]
}

# lists [PID]: succeeds if the page of ipc_status has both workers, and none with this pid
lists()
{
    get /status > "$tmp/status"
    [ "$(grep -cE '^slot:[0-9]+ pid:[0-9]+ worker:[01] generation:1 running cpu_user:' \
         "$tmp/status")" -eq 2 ] && ! grep -q "pid:${1:-none} " "$tmp/status"
}

# killed: succeeds if the page has another worker in place of a killed one
killed()
{
    old=$(workers | head -n 1)
    kill -9 "$old" && within 20 lists "$old"
}

# reports: succeeds if each format of the page has what an unmodified nginx knows, and no
# number that is only known in an nginx on the library
reports()
{
    get /json > "$tmp/json" && get /metrics > "$tmp/metrics" \
        && python3 -m json.tool "$tmp/json" > /dev/null \
        && grep -q "\"master\":$master," "$tmp/json" \
        && grep -q '^zone:"limit" size:65536 ' "$tmp/status" \
        && grep -qx 'ngx_ipc_processes{role="worker",state="running"} 2' "$tmp/metrics" \
        && grep -q '^ngx_ipc_zone_pages{zone="limit"} ' "$tmp/metrics" \
        && curl -sS -H 'Accept: text/html' "http://127.0.0.1:$port/status" \
            | grep -q '<table id="processes">' \
        && ! grep -E 'respawns|uptime|started|start_time|sent:0 queued' \
            "$tmp/status" "$tmp/json" "$tmp/metrics"
}

# shows NGINX: starts the nginx with the directive ipc_status
shows()
{
    port=$(free_port)
    start "$1" "load_module $module/ngx_ipc_module.so; worker_processes 2;" \
        "limit_req_zone \$arg_a zone=limit:64k rate=1r/s;
         server { listen 127.0.0.1:$port;
                  location = /publish { ipc_publish news; }
                  location = /status { ipc_status; }
                  location = /json { ipc_status json; }
                  location = /metrics { ipc_status prometheus; } }"

    { within 20 lists && killed && reports && ended QUIT && clean; } \
        || { head -n 20 "$dir/stdout" "$dir/log" "$tmp/status"; return 1; }
}

# receives PORT [OPTION]: starts curl, which receives events; its pid is in $client
receives()
{
    curl -sSN ${2:+"$2"} -H 'If-Match: "other"' "http://127.0.0.1:$1/events" > "$tmp/events-$1" 2>&1 &
    client=$!
    within 20 grep -q retry "$tmp/events-$1"
}

# streams NGINX [http2]: succeeds if clients over HTTP/1.1, and over HTTP/2, get the end of the
# answer from a worker that exits
streams()
{
    port=$(free_port)
    other=$(free_port)
    start "$1" "load_module $module/ngx_ipc_module.so; worker_processes 1;" \
        "server { listen 127.0.0.1:$port; listen 127.0.0.1:$other ${2:-};
                  location = /events { ipc_receive news; limit_rate 10k; } }"

    { within 20 get / > "$tmp/answer" \
        && receives "$port" && first=$client \
        && receives "$other" ${2:+--http2-prior-knowledge} && kill -HUP "$master" \
        && wait "$first" && wait "$client" && ended QUIT && clean; } \
        || { head -n 20 "$dir/stdout" "$dir/log" "$tmp/events-$port" "$tmp/events-$other"
             return 1; }
}


ok "nginx is built" sh "$top/c-tests/run/nginx-build.sh" 1.28.3 "$built"

if sh "$top/c-tests/run/debian-nginx.sh" "$debian" > "$tmp/unpacked" 2>&1; then
    nginx=$debian/usr/sbin/nginx
    sources=$debian/usr/share/nginx/src

    ok "Debian: make install-nginx-module" made install-nginx-module "DESTDIR=$tmp/installed"
    ok "Debian: the module is where nginx looks for modules" \
        test -f "$tmp/installed/usr/lib/nginx/modules/ngx_ipc_module.so"
    ok "Debian: it says which line loads it, the one of the document" \
        grep -qx "    $(typed 1)" "$tmp/made"
    ok "Debian: LuaJIT finds the library for Lua, and needs no further line" \
        finds_lua "$tmp/installed/usr/local/share/lua/5.1"
    ok "Debian: make install-nginx-module LUADIR=DIR" \
        made install-nginx-module "DESTDIR=$tmp/other" LUADIR=/opt/lua
    ok "Debian: it says which line leads to DIR" \
        grep -qx '    lua_package_path "/opt/lua/?.lua;;";' "$tmp/made"
    ok "Debian: the library for Lua is in DIR" test -f "$tmp/other/opt/lua/resty/ngx_ipc.lua"

    module=$tmp/installed/usr/lib/nginx/modules
    ok "Debian: it exports the functions for modules and no others" \
        exports "$module/ngx_ipc_module.so"
    ok "Debian: it needs what nginx has" needs "$module/ngx_ipc_module.so" "$nginx"
    ok "Debian: the document's commands" example "$nginx"
    ok "Debian: a worker that exits ends the answers with events" streams "$nginx" http2
    ok "Debian: the status page" shows "$nginx"
    ok "Debian: a module in C is compiled as the document says" compiles
    ok "Debian: the module in C" purges "$nginx"

    njs=$top/build/debian-njs
    if sh "$top/c-tests/run/debian-packages.sh" "$njs" libnginx-mod-http-js > "$tmp/unpacked" 2>&1; then
        ok "Debian: njs" tells "$nginx" "$njs/usr/lib/nginx/modules/ngx_http_js_module.so"
    else
        skip "Debian: njs" "$(tail -n 1 "$tmp/unpacked")"
    fi

    sources=$built/src
    ok "Debian: sources of another version are refused" \
        refuses "is nginx 1.22.1, and the sources in $sources are those of nginx 1.28.3" \
        made nginx-module
else
    skip "Debian's nginx" "$(tail -n 1 "$tmp/unpacked")"
fi

nginx=$built/stock/nginx
sources=$built/src

# nginx's configure takes a part of $tmp, such as ".S", for the end of a file's name.
ok "stock: make nginx-module" made nginx-module B=build/stock
module=$top/build/stock/nginx-module
ok "stock: it exports the functions for modules and no others" exports "$module/ngx_ipc_module.so"
ok "stock: the document's commands" example "$nginx"
ok "stock: a worker that exits ends the answers with events" streams "$nginx"

ok "stock: beside a module of others in Rust" beside_rust

sources=$tmp
ok "missing sources are refused" refuses "there are no sources of nginx in $tmp" made nginx-module
nginx=/nowhere/nginx
ok "a missing nginx is refused" refuses "there is no program /nowhere/nginx" made nginx-module
nginx=/bin/true
ok "a program that is no nginx is refused" refuses "/bin/true is no nginx" made nginx-module

# says ARGUMENTS: makes a program that says that it is an nginx with these arguments
says()
{
    printf '#!/bin/sh\necho "nginx version: nginx/1.28.3"; echo "configure arguments: %s"\n' "$1" \
        > "$tmp/fake"
    chmod +x "$tmp/fake"
}

says "--with-threads"
nginx=$tmp/fake
ok "an nginx without --with-compat is refused" refuses "was built without --with-compat" made nginx-module

end
