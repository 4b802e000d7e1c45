#!/bin/sh

# run.sh: measures events in Lua between four workers: lua/resty/ngx_ipc.lua, and a shared
# dictionary that each worker polls.  The nginx is that of Debian, as the tests have it.
#
#   rate     events of 64 bytes in a second that reach all four workers
#   p50, p99 the delay to workers that sleep, in microseconds

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
debian=$top/build/debian-nginx
modules=$debian/usr/lib/nginx/modules
port=${PORT:-18941}

sh "$top/c-tests/run/debian-nginx.sh" "$debian"
NGINX=$debian/usr/sbin/nginx NGINX_SRC=$debian/usr/share/nginx/src \
    sh "$top/nginx/module.sh" build "$top/build/nginx-module" > /dev/null

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# measure NAME BEGIN PUBLISH: runs nginx with the Lua code BEGIN in its workers, where
# PUBLISH is a function that sends an event
measure()
{
    cat > "$dir/conf" << CONF
load_module $top/build/nginx-module/ngx_ipc_module.so;
load_module $modules/ndk_http_module.so;
load_module $modules/ngx_http_lua_module.so;
user root;
worker_processes 4;
pid pid;
error_log log error;
ipc_messages memory=64m;
events {}
http {
    access_log off;
    lua_package_path "$top/lua/?.lua;$top/benches/lua/?.lua;$debian/usr/share/lua/5.1/?.lua;;";
    lua_shared_dict results 1m;
    lua_shared_dict events 128m;
    init_worker_by_lua_block { bench = require "bench" $2 }
    server {
        listen 127.0.0.1:$port;
        location / {
            content_by_lua_block {
                local publish = $3
                bench.rate(publish)
                local rate = bench.rate(publish)
                ngx.say(("%-22s %8.0f/s  p50 %8.0f  p99 %8.0f"):format("$1", rate,
                                                               bench.delays(publish)))
            }
        }
    }
}
CONF

    "$debian/usr/sbin/nginx" -p "$dir" -c "$dir/conf" -e log
    curl -s --retry 5 --retry-connrefused "http://127.0.0.1:$port/"
    pid=$(cat "$dir/pid")
    kill -QUIT "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    cat "$dir/log"
}

for interval in 1 0.01 0.001; do
    measure "shared dict, $interval s" \
        "require('shdict').start($interval, bench.handler())" "require('shdict').publish"
done

measure "ngx_ipc" "require('resty.ngx_ipc').subscribe('bench', bench.handler())" \
    "require('resty.ngx_ipc').publish"
