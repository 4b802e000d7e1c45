#!/bin/sh

# languages.sh DIR: builds the example in C++ with the library in DIR, with g++ and
# clang++, and runs it and the example in Python. A warning is a failure.

. "$(dirname "$0")/../harness/tap.sh"

lib=$1
full=$(cd "$top/$lib" && pwd)


# squares: runs the program in C++; succeeds if it prints each square and their sum
squares()
{
    timeout 30 "$full/squares" > "$tmp/out" 2> "$tmp/log" || { cat "$tmp/log"; return 1; }
    printf '%s\n' 'sum 30, workers 4' 'worker 0: 1' 'worker 1: 4' 'worker 2: 9' 'worker 3: 16' \
        > "$tmp/expected"
    LC_ALL=C sort "$tmp/out" | diff "$tmp/expected" - || { cat "$tmp/log"; return 1; }
}

# unit STANDARD COMPILER [FLAG...]: compiles a source that uses each class of ngx_ipc.hpp
unit()
{
    cat > "$tmp/unit.cpp" <<'END'
#include <ngx_ipc.hpp>

struct pair { int a, b; };
struct too_large { char bytes[size_t(1) << 60]; };

static int failures;
static void count(ngx_log_t *, ngx_uint_t, u_char *, size_t) { failures++; }

/* Objects that cannot be made are false, and each reason is in the log of the cycle. */
static int failed(ngx_cycle_t *cycle)
{
    ngx_log_t log{};
    log.log_level = NGX_LOG_ALERT;
    log.writer = count;
    cycle->log = &log;

    ngx_ipc::shm<too_large> memory;
    if (memory || failures != 1) return 8;

    rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    ngx_ipc::channel_pair ends;
    setrlimit(RLIMIT_NOFILE, &before);
    if (ends || failures != 2) return 9;

    cycle->log = nullptr;
    ngx_ipc::shm<too_large> more;
    return more ? 10 : 0;
}

int main()
{
    static ngx_cycle_t cycle;
    if (ngx_ipc_init(&cycle) != NGX_OK) return 1;

    ngx_ipc::shm<pair> memory;
    if (!memory || memory->a != 0) return 2;
    memory->b = 1;

    ngx_ipc::channel_pair ends;
    ngx_channel_t ch{}, got{};
    if (!ends) return 3;
    ch.command = 31;
    ch.fd = -1;
    if (ends.write(0, ch) != NGX_OK || ends.read(1, got) <= 0 || got.command != 31) return 4;
    if (ends.read(1, got) != NGX_AGAIN) return 5;

    ngx_ipc::pool pool = ngx_ipc::create_pool();
    if (!pool || !ngx_palloc(pool.get(), 10)) return 6;

    int last = ends[1];
    { ngx_ipc::channel_pair more; last = more[0]; }
    if (fcntl(last, F_GETFD) != -1) return 7;
    return failed(&cycle);
}
END
    std=$1
    shift
    "$@" "-std=$std" -Wall -Wextra -Wpedantic -Werror "-I$full/include" "-I$top/include" \
        "$tmp/unit.cpp" -o "$tmp/unit" "-L$full" -lngx_ipc "-Wl,-rpath,$full" && "$tmp/unit"
}

# python: prints the interpreter that has the package cffi
python()
{
    for program in python3 /usr/bin/python3; do
        "$program" -c 'import cffi' 2> "$tmp/cffi" && echo "$program" && return
    done
    return 1
}

# worker_py: runs the program in Python; succeeds if the worker has computed the square
worker_py()
{
    LD_LIBRARY_PATH=$full timeout 30 "$python" "$top/examples/python/worker.py" \
        > "$tmp/out" 2> "$tmp/log" || { cat "$tmp/log"; return 1; }
    [ "$(cat "$tmp/out")" = "the square is 144" ] || { cat "$tmp/out" "$tmp/log"; return 1; }
}

for compiler in g++ clang++; do
    if ! command -v $compiler > /dev/null; then
        skip "the example in C++ with $compiler" "$compiler is not installed"
        continue
    fi

    rm -f "$full/squares"
    ok "the example in C++ builds with $compiler" \
        make -s -C "$top" "B=$lib" "CXX=$compiler" "$lib/squares"
    ok "the workers send their squares" squares
    ok "shared memory, channels and pools, $compiler" unit c++17 $compiler
    ok "they compile with C++20, $compiler" unit c++20 $compiler
done

ok "they leak no memory" unit c++17 g++ -fsanitize=address,undefined

if python=$(python); then
    ok "a worker in Python" worker_py
else
    skip "a worker in Python" "cffi is not installed"
fi

end
