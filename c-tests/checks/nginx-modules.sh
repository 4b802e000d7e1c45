#!/bin/sh

# nginx-modules.sh: runs modules of other authors that use the process table
# and channels, in a stock nginx and in one that is built with the library.  A
# client sends a message to one worker; the clients of all workers must get it.
#
#   http-push-stream  creates a socketpair for each slot, before the workers are
#                     spawned, and sends commands of its own
#   nchan             also creates a socketpair for each slot, and sends messages
#                     of a type of its own
#   rtmp              creates a Unix socket in each worker, with the slot in its
#                     name; workers find each other in the process table
#
# The sources are those of Debian.  The built programs stay in
# build/nginx-modules, for the next run.

. "$(dirname "$0")/../harness/nginx.sh"

build=$top/build/nginx-modules

workers=4
clients=16

fetched()
{
    [ -d "$build/$1" ] || sh "$top/nginx/fetch.sh" trixie "$build/$1" "libnginx-mod-$1"
}

built()
{
    # rtmp comes first, because it makes configure add OpenSSL, and nchan
    # checks for OpenSSL.  It is static, because nginx opens listening sockets
    # only for static modules of this kind.
    CONFIGURE="--add-module=$build/rtmp
               --add-dynamic-module=$build/nchan
               --add-dynamic-module=$build/http-push-stream" \
        sh "$top/c-tests/run/nginx-build.sh" 1.28.3 "$build"
}

# start_with NGINX: starts this nginx with the modules
start_with()
{
    modules=
    for module in http_push_stream nchan; do
        modules="$modules load_module $(dirname "$1")/ngx_${module}_module.so;"
    done

    port=$(free_port)
    rtmp_port=$(free_port)
    sockets=$tmp/sockets
    rm -rf "$sockets"
    mkdir -m 777 "$sockets"

    # With reuseport each worker has a listening socket of its own, and the
    # kernel chooses the worker for each connection.
    start "$1" "worker_processes $workers; $modules
        rtmp_auto_push on;
        rtmp_auto_push_reconnect 100ms;
        rtmp_socket_dir $sockets;
        rtmp { server { listen 127.0.0.1:$rtmp_port; application live { live on; } } }" "
        push_stream_shared_memory_size 32M;
        server {
            listen 127.0.0.1:$port reuseport;
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
            location ~ ^/nchan/(publish|subscribers) {
                nchan_publisher;
                nchan_channel_id \$arg_id;
            }
            location /rtmp { rtmp_stat all; }
        }"
}

# subscribers N MODULE ID: succeeds if N clients of all workers wait for
# messages of the channel ID
subscribers()
{
    get "/$2/subscribers?id=$3" 2> /dev/null | tr -d '" \r' | grep -qE "subscribers:$1\$|subscribers:$1[,}]"
}

# delivered MODULE ID: succeeds if all clients that wait for a message get it,
# and at least one of them is connected to another worker than the client that
# sends the message
delivered()
{
    rm -rf "$tmp/got"
    mkdir "$tmp/got"

    clients_pids=
    for i in $(seq "$clients"); do
        curl -sS --max-time 60 -D "$tmp/got/$i.header" -o "$tmp/got/$i" \
            "http://127.0.0.1:$port/$1/subscribe?id=$2" &
        clients_pids="$clients_pids $!"
    done

    within 30 subscribers "$clients" "$1" "$2" || return 1
    curl -sS --max-time 10 -D "$tmp/publisher" -o /dev/null -d "message $2" \
        "http://127.0.0.1:$port/$1/publish?id=$2"

    for pid in $clients_pids; do
        wait "$pid" || { echo "a client has failed"; return 1; }
    done

    for i in $(seq "$clients"); do
        [ "$(cat "$tmp/got/$i")" = "message $2" ] || { head "$tmp/got/$i"; return 1; }
    done

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

# rtmp_publisher NAME: prints all bytes that an RTMP client sends until it
# publishes the stream
rtmp_publisher()
{
    printf '\003'
    zeroes $((2 * 1536))

    {
        rtmp_string connect; zeroes 9
        printf '\003\000\003app'; rtmp_string live; printf '\000\000\011'
    } | rtmp_command 0
    { rtmp_string createStream; zeroes 9; printf '\005'; } | rtmp_command 0
    {
        rtmp_string publish; zeroes 9; printf '\005'; rtmp_string "$1"; rtmp_string live
    } | rtmp_command 1
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
    rm -f "$tmp/end"
    mkfifo "$tmp/end"

    { rtmp_publisher "$1"; cat "$tmp/end"; } | nc 127.0.0.1 "$rtmp_port" > /dev/null &
    exec 3> "$tmp/end"

    pushed=0
    within 30 rtmp_workers "$1" || pushed=1

    exec 3>&-
    kill $! 2> /dev/null

    return $pushed
}

# replaced SIGNAL: sends the signal to a worker, or HUP to the master; waits
# until the new workers run
replaced()
{
    if [ "$1" = HUP ]; then
        old=$(workers)
        kill -HUP "$master"
    else
        old=$(workers | sed -n 2p)
        kill "-$1" "$old"
    fi

    within 30 are "$workers" && within 20 answers / hello
}

begun()
{
    within 30 are "$workers" || { cat "$dir/stdout" "$dir/log"; return 1; }
}

# scenario WHICH: runs all tests with the stock nginx, or with the one that is
# built with the library
scenario()
{
    start_with "$build/$1/nginx"

    ok "$1: starts with the modules" begun
    kill -0 "$master" 2> /dev/null || return

    for when in "" "after a worker was killed" "after a reload"; do
        case $when in
            *killed) ok "$1: a worker is killed" replaced KILL ;;
            *reload) ok "$1: a reload" replaced HUP ;;
        esac

        id=$((${id:-0} + 1))
        ok "$1: push_stream $when" delivered push_stream "$id"
        ok "$1: nchan $when" delivered nchan "$id"
        ok "$1: rtmp $when" pushed "stream$id"
    done

    ok "$1: quits" ended QUIT
    # Both nginxes can log this line of nchan at a reload.
    ok "$1: no errors in the log" clean 'not a big deal if you just reloaded'
}

for module in http-push-stream nchan rtmp; do
    ok "$module is fetched" fetched "$module"
done

ok "nginx is built with the modules" built

scenario stock
scenario ipc

end
