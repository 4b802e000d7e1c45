# Functions that start a real nginx, send requests to it and stop it.  The
# checks of nginx source this file.

. "$(dirname "$0")/../harness/tap.sh"

# $dir is the directory of the running nginx; $port is the port on which it
# listens.
dir=$tmp/server
port=

# within SECONDS COMMAND...: repeats the command until it succeeds; fails if it
# has not succeeded after so many seconds
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

# free_port: prints a port that no socket uses and that the kernel does not assign to
# clients
free_port()
{
    python3 -c '
import random, socket
while True:
    try:
        port = random.randrange(10000, 30000)
        socket.socket().bind(("127.0.0.1", port))
        break
    except OSError:
        pass
print(port)'
}

# start NGINX MAIN HTTP: starts the program NGINX in $dir, with the directives
# MAIN in the main context and HTTP in the http block; the master's pid is in
# $master.  The file "/" contains "hello"
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

# workers: prints the pids of the children that the master has not reaped
workers()
{
    tr ' ' '\n' 2> /dev/null < "/proc/$master/task/$master/children" | grep .
}

# are N: succeeds if the master has N children, and none of their pids is in
# $old
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

# ended SIGNAL: sends the signal to the master; succeeds if the master then
# exits with code 0
ended()
{
    kill "-$1" "$master" && within 20 fails kill -0 "$master" 2> /dev/null && wait "$master"
}

# clean [TEXT]: succeeds if nginx's log has no line of level error or above.
# Lines about workers that SIGKILL killed, and lines that contain TEXT, are
# ignored
clean()
{
    ! grep -E '\[(error|crit|alert|emerg)\]' "$dir/log" \
        | grep -vE "exited on signal 9\$${1:+|$1}"
}

# compiles_other PANIC DIR: compiles the library of another crate, DIR/libother_PANIC.a
compiles_other()
{
    rustc --edition 2024 -O -C "panic=$1" --crate-type staticlib --crate-name "other_$1" \
        -o "$2/libother_$1.a" "$top/c-tests/fixtures/rust/other.rs"
}

# links_module NGINX NAME DIR: links a module of the nginx in NGINX/NAME with the library
# DIR/libother_unwind.a, which catches a panic: DIR/module.so
links_module()
{
    includes=
    for part in core event event/modules os/unix; do
        includes="$includes -I$1/src/src/$part"
    done
    # shellcheck disable=SC2086
    cc -shared -fPIC -O1 $includes "-I$1/$2" -o "$3/module.so" \
        "$top/c-tests/fixtures/rust/module.c" -Wl,--whole-archive "$3/libother_unwind.a" \
        -Wl,--no-whole-archive -lutil -lrt -lpthread -lm -ldl
}

# catches TIMES: succeeds if the module in fixtures/rust has caught a panic at least
# TIMES times
catches()
{
    [ "$(grep -c 'panics caught: 1' "$dir/log")" -ge "$1" ]
}

# module_catches NGINX MODULE: succeeds if a module in Rust catches a panic at the
# start and at a reload
module_catches()
{
    start "$1" "load_module $2;" ""
    { within 20 catches 1 && within 20 are 1 && kill -HUP "$master" && within 20 catches 2 \
        && ended QUIT; } || { cat "$dir/stdout" "$dir/log"; return 1; }
}
