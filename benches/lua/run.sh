#!/bin/sh

# run.sh: measures events in Lua between four workers: lua/resty/ngx_ipc.lua, messages of a
# module in C, and a shared dictionary that each worker polls.  The nginx is that of Debian,
# as the tests have it.
#
#   rate     events of 64 bytes in a second that reach all four workers
#   p50, p99 the delay to workers that sleep, in microseconds
#
# Then it prints for each comparison the median of the ratios of the rounds, and the ratios.
#
# With WORKER_EVENTS=DIR also lua-resty-worker-events, whose sources are in DIR.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
debian=$top/build/debian-nginx
cjson=$top/build/debian-cjson
modules=$debian/usr/lib/nginx/modules
sources=$debian/usr/share/nginx/src
objects=$top/build/nginx-module/objs
port=${PORT:-18941}

sh "$top/c-tests/run/debian-nginx.sh" "$debian"
sh "$top/c-tests/run/debian-packages.sh" "$cjson" lua-cjson
NGINX=$debian/usr/sbin/nginx NGINX_SRC=$sources \
    sh "$top/nginx/module.sh" build "$top/build/nginx-module" > /dev/null

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/modules.c" << C
#include <ngx_config.h>
#include <ngx_core.h>
extern ngx_module_t  ngx_http_bench_module;
ngx_module_t *ngx_modules[] = { &ngx_http_bench_module, NULL };
char *ngx_module_names[] = { "ngx_http_bench_module", NULL };
char *ngx_module_order[] = { NULL };
C

set --
for part in core event event/modules event/quic os/unix http http/modules http/v2; do
    set -- "$@" -I"$sources/src/$part"
done
cc -shared -fPIC -O2 -o "$dir/bench.so" -I"$objects" -I"$objects/ngx_ipc/include" "$@" \
    "$top/benches/lua/ngx_http_bench_module.c" "$dir/modules.c"

# nginx BEGIN LOCATION: starts nginx with the Lua code BEGIN in its workers, gets an answer
# of LOCATION, and stops it
nginx()
{
    cat > "$dir/conf" << CONF
load_module $top/build/nginx-module/ngx_ipc_module.so;
load_module $modules/ndk_http_module.so;
load_module $modules/ngx_http_lua_module.so;
load_module $dir/bench.so;
user root;
worker_processes 4;
pid pid;
error_log log error;
ipc_messages size=64m;
events {}
http {
    access_log off;
    lua_package_path "$top/lua/?.lua;$top/benches/lua/?.lua;${WORKER_EVENTS:-$top}/lib/?.lua;$debian/usr/share/lua/5.1/?.lua;;";
    lua_package_cpath "$(echo "$cjson"/usr/lib/*/lua/5.1)/?.so;;";
    lua_shared_dict results 1m;
    lua_shared_dict events 128m;
    init_worker_by_lua_block { bench = require "bench" $1 }
    server {
        listen 127.0.0.1:$port;
        location / { $2 }
    }
}
CONF

    "$debian/usr/sbin/nginx" -p "$dir" -c "$dir/conf" -e log
    curl -s --retry 5 --retry-connrefused "http://127.0.0.1:$port/"
    pid=$(cat "$dir/pid")
    kill -QUIT "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    cat "$dir/log"
    rm "$dir/log"
}

# measure NAME BEGIN PUBLISH: measures events that the function PUBLISH sends
measure()
{
    printf '%-28s ' "$1"
    nginx "$2" "content_by_lua_block {
        local publish = $3
        local ok, failed = pcall(function ()
            bench.wait_for_start()
            bench.rate(publish)
            local rate = bench.rate(publish)
            ngx.say(('%8.0f/s  p50 %8.0f  p99 %8.0f'):format(rate, bench.delays(publish)))
        end)
        if not ok then ngx.say(failed) end
    }"
}

# measure_dict INTERVAL, measure_events INTERVAL: measure programs that poll
measure_dict()
{
    measure "shared dict, $1 s" "require('shdict').start($1, bench.handler())" \
        "require('shdict').publish"
}

measure_events()
{
    if [ -n "${WORKER_EVENTS:-}" ]; then
        measure "worker-events, $1 s" \
            "local e = require('resty.worker.events') e.register(bench.handler(), 'bench')
             assert(e.configure { shm = 'events', timeout = 60, interval = $1 })" \
            "function (_, data) return require('resty.worker.events').post('bench', 'event', data) end"
    fi
}

measure_dict 0.01
measure_dict 0.001
measure_events 0.01

# one_round: measures once what is compared
one_round()
{
    measure_dict 1
    measure_events 1
    measure "ngx_ipc" "require('resty.ngx_ipc').subscribe('bench', bench.handler())" \
        "require('resty.ngx_ipc').publish"

    printf '%-28s %10s  ' "a module in C" ""
    nginx "" "bench;"
}

# ratios NAME OTHER COLUMN: prints for each round the number of NAME divided by that of OTHER
ratios()
{
    awk -v name="$1" -v other="$2" -v column="$3" '
        function value() {
            match($0, column == "p99" ? "p99 +[0-9.]+" : "[0-9.]+/s")
            return substr($0, RSTART + (column == "p99" ? 3 : 0), RLENGTH) + 0
        }
        index($0, "shared dict") == 1 { mine = theirs = 0 }   # a round begins
        index($0, name) == 1 { mine = value() }
        index($0, other) == 1 { theirs = value() }
        mine && theirs { printf "%.2f\n", mine / theirs; mine = theirs = 0 }
    ' "$dir/rounds"
}

# median NAME OTHER COLUMN: prints the median, and all ratios
median()
{
    ratios "$@" | sort -n > "$dir/ratios"

    if [ -s "$dir/ratios" ]; then
        printf '%s, %s to "%s": %s (%s)\n' "$3" "$1" "$2" \
            "$(awk '{ r[NR] = $1 } END { print r[int((NR + 1) / 2)] }' "$dir/ratios")" \
            "$(paste -s -d ' ' "$dir/ratios")"
    fi
}

# The machine can be slower for some seconds, so what is compared alternates.
for _ in 1 2 3 4 5; do
    one_round > "$dir/round"
    tee -a "$dir/rounds" < "$dir/round"
done

echo
median ngx_ipc "shared dict" rate
median ngx_ipc "worker-events" rate
median ngx_ipc "a module in C" p99
