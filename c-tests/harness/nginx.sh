# Sourced by the checks that run a real nginx: starts it, sends requests, stops
# it.

. "$(dirname "$0")/../harness/tap.sh"

# the directory of the server, and its port
dir=$tmp/server
port=

# within SECONDS COMMAND...: repeats the command until it succeeds
within()
{
    deadline=$(($(date +%s) + $1))
    shift

    until "$@"; do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            echo "not within the time limit: $*"
            return 1
        fi
        sleep 0.05
    done
}

# free_port: an unused port, which the kernel does not assign again soon
free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# start NGINX MAIN HTTP: starts it in $dir, with these directives in the main
# context and in http; the pid is in $master.  / is "hello"
start()
{
    rm -rf "$dir"
    mkdir -p "$dir/logs" "$dir/html"
    echo hello > "$dir/html/index.html"
    chmod 755 "$tmp"
    cat > "$dir/conf" << END
daemon off;
pid pid;
error_log log info;
$2
events { worker_connections 64; }
http { access_log off; $3 }
END
    "$1" -p "$dir" -c conf > "$dir/stdout" 2>&1 &
    master=$!
}

# workers: the pids of the children that the master has not reaped
workers()
{
    tr ' ' '\n' 2> /dev/null < "/proc/$master/task/$master/children" | grep .
}

# are N: there are N workers, and none of them is in $old
are()
{
    workers > "$dir/workers"
    [ "$(wc -l < "$dir/workers")" -eq "$1" ] && ! grep -qwF "${old:-none}" "$dir/workers"
}

get()
{
    curl -sS --max-time 10 "http://127.0.0.1:$port$1"
}

answers()
{
    [ "$(get "$1" 2> /dev/null)" = "$2" ]
}

# ended SIGNAL: the master exits with code 0
ended()
{
    kill "-$1" "$master" && within 20 fails kill -0 "$master" 2> /dev/null && wait "$master"
}

# clean [TEXT]: the log has no line above level warn, except about workers that
# were killed, and lines with the text
clean()
{
    ! grep -E '\[(error|crit|alert|emerg)\]' "$dir/log" \
        | grep -vE "exited on signal 9\$${1:+|$1}"
}

# catches TIMES: so often has the module in fixtures/rust caught a panic
catches()
{
    [ "$(grep -c 'panics caught: 1' "$dir/log")" -ge "$1" ]
}

# module_catches NGINX MODULE: a module in Rust catches a panic at the start and at
# a reload
module_catches()
{
    start "$1" "load_module $2;" ""
    { within 20 catches 1 && within 20 are 1 && kill -HUP "$master" && within 20 catches 2 \
        && ended QUIT; } || { cat "$dir/stdout" "$dir/log"; return 1; }
}
