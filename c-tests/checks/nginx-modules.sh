#!/bin/sh

# nginx-modules.sh [NAME...]: runs modules of other authors that use the process
# table and channels, in a stock nginx and in one that is built with the library.
# A client sends a message to one worker; the clients of all workers must get it:
# also after workers were killed, while a worker keeps crashing, and after
# reloads.  harness/modules.sh says what the modules do.
#
# NAME is 1.28.3, or the name of a Debian release, see nginx/fetch.sh.  If
# build/modules-NAME/src already has the sources of an nginx, NAME is any name.  The
# built programs stay in build/modules-NAME, for the next run.  Several nginxes are
# tested at the same time, because the tests often wait.

. "$(dirname "$0")/../harness/modules.sh"

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

    serving
}

# serving: succeeds if all workers run, none of which is in $old
serving()
{
    within 30 are "$workers" && within 20 answers / hello
}

begun()
{
    old=
    within 30 are "$workers" || { cat "$dir/stdout" "$dir/log"; return 1; }
}

# next_victim: succeeds if a worker runs that is not in $others
next_victim()
{
    victim=$(workers | grep -vxF "$others" | head -n 1)
    [ -n "$victim" ]
}

# long_delays: prints how often the library has delayed a respawn for long
long_delays()
{
    grep -cE 'respawning in (1600|2000) ms' "$dir/log"
}

replaced_or_delayed()
{
    next_victim || [ "$(long_delays)" -gt "$delays" ]
}

# crashed [PID]: kills a worker again each time it has been respawned.  With the
# library the function stops when the delay before the respawn is long, with a stock
# nginx after 8 times
crashed()
{
    old=
    delays=$(long_delays)
    victim=${1:-$(workers | sed -n 2p)}

    for i in $(seq 20); do
        others=$(workers)
        kill -9 "$victim"
        within 10 replaced_or_delayed || return 1

        if [ -z "$victim" ] || { [ "$which" = stock ] && [ "$i" -eq 8 ]; }; then
            return 0
        fi
    done

    echo "the library does not delay the respawn"
    return 1
}

reloaded_while_crashing()
{
    crashed || return 1
    replaced HUP
}

recovered()
{
    crashed || return 1
    serving
}

# survivors MODULE ID: while a worker keeps crashing, the clients of the other
# workers get a message
survivors()
{
    subscribe "$1" "$2" || return 1
    pid=$(other_worker "$2")
    served=$(connections "$pid")
    crashed "$pid" && publish "$1" "$2"
    gather "$2"
    echo "$served clients of the worker that crashed"
    [ "$lost" -eq "$served" ] && [ "$delivered" -eq $((clients - served)) ]
}

# everywhere WHEN: each module delivers messages to all workers
everywhere()
{
    id=$((${id:-0} + 1))
    ok "$which: push_stream $1" delivered push_stream "$id"
    ok "$which: nchan $1" delivered nchan "$id"
    ok "$which: rtmp $1" pushed "stream$id"
    ok "$which: lua $1" lua_delivered "$id"
    ok "$which: the pids of the workers $1" lua_pids
}

scenario()
{
    which=$1
    modules_start "$2"

    ok "$which: starts with the modules" begun
    kill -0 "$master" 2> /dev/null || return

    everywhere ""
    ok "$which: rtmp executes a program" executed "program"

    ok "$which: a worker is killed" replaced KILL
    everywhere "after a worker was killed"

    ok "$which: a reload" replaced HUP
    everywhere "after a reload"

    for module in push_stream nchan; do
        id=$((id + 1))
        ok "$which: $module while a worker keeps crashing" survivors "$module" "$id"
        ok "$which: the worker runs again" serving
    done

    ok "$which: a worker keeps crashing" recovered
    everywhere "after the crashes"

    ok "$which: a reload while a worker keeps crashing" reloaded_while_crashing
    everywhere "after that reload"

    ok "$which: quits" ended QUIT
    # Both nginxes can log these lines.  They come from nchan, from rtmp, and from
    # nginx if SIGKILL has killed a worker that had locked a zone.
    lines="not a big deal if you just reloaded|can't find chanhead for id"
    lines="$lines|Got keepalive for expired channel|already subscribed channel"
    lines="$lines|MEMSTORE:[0-9]+: "
    lines="$lines|shared memory zone .* was locked by"
    lines="$lines|nginx-rtmp.* failed .111: Connection refused"
    ok "$which: no errors in the log" clean "$lines"
}

[ $# -gt 0 ] || set -- 1.28.3

ok "the modules are fetched" modules_fetched

if [ $# -gt 1 ]; then
    status=0
    end || exit

    for name; do
        sh "$0" "$name" > "$tmp/output-$name" 2>&1 &
        echo "$!" > "$tmp/pid-$name"
    done

    for name; do
        wait "$(cat "$tmp/pid-$name")" || status=1
        cat "$tmp/output-$name"
    done

    exit "$status"
fi

build=$top/build/modules-$1

ok "nginx of $1 is built with the modules" with_modules "$1" "$build"

scenario stock "$build/stock/nginx"
scenario ipc "$build/ipc/nginx"

end
