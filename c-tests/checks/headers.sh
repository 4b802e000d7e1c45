#!/bin/sh

# headers.sh INCLUDE: compiles each header of the directory INCLUDE alone, with gcc
# and clang, as C99, C11, C17 and C++17, and each two headers in both orders.  A
# warning is a failure.

. "$(dirname "$0")/../harness/tap.sh"

include=$1
flags="-Wall -Wextra -Werror -pedantic -fsyntax-only -I$include"
headers=$(cd "$include" && ls ngx_*.h)

# the source to compile; each job has its own
unit=$tmp/unit

# compiles COMPILER STANDARD LANGUAGE: compiles the source
compiles()
{
    "$1" $flags "-std=$2" -x "$3" "$unit"
}

# unit HEADER...: writes a source that includes these headers
unit()
{
    for h; do echo "#include <$h>"; done > "$unit"
    echo "int ngx_unit;" >> "$unit"
}

# alone COMPILER STANDARD LANGUAGE: compiles each header alone
alone()
{
    for h in $headers; do
        unit "$h"
        compiles "$@" || { echo "$h"; return 1; }
    done
}

# others HEADER COMPILER STANDARD LANGUAGE: prints the headers that HEADER does not
# include
others()
{
    unit "$1"
    "$2" "-I$include" "-std=$3" -x "$4" -MM "$unit" \
        | tr ' ' '\n' | sed 's:.*/::' | sort > "$unit.included"
    echo "$headers" | sort | comm -23 - "$unit.included"
}

# in_pairs COMPILER STANDARD LANGUAGE: compiles each two headers in both orders, and
# each header twice, with as many jobs as there are processors
in_pairs()
{
    jobs=$(nproc)
    pids=
    status=0

    for job in $(seq "$jobs"); do
        some_in_pairs "$job" "$@" &
        pids="$pids $!"
    done

    for pid in $pids; do
        wait "$pid" || status=1
    done

    return "$status"
}

# some_in_pairs JOB COMPILER STANDARD LANGUAGE: what one of the jobs compiles
some_in_pairs()
{
    unit=$tmp/unit$1
    some=$(echo "$headers" | awk -v job="$1" -v jobs="$jobs" 'NR % jobs == job - 1')
    shift

    for a in $some; do
        before_others "$a" "$@" || return 1
    done
}

# before_others HEADER COMPILER STANDARD LANGUAGE: compiles HEADER before each other
# one, and twice.  A header that HEADER includes adds nothing behind it, because each
# header does nothing the second time.
before_others()
{
    a=$1
    shift

    for b in $a $(others "$a" "$@"); do
        unit "$a" "$b"
        compiles "$@" || { echo "$a before $b"; return 1; }
    done
}

for compiler in gcc clang; do
    if ! command -v $compiler > /dev/null; then
        skip "headers with $compiler" "$compiler is not installed"
        continue
    fi

    for std in c99 c11 c17; do
        ok "each header alone, $compiler -std=$std" alone $compiler $std c
    done

    ok "each header alone, $compiler -std=c++17" alone $compiler c++17 c++
done

ok "any two headers in any order, C" in_pairs gcc c99 c
ok "any two headers in any order, C++" in_pairs gcc c++17 c++

# both COMPILER STANDARD LANGUAGE: compiles calls of functions and pointers to
# functions whose names are macros too; the macros pass the size of a structure
both()
{
    cat > "$unit" <<'END'
#include <ngx_ipc.h>
void (*conf_init)(ngx_core_conf_t *) = ngx_ipc_conf_init;
ngx_int_t (*init)(ngx_cycle_t *) = ngx_ipc_init;
ngx_int_t (*next)(ngx_ipc_process_t *) = &ngx_ipc_next_process;
ngx_int_t all(ngx_core_conf_t *conf, ngx_cycle_t *cycle, ngx_ipc_process_t *p);
ngx_int_t all(ngx_core_conf_t *conf, ngx_cycle_t *cycle, ngx_ipc_process_t *p)
{
    ngx_ipc_conf_init(conf);
    (ngx_ipc_conf_init)(conf);
    return (ngx_ipc_init(cycle) != NGX_OK) ? NGX_ERROR : ngx_ipc_next_process(p);
}
END
    compiles "$@"
}

ok "functions that are macros too, C" both gcc c99 c
ok "functions that are macros too, C++" both gcc c++17 c++

# prefixed: succeeds if the name of each macro is one of nginx's or begins with
# one of nginx's prefixes, so that it does not conflict with a program's names
prefixed()
{
    ! grep -n '^#define' "$include"/ngx_*.h \
        | grep -vE '#define +(_?NGX_|ngx_|_GNU_SOURCE|LF|CR|CRLF)'
}

ok "all macros have nginx's prefixes" prefixed

# The last test checks that compiles() fails at a warning, so that the other
# tests can fail at all.
echo '#include <ngx_core.h>' > "$unit"
echo 'int f(void) { ngx_int_t unused; return 0; }' >> "$unit"
not_ok "a warning is an error" compiles gcc c99 c

end
