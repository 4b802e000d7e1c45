#!/bin/sh

# run.sh: measures what ngx_ipc_module.so costs an nginx that loads it and does not use it.
# Debian's nginx, as the tests have it, runs without the module and with it.
#
#   requests  answers of "return 200" in a second, of one worker; both nginx in turn, and
#             the median of the ratios of all rounds
#   memory    Pss of the master and of its worker, in kB, after the requests
#
# ROUNDS is the number of rounds.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
debian=$top/build/debian-nginx
port=${PORT:-18951}

sh "$top/c-tests/run/debian-nginx.sh" "$debian"
NGINX=$debian/usr/sbin/nginx NGINX_SRC=$debian/usr/share/nginx/src \
    sh "$top/nginx/module.sh" build "$top/build/nginx-module" > /dev/null

dir=$(mktemp -d)
trap 'kill $(cat "$dir"/*/pid) 2> /dev/null; rm -rf "$dir"' EXIT

# start NAME PORT LINE: starts nginx with the line in the main context
start()
{
    mkdir "$dir/$1"
    cat > "$dir/$1/conf" << CONF
$3
user root;
worker_processes 1;
worker_cpu_affinity 01;
pid pid;
error_log log error;
events {}
http {
    access_log off;
    server { listen 127.0.0.1:$2; location / { return 200; } }
}
CONF
    "$debian/usr/sbin/nginx" -p "$dir/$1" -c conf -e log
}

# measure NAME PORT: adds a line with the requests in a second to the file of this nginx
measure()
{
    taskset -c 1 wrk -t 1 -c 64 -d 2s "http://127.0.0.1:$2/" \
        | awk '$1 == "Requests/sec:" { print $2 }' >> "$dir/$1/rates"
}

# memory NAME: prints the memory of this nginx
memory()
{
    pid=$(cat "$dir/$1/pid")
    # shellcheck disable=SC2046
    cat $(printf '/proc/%s/smaps_rollup ' "$pid" $(cat "/proc/$pid/task/$pid/children")) \
        | awk '$1 == "Pss:" { sum += $2 } END { print sum }'
}

median()
{
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

start without "$port" ""
start with "$((port + 1))" "load_module $top/build/nginx-module/ngx_ipc_module.so;"

for round in $(seq "${ROUNDS:-15}"); do
    [ $((round % 2)) -eq 0 ] || measure without "$port"
    measure with "$((port + 1))"
    [ $((round % 2)) -ne 0 ] || measure without "$port"
done

echo "requests without the module: $(median < "$dir/without/rates")/s"
echo "requests with the module:    $(median < "$dir/with/rates")/s"
echo "ratio:                       $(paste "$dir/with/rates" "$dir/without/rates" \
    | awk '{ print $1 / $2 }' | median)"
echo "memory without the module:   $(memory without) kB"
echo "memory with the module:      $(memory with) kB"
