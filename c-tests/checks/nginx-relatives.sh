#!/bin/sh

# nginx-relatives.sh: tests the library with relatives of nginx: OpenResty, Tengine
# and Angie.  nginx/config must recognise their changes, and the library must do what
# they do in their process layer.  The test changes nginx 1.28.3 in the same way as
# they do, and runs the result stock and on the library.

. "$(dirname "$0")/../harness/nginx.sh"

tree=$tmp/relative
unix=$tree/src/os/unix
process=$unix/ngx_process.c

# insert FILE PATTERN TEXT: inserts the text after the first line that has the pattern
insert()
{
    awk -v pattern="$2" -v text="$3" '
        { print }
        !done && $0 ~ pattern { print text; done = 1 }
        END { exit !done }
    ' "$1" > "$tmp/inserted" || { echo "$1 has no $2"; return 1; }

    cp "$tmp/inserted" "$1"
}

# a handler that is called when a child has exited, as in OpenResty
add_proc_exit()
{
    insert "$unix/ngx_process.h" 'INVALID_PID' '
#define NGX_HAVE_PROC_EXIT  1
typedef void (*ngx_proc_exit_pt) (ngx_pid_t pid);
extern ngx_proc_exit_pt  ngx_proc_exit_top_handler;
void ngx_proc_exit_def_handler(ngx_pid_t pid);' || return 1

    cat >> "$process" << 'END'
ngx_proc_exit_pt  ngx_proc_exit_top_handler = ngx_proc_exit_def_handler;
void ngx_proc_exit_def_handler(ngx_pid_t pid) { (void) pid; }
END
    sed -i 's/^        ngx_unlock_mutexes(pid);/&  ngx_proc_exit_top_handler(pid);/' "$process"
}

# a process without a master exits at SIGHUP, as in OpenResty
add_single_exit()
{
    insert "$process" 'case ngx_signal_value\(NGX_RECONFIGURE' '
            if (ngx_process == NGX_PROCESS_SINGLE) {
                action = ", exiting"; ngx_terminate = 1; break;
            }'
}

# two more roles, as in Tengine
add_roles()
{
    insert "$unix/ngx_process_cycle.h" 'NGX_PROCESS_HELPER' '
#define NGX_PROCS           1
#define NGX_PROCESS_PROC    5
#define T_PIPES             1
#define NGX_PROCESS_PIPE    6
void ngx_pipe_broken_action(ngx_log_t *log, ngx_pid_t pid, ngx_int_t is_master);
void ngx_relative_start(ngx_cycle_t *cycle);' \
        && insert "$unix/ngx_process_cycle.c" 'ngx_start_cache_manager_processes\(cycle, 0' \
            '    ngx_relative_start(cycle);' \
        && insert "$process" 'case NGX_PROCESS_SINGLE:' 'case NGX_PROCESS_PIPE:' \
        && insert "$process" 'case NGX_PROCESS_HELPER:' 'case NGX_PROCESS_PROC:' \
        && insert "$process" 'unknown process' '
        for (i = 0; i < ngx_last_process && ngx_processes[i].pid != pid; i++);
        if (i == ngx_last_process) {
            process = "pipe process"; ngx_pipe_broken_action(ngx_cycle->log, pid, 1);
        }'
}

# zones without a slab pool, as in Angie
add_noslab()
{
    insert "$tree/src/core/ngx_cycle.h" 'noreuse;' '    unsigned noslab:1;' \
        && insert "$tree/src/core/ngx_cycle.c" 'sp = .ngx_slab_pool_t .. zn->shm.addr' \
            'if (zn->noslab) return NGX_OK;' \
        && insert "$process" 'for .i = 0; .. void .. ; i' 'if (i < part->nelts && shm_zone[i].noslab) continue;'
}

# an ngx_shmem.c that does more, as in Angie
add_shmem()
{
    insert "$unix/ngx_shmem.c" 'MAP_ANON.MAP_SHARED, -1, 0' '
    ngx_log_error(NGX_LOG_NOTICE, shm->log, 0, "relative: zone of %uz bytes", shm->size);'
}

# an ngx_slab.c that does more, as in Angie
add_slab()
{
    echo 'ngx_uint_t  ngx_relative_slab;' >> "$tree/src/core/ngx_slab.c"
}

# ngx_log_error_core() with one more parameter, as in Angie 1.12
add_log()
{
    sed -i -e 's/^\(.*ngx_log_error_core(ngx_uint_t level, ngx_log_t \*log\), /\1, const char *file, /' \
        -e 's/\(ngx_log_error_core([a-zA-Z_]*, log\), /\1, __FILE__, /' \
        "$tree/src/core/ngx_log.h" "$tree/src/core/ngx_log.c"
    grep -q 'const char .file, ngx_err_t' "$tree/src/core/ngx_log.c" \
        && grep -q 'log, __FILE__, __VA' "$tree/src/core/ngx_log.h"
}

relative()
{
    sh "$top/nginx/fetch.sh" 1.28.3 "$tree" \
        && add_proc_exit && add_single_exit && add_roles && add_noslab && add_shmem && add_slab && add_log
}

# configure DIRECTORY [OPTION...]
configure()
{
    builddir=$1
    shift
    (
        cd "$tree" && sh auto/configure --builddir="$builddir" --without-http_rewrite_module \
            --without-http_gzip_module "--add-module=$top/c-tests/fixtures/relative" "$@"
    ) > "$tmp/configured" 2>&1 || { tail -n 20 "$tmp/configured"; return 1; }
}

compile()
{
    make -s -j2 -C "$tree" -f "$1/Makefile" > "$tmp/made" 2>&1 \
        || { tail -n 20 "$tmp/made"; return 1; }
}

# refused WORD...: succeeds if configure stops and its output has each of the words
refused()
{
    ! configure ipc "--add-module=$top/nginx" > /dev/null || { echo "configure succeeded"; return 1; }
    said "$@"
}

said()
{
    for word; do
        grep -qF "$word" "$tmp/configured" || { cat "$tmp/configured"; return 1; }
    done
}

# replaced NAME...: succeeds if nginx's own files of these names were not compiled
replaced()
{
    for name; do
        [ ! -f "$tree/ipc/src/os/unix/ngx_$name.o" ] || return 1
    done
}

logged()
{
    grep -qE "$1" "$dir/log"
}

# pid_of NAME: prints the pid of the process that the relative has started
pid_of()
{
    sed -n "s/.*relative: $1 \([0-9]*\) started.*/\1/p" "$dir/log" | head -n 1
}

killed()
{
    old=$(workers | head -n 1)
    kill -9 "$old"
    within 20 logged "worker process $old exited on signal 9" \
        && within 20 logged "relative: process $old has exited" \
        && within 20 answers / hello && kill -0 "$master"
}

terminated()
{
    pid=$(pid_of proc)
    kill "$pid" && within 20 logged "proc process $pid exited with code 0" \
        && within 20 logged "relative: process $pid has exited"
}

pipe_broken()
{
    pid=$(pid_of pipe)
    kill "-$1" "$pid" && within 20 logged "pipe process $pid exited $2" \
        && within 20 logged "relative: pipe $pid is broken"
}

server()
{
    port=$(free_port)
    start "$tree/$1/nginx" "worker_processes 2; relative_zone; $2" \
        "server { listen 127.0.0.1:$port; }"
    within 20 answers / hello
}

# scenario WHICH
scenario()
{
    ok "$1: starts" server "$1" ""
    ok "$1: its own ngx_shmem.c maps the zones" logged 'relative: zone of 65536 bytes'
    ok "$1: a killed worker with a zone that is no slab pool" killed
    ok "$1: SIGTERM to a process with a role of the relative" terminated
    ok "$1: SIGTERM to a pipe process" pipe_broken TERM 'with code 0'
    ok "$1: quits" ended QUIT
    ok "$1: no errors in the log" clean

    ok "$1: starts again" server "$1" ""
    ok "$1: a killed pipe process" pipe_broken KILL 'on signal 9'
    kill "$(pid_of proc)"
    ok "$1: quits" ended QUIT

    ok "$1: starts without a master" server "$1" "master_process off;"
    ok "$1: SIGHUP ends it" ended HUP
    ok "$1: says so in the log" logged 'SIGHUP.*, exiting'
}

ok "the relative is made" relative
ok "the stock relative is built" configure stock
ok "the stock relative is compiled" compile stock

unset NGX_IPC_REPLACE
ok "configure names what would be lost" refused \
    'src/os/unix/ngx_process.c of this nginx does more than ngx_ipc' 'ngx_process_get_status()' \
    'ngx_signal_handler()' 'ngx_unlock_mutexes()' 'set NGX_IPC_REPLACE='

# NGX_IPC_REPLACE names the files
export NGX_IPC_REPLACE=process
ok "configure replaces a file that is named" configure ipc "--add-module=$top/nginx"
ok "configure says what it does" said 'ngx_process.c is replaced, and these parts of it are lost' \
    'ngx_channel.c is replaced' 'ngx_shmem.c is kept' 'ngx_shm_alloc()' \
    'ngx_shmtx.c is kept' 'ngx_slab.c is kept' 'ngx_relative_slab;'
ok "it is compiled" compile ipc
ok "two files are replaced" replaced process channel
not_ok "nginx's own ngx_shmem.c is kept" replaced shmem

scenario stock
scenario ipc

end
