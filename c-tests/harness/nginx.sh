# Shared by the tests of a real nginx in shell: starts one, asks it, ends it.

. "$(dirname "$0")/../harness/tap.sh"

# where the server is, and its port
dir=$tmp/server
port=

# within SECONDS COMMAND...: asks until the command succeeds
within()
{
    deadline=$(($(date +%s) + $1))
    shift

    until "$@"; do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            echo "in vain: $*"
            return 1
        fi
        sleep 0.05
    done
}

# free_port: one that nobody has; the kernel does not give it out again soon
free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# start NGINX MAIN HTTP: in $dir, with those directives at the top and in http;
# its pid is in $master.  It answers / with "hello"
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

# workers: the pids of all that the master has started and not reaped
workers()
{
    tr ' ' '\n' 2> /dev/null < "/proc/$master/task/$master/children" | grep .
}

# are N: there are so many workers, none of them a pid in $old
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

# ended: the master has gone, with code 0
ended()
{
    kill "-$1" "$master" && within 20 fails kill -0 "$master" 2> /dev/null && wait "$master"
}

# clean [TEXT]: nothing worth more than a warning was logged, but for workers
# that were killed, and lines with the text
clean()
{
    ! grep -E '\[(error|crit|alert|emerg)\]' "$dir/log" \
        | grep -vE "exited on signal 9\$${1:+|$1}"
}
