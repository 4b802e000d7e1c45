# Functions that build nginx with modules of other authors, and that use these
# modules.  The checks of such modules source this file.
#
#   http-push-stream  creates a socketpair for each slot, before the workers are
#                     spawned, and sends commands of its own
#   nchan             also creates a socketpair for each slot, and sends messages
#                     of a type of its own
#   rtmp              creates a Unix socket in each worker, with the slot in its
#                     name; workers find each other in the process table.  It
#                     forks programs, and leaves it to nginx to reap them
#   http-lua          reads the pids of the workers in the process table
#
# The sources are those of Debian.

. "$(dirname "$0")/../harness/nginx.sh"

sources=$top/build/modules

# the nginx that runs: "stock", or "ipc" for the nginx on the library
which=

workers=4
clients=16

# modules_fetched: fetches the sources of the modules, and of the Lua code that
# the module http-lua needs
modules_fetched()
{
    for module in http-push-stream nchan rtmp http-ndk http-lua lua-resty-core lua-resty-lrucache
    do
        case $module in
            lua-resty-*) package=$module ;;
            *)           package=libnginx-mod-$module ;;
        esac

        [ -d "$sources/$module" ] \
            || sh "$top/nginx/fetch.sh" trixie "$sources/$module" "$package" || return 1
    done
}

# with_modules VERSION DIR: builds this nginx with the modules, stock and with
# the library
with_modules()
{
    # rtmp comes first, because it makes configure add OpenSSL, and nchan
    # checks for OpenSSL.  It is static, because nginx opens listening sockets
    # only for static modules of this kind.
    added="--add-module=$sources/rtmp"
    for module in nchan http-push-stream http-ndk http-lua; do
        added="$added --add-dynamic-module=$sources/$module"
    done

    LUAJIT_INC=$(pkg-config --variable=includedir luajit) \
        LUAJIT_LIB=$(pkg-config --variable=libdir luajit) \
        CONFIGURE="$added ${CONFIGURE:-}" CFLAGS="${CFLAGS:--O0 -g}" \
        sh "$top/c-tests/run/nginx-build.sh" "$1" "$2"
}

# The program that rtmp executes while a stream is published
exec_program()
{
    mkdir -p "$tmp/executed"
    chmod 777 "$tmp/executed"
    printf '#!/bin/sh\n: > "%s/$$"\n' "$tmp/executed" > "$tmp/program"
    chmod 755 "$tmp/program"
}

# In each worker a timer looks for new events, which all workers share.  This is
# how the library lua-resty-worker-events delivers them.
lua_events()
{
    cat << 'END'
        local events, seen = ngx.shared.events, ngx.shared.events:get("last") or 0
        local function poll(premature)
            if premature then return end
            while seen < (events:get("last") or 0) do
                seen = seen + 1
                events:incr("got " .. events:get(seen), 1, 0)
            end
            ngx.timer.at(0.05, poll)
        end
        ngx.timer.at(0, poll)
        events:set("pid " .. ngx.worker.id(), ngx.worker.pid())
END
}

lua_locations()
{
    cat << 'END'
            location /lua/publish { content_by_lua_block {
                local events = ngx.shared.events
                local last = (events:get("last") or 0) + 1
                events:set(last, ngx.var.arg_id)
                events:set("last", last)
            } }
            location /lua/got { content_by_lua_block {
                ngx.say(ngx.shared.events:get("got " .. ngx.var.arg_id) or 0)
            } }
            location /lua/pid {
                content_by_lua_block { ngx.say(ngx.shared.events:get("pid " .. ngx.var.arg_id)) }
            }
            location /lua/pids { content_by_lua_block {
                local pids = require("ngx.process") and ngx.worker.pids()
                table.sort(pids)
                ngx.say(table.concat(pids, " "))
            } }
END
}

# modules_start NGINX: starts this nginx with the modules
modules_start()
{
    load=
    for module in http_push_stream nchan ndk_http http_lua; do
        case $module in ndk_*) ;; *) module=ngx_$module ;; esac
        load="$load load_module $(dirname "$1")/${module}_module.so;"
    done

    port=$(free_port)
    shared_port=$(free_port)
    rtmp_port=$(free_port)
    sockets=$tmp/sockets
    rm -rf "$sockets"
    mkdir -m 777 "$sockets"
    exec_program
    lua="$sources/lua-resty-core/lib/?.lua;$sources/lua-resty-lrucache/lib/?.lua;;"

    # With reuseport each worker has a listening socket of its own, and the
    # kernel chooses the worker for each connection.  At the shared port a worker
    # that runs accepts the connection.
    start "$1" "worker_processes $workers; $load
        rtmp_auto_push on;
        rtmp_auto_push_reconnect 100ms;
        rtmp_socket_dir $sockets;
        rtmp { server { listen 127.0.0.1:$rtmp_port;
            application live { live on; }
            application program { live on; exec_push $tmp/program; respawn_timeout 100ms; }
        } }" "
        push_stream_shared_memory_size 32M;
        lua_package_path \"$lua\";
        lua_shared_dict events 1m;
        init_worker_by_lua_block { $(lua_events) }
        server {
            listen 127.0.0.1:$port reuseport;
            listen 127.0.0.1:$shared_port;
            add_header X-Pid \$pid always;

            location /push_stream/subscribe {
                push_stream_subscriber long-polling;
                push_stream_channels_path \$arg_id;
                push_stream_message_template ~text~;
            }
            location /push_stream/publish {
                push_stream_publisher;
                push_stream_channels_path \$arg_id;
                push_stream_store_messages off;
            }
            location /push_stream/subscribers {
                push_stream_channels_statistics;
                push_stream_channels_path \$arg_id;
            }
            location /nchan/subscribe {
                nchan_subscriber longpoll;
                nchan_channel_id \$arg_id;
            }
            location /nchan/publish { nchan_publisher; nchan_channel_id \$arg_id; }
            location /nchan/subscribers { nchan_publisher; nchan_channel_id \$arg_id; }
            location /rtmp { rtmp_stat all; }
            $(lua_locations)
        }"
}

# subscribers N MODULE ID: succeeds if N clients of all workers wait for
# messages of the channel ID
subscribers()
{
    shared "/$2/subscribers?id=$3" 2> /dev/null | tr -d '" \r' | grep -qE "subscribers:$1\$|subscribers:$1[,}]"
}

# shared PATH [OPTION...]: sends a request to the shared port
shared()
{
    shared_path=$1
    shift
    curl -sS --max-time 10 "$@" "http://127.0.0.1:$shared_port$shared_path"
}

# subscribe MODULE ID: starts the clients, which wait for a message
subscribe()
{
    rm -rf "$tmp/got"
    mkdir "$tmp/got"

    clients_pids=
    for i in $(seq "$clients"); do
        curl -sS --max-time "${patience:-60}" -D "$tmp/got/$i.header" -o "$tmp/got/$i" \
            "http://127.0.0.1:$port/$1/subscribe?id=$2" 2> "$tmp/got/$i.error" &
        clients_pids="$clients_pids $!"
    done

    within 30 subscribers "$clients" "$1" "$2"
}

# publish MODULE ID: sends a message to the clients
publish()
{
    shared "/$1/publish?id=$2" -D "$tmp/publisher" -o /dev/null -d "message $2"
}

# gather ID: waits for the clients; sets $delivered and $lost, the numbers of those that
# got the message, and of those whose connection was closed
gather()
{
    delivered=0
    lost=0

    i=0
    for pid in $clients_pids; do
        i=$((i + 1))
        if ! wait "$pid"; then
            lost=$((lost + 1))
        elif [ "$(cat "$tmp/got/$i")" = "message $1" ]; then
            delivered=$((delivered + 1))
        fi
    done

    echo "$delivered of $clients clients got the message, $lost lost their connection"
}

# delivered MODULE ID: succeeds if all clients that wait for a message get it,
# and at least one of them is connected to another worker than the client that
# sends the message
delivered()
{
    subscribe "$1" "$2" && publish "$1" "$2"
    gather "$2"
    [ "$delivered" -eq "$clients" ] || { head "$tmp"/got/*; return 1; }

    from=$(grep X-Pid "$tmp/publisher")
    cat "$tmp"/got/*.header | grep X-Pid | sort | uniq -c
    cat "$tmp"/got/*.header | grep X-Pid | grep -qvF "$from"
}

# rtmp_command STREAM: prints standard input as an RTMP message in one chunk
rtmp_command()
{
    cat > "$tmp/command"
    octal='\\003\\000\\000\\000\\000\\000\\%03o\\024\\%03o\\000\\000\\000'
    # shellcheck disable=SC2059
    printf "$(printf "$octal" "$(wc -c < "$tmp/command")" "$1")"
    cat "$tmp/command"
}

rtmp_string()
{
    # shellcheck disable=SC2059
    printf "$(printf '\\002\\000\\%03o' "${#1}")%s" "$1"
}

zeroes()
{
    head -c "$1" /dev/zero
}

# rtmp_publisher APPLICATION NAME: prints all bytes that an RTMP client sends
# until it publishes the stream
rtmp_publisher()
{
    printf '\003'
    zeroes $((2 * 1536))

    {
        rtmp_string connect; zeroes 9
        printf '\003\000\003app'; rtmp_string "$1"; printf '\000\000\011'
    } | rtmp_command 0
    { rtmp_string createStream; zeroes 9; printf '\005'; } | rtmp_command 0
    {
        rtmp_string publish; zeroes 9; printf '\005'; rtmp_string "$2"; rtmp_string live
    } | rtmp_command 1
}

# published APPLICATION NAME COMMAND...: publishes a stream at one worker, until the
# command succeeds
published()
{
    rm -f "$tmp/end"
    mkfifo "$tmp/end"

    { rtmp_publisher "$1" "$2"; cat "$tmp/end"; } | nc 127.0.0.1 "$rtmp_port" > /dev/null &
    publisher=$!
    exec 3> "$tmp/end"
    shift 2

    published=0
    within 30 "$@" || published=1

    exec 3>&-
    kill "$publisher" 2> /dev/null

    return $published
}

# rtmp_workers NAME: asks one worker, which the kernel chooses, whether it has
# the stream; succeeds when each worker has answered that it has
rtmp_workers()
{
    get /rtmp > "$tmp/stat"
    if grep -q "<name>$1</name>" "$tmp/stat"; then
        sed -n 's|.*<pid>\(.*\)</pid>.*|\1|p' "$tmp/stat" >> "$tmp/know"
    fi

    [ "$(sort -u "$tmp/know" | wc -l)" -eq "$workers" ]
}

# pushed NAME: publishes a stream at one worker; succeeds if all workers get
# the stream
pushed()
{
    : > "$tmp/know"
    published live "$1" rtmp_workers "$1"
}

executed_times()
{
    [ "$(find "$tmp/executed" -type f | wc -l)" -ge "$1" ]
}

# no_zombies: succeeds if the workers have reaped all their children that have exited
no_zombies()
{
    for worker in $(workers); do
        for child in $(cat "/proc/$worker/task/$worker/children"); do
            ! grep -sq '^State:.*Z' "/proc/$child/status" || return 1
        done
    done
}

# executed NAME: while the stream is published, rtmp executes a program again and
# again; succeeds if no zombie is left
executed()
{
    rm -f "$tmp"/executed/*
    published program "$1" executed_times 10 || return 1
    within 20 no_zombies
}

# The event reaches each worker once
lua_delivered()
{
    shared "/lua/publish?id=$1" && within 20 lua_got "$1"
}

lua_got()
{
    shared "/lua/got?id=$1" > "$tmp/lua"
    [ "$(cat "$tmp/lua")" = "$workers" ] || { cat "$tmp/lua"; return 1; }
}

# Each worker finds the pids of all workers in the process table
lua_pids()
{
    for i in $(seq 8); do
        get /lua/pids | tr ' ' '\n' > "$tmp/lua"

        # A stock nginx also finds pids of dead workers there (D18).
        if [ "$which" = stock ]; then
            grep -xF "$(workers)" "$tmp/lua" > "$tmp/alive"
            mv "$tmp/alive" "$tmp/lua"
        fi

        [ "$(cat "$tmp/lua")" = "$(workers | sort -n)" ] || { cat "$tmp/lua"; workers; return 1; }
    done
}

# other_worker ID: prints the pid of a worker that does not manage the channel ID of
# nchan.  A message of a channel is lost for all clients, also with a stock nginx,
# if the worker that manages the channel dies.
other_worker()
{
    number=$(python3 -c 'import sys, zlib
print((zlib.crc32(sys.argv[1].encode()) + 1) % int(sys.argv[2]))' "/$1" "$workers")
    shared "/lua/pid?id=$number"
}

# connections PID: prints how many clients of the port the process serves
connections()
{
    hex=$(printf ':%04X' "$port")
    awk -v port="$hex" '$4 == "01" && $2 ~ port "$" { print "socket:[" $10 "]" }' /proc/net/tcp > "$tmp/inodes"
    for fd in "/proc/$1/fd"/*; do readlink "$fd"; done | grep -cxFf "$tmp/inodes"
}
