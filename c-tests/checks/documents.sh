#!/bin/sh

# documents.sh [LIBRARY]: checks README.md, CONTRIBUTING.md, SECURITY.md and
# docs/.  Links, file names, figures and D-numbers are right.  Programs
# compile, and print what the document shows.  Commands are run by this script
# or by a test that documents.list names.  Configurations work in a real nginx.
#
# documents.py finds the code blocks.  A block that belongs to none of these
# classes fails.

# shellcheck source=../harness/nginx.sh
. "$(dirname "$0")/../harness/nginx.sh"

checks=$(cd "$(dirname "$0")" && pwd)
lib=$(cd "${1:-$top/build/map_anon}" && pwd) || exit 1
nginx=$top/build/nginx-1.28.3/ipc
stock=$top/build/nginx/nginx
status=$top/nginx/status

flags="-std=c11 -Wall -Wextra -Werror -pedantic"

# pattern: converts the text that a document shows to regular expressions, in
# which each number matches any number
pattern()
{
    sed -e 's/[][\.*^$]/\\&/g' -e 's/[0-9][0-9]*/[0-9][0-9]*/g' -e 's/^/^/' -e 's/$/$/'
}

# shows SHOWN PRINTED: succeeds if the program has printed each line of SHOWN,
# numbers aside
shows()
{
    pattern < "$1" > "$tmp/patterns"
    while read -r line; do
        grep -q -e "$line" "$2" || { echo "not printed: $line"; cat "$2"; return 1; }
    done < "$tmp/patterns"
}

# Checks of blocks of C.

# is_file BLOCK FILE: succeeds if the block is the whole file, without an empty
# first line
is_file()
{
    sed '1{/^$/d}' "$top/$2" | diff - "$1"
}

# is_part BLOCK FILE: succeeds if the file contains the block's lines one after
# the other
is_part()
{
    python3 -c 'import sys; a, b = (open(f).read() for f in sys.argv[1:])
sys.exit("\n" + a not in "\n" + b)' "$1" "$top/$2"
}

# compiles PROGRAM SOURCE...: compiles and links the program with the library
compiles()
{
    program=$1
    shift
    # shellcheck disable=SC2086
    cc $flags "-I$lib/include" "-I$top/nginx/status" "$@" -o "$program" \
        "-L$lib" -lngx_ipc "-Wl,-rpath,$lib"
}

# compiles_alone SOURCE: compiles the source with the library's headers, with
# and without the macro NGX_IPC, by which a source finds out that it is
# compiled for the library
compiles_alone()
{
    # shellcheck disable=SC2086
    cc $flags "-I$lib/include" -c "$1" -o "$tmp/object" \
        && cc $flags -DNGX_IPC=1 "-I$lib/include" -c "$1" -o "$tmp/object"
}

# compiles_for_nginx SOURCE: compiles the source with the headers of a stock
# nginx, and with those of the library that nginx/config adds to them
compiles_for_nginx()
{
    mkdir -p "$tmp/added"
    cp "$lib/include/ngx_ipc.h" "$lib/include/ngx_ipc_message.h" \
        "$lib/include/ngx_ipc_counters.h" "$lib/include/ngx_ipc_zone.h" "$tmp/added"
    cc "-I$tmp/added" -std=gnu11 -Wall -Wextra -Werror -isystem "$stock/src/core" -isystem "$stock/src/event" \
        -isystem "$stock/src/event/modules" -isystem "$stock/src/os/unix" \
        -isystem "$stock/objs" -c "$1" -o "$tmp/object"
}

# runs PROGRAM: runs the program; its output is in $tmp/printed
runs()
{
    "$1" > "$tmp/printed" 2>&1 || { cat "$tmp/printed"; return 1; }
}

# c_block PLACE MARKER FILE: checks a block of C, whose text is in FILE
c_block()
{
    file=${2#*: }

    case $2 in
        file:*)
            ok "$1 is $file" is_file "$3" "$file"
        ;;
        "part of:"*)
            ok "$1 is a part of $file" is_part "$3" "$file"
        ;;
        *)
            if grep -q '^main(' "$3"; then
                ok "$1 compiles" compiles "$tmp/above" "$3"
                ok "$1 runs" runs "$tmp/above"
                return
            fi

            ok "$1 compiles" compiles_alone "$3"

            grep -q '<ngx_ipc.h>$' "$3" && ! grep -qw NGX_IPC "$3" && return

            if [ -d "$stock" ]; then
                ok "$1 compiles for nginx" compiles_for_nginx "$3"
            else
                skip "$1 compiles for nginx" "$stock is not there"
            fi
        ;;
    esac
}

# Checks of commands.

# listed COMMAND: prints the row of documents.list for the command, without the
# command itself
listed()
{
    awk -F ' [|] ?' -v command="$1" '$1 == command { print $2 "|" $3; exit }' \
        "$checks/documents.list"
}

# is_tested COMMAND: succeeds if documents.list names a test that runs the
# command
is_tested()
{
    row=$(listed "$1")
    [ -n "$row" ] || { echo "documents.list has no row for: $1"; return 1; }

    where=${row%%|*}
    text=${row#*|}

    [ "$where" = here ] || grep -qF -e "$text" "$top/$where" \
        || { echo "$where has nothing of: $text"; return 1; }
}

# commands PLACE FILE: checks each line of FILE, which is a command
commands()
{
    while read -r command; do
        case $command in
            "make help" | "make build/greet && build/greet")
                ok "$1: $command" runs_in_tree "$command"
            ;;
            T_ONLY=*)
                if [ -x "$top/${command##* }" ]; then
                    ok "$1: $command" runs_cases "$command"
                else
                    skip "$1: $command" "${command##* } is not there"
                fi
            ;;
            *)
                ok "$1: $command is tested" is_tested "$command"
            ;;
        esac
    done < "$2"
}

runs_in_tree()
{
    (cd "$top" && MAKEFLAGS='' sh -c "$1") > "$tmp/printed" 2>&1 || { cat "$tmp/printed"; return 1; }
}

# runs_cases COMMAND: runs a test program with T_ONLY; succeeds if a case has
# run
runs_cases()
{
    runs_in_tree "$1" && grep -q '^ok 1 ' "$tmp/printed"
}

# echoes: succeeds if the server of docs/servers.md answers a client, and exits
# at QUIT
echoes()
{
    port=$(free_port)
    "$tmp/echo" -p "$tmp/echo.pid" -w 4 "127.0.0.1:$port" 2> "$tmp/echo.log" &
    server=$!

    within 20 echo_answers || { cat "$tmp/echo.log"; return 1; }
    "$tmp/echo" -p "$tmp/echo.pid" -s quit && wait "$server"
}

echo_answers()
{
    python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
s.sendall(b"hello\n")
sys.exit(s.recv(100) != b"hello\n")' "$port" 2> "$tmp/client"
}

# Checks of configurations and output of nginx.

# with_port FILE: prints the configuration with a free port in place of the one
# that the document shows
with_port()
{
    sed "s/127\.0\.0\.1:[0-9]*/127.0.0.1:$port/" "$1"
}

# serves CONFIGURATION: starts nginx with the configuration; succeeds if it
# answers
serves()
{
    mkdir -p "$dir/logs"
    start "$nginx/nginx" "worker_processes 2; load_module $nginx/ngx_http_ipc_status_module.so;" \
        "$(with_port "$1")"
    within 20 get /processes > "$tmp/printed"
}

nginx_block()
{
    if [ ! -x "$nginx/nginx" ]; then
        skip "$1 works in nginx" "$nginx/nginx is not there"
        return
    fi

    port=$(free_port)
    ok "$1 works in nginx" serves "$2"
}

# answers_so SHOWN: succeeds if the running nginx answers what the document
# shows, numbers aside
answers_so()
{
    get /processes > "$tmp/printed" && shows "$1" "$tmp/printed"
}

# is_directive FILE NAME: succeeds if a module of this project has the directive, all
# arguments that the document names, and the context, "location" or "main".  An argument in capital
# letters is one that the user chooses
is_directive()
{
    source=$(grep -l "ngx_string(\"$2\")" "$top"/nginx/*.c "$status"/*.c "$top"/nginx/messages/*.c) \
        || return 1

    case $(grep -A 1 "ngx_string(\"$2\")" "$source") in
        *NGX_HTTP_LOC_CONF*) grep -q '^Context: *location$' "$1" || return 1 ;;
        *NGX_MAIN_CONF*) grep -q '^Context: *main$' "$1" || return 1 ;;
        *) return 1 ;;
    esac

    for argument in $(sed -n 's/^Syntax: *[a-z_]* *//p' "$1" | tr '[];' ' '); do
        name=
        case $argument in *=*) name=${argument%%=*}= ;; esac

        for value in $(echo "${argument#"$name"}" | tr '|' ' '); do
            case $value in [A-Z]*) value= ;; esac

            [ -z "$name$value" ] || grep -q "\"$name$value" "$(dirname "$source")"/*.c \
                || { echo "no argument $name$value"; return 1; }
        done
    done
}

# text_block PLACE MARKER FILE: checks a block of text; the marker says what it
# is the output of
text_block()
{
    case $2 in
        "output of: greet")
            ok "$1 is what greet prints" greet_shows "$3"
        ;;
        "output of: purge")
            ok "$1 is what purge prints" purge_shows "$3"
        ;;
        "output of the program above")
            ok "$1 is what the program prints" shows "$3" "$tmp/printed"
        ;;
        "output of: nginx /processes")
            if [ -x "$nginx/nginx" ]; then
                ok "$1 is what nginx answers" answers_so "$3"
            else
                skip "$1 is what nginx answers" "$nginx/nginx is not there"
            fi
        ;;
        "reference of: "*)
            ok "$1 is what the module has" is_directive "$3" "${2#*: }"
        ;;
        "file: "*)
            ok "$1 is ${2#*: }" is_file "$3" "${2#*: }"
        ;;
        "typed by: "*)
            ok "$1 is typed by ${2#*: }" grep -q "${1%:*}" "$top/${2#*: }"
        ;;
        "drawing")
            ok "$1 is a drawing" true
        ;;
        *)
            ok "$1 is of a known class" echo_and_fail "marker: $2"
        ;;
    esac
}

echo_and_fail()
{
    echo "$1"
    return 1
}

# greet_shows SHOWN: runs examples/greet.c; succeeds if it prints what the
# document shows, and each worker prints a greeting with the pid of the other
greet_shows()
{
    compiles "$tmp/greet" "$top/examples/greet.c" && runs "$tmp/greet" \
        && shows "$1" "$tmp/printed" || return 1

    sed -n 's/.* \([0-9]*\)#0: hello from \([0-9]*\)$/\1 \2/p' "$tmp/printed" > "$tmp/greetings"

    [ "$(wc -l < "$tmp/greetings")" -eq 2 ] \
        && [ "$(head -n 1 "$tmp/greetings")" \
             = "$(tail -n 1 "$tmp/greetings" | awk '{ print $2, $1 }')" ]
}

# purge_shows SHOWN: runs examples/purge.c; succeeds if the workers print what the
# document shows, in any order
purge_shows()
{
    compiles "$tmp/purge" "$top/examples/purge.c" && runs "$tmp/purge" || return 1

    sort "$1" > "$tmp/shown"
    grep '^worker ' "$tmp/printed" | sort | diff "$tmp/shown" -
}

# Checks of docs/reference.md and the man pages.

# pages: builds the man pages; succeeds if mandoc, or groff if mandoc is
# missing, prints no warning
pages()
{
    (cd "$top" && MAKEFLAGS='' make -s "B=$tmp/man" man) || return 1

    for page in "$tmp"/man/man/man3/*.3; do
        if command -v mandoc > /dev/null; then
            mandoc -T lint -W warning "$page" || return 1
        else
            groff -man -ww -z "$page" 2> "$tmp/groff" && [ ! -s "$tmp/groff" ] \
                || { cat "$tmp/groff"; return 1; }
        fi
    done
}

# has_pages: succeeds if each exported function has a man page, and each name that the
# guide for C programmers calls
has_pages()
{
    for function in $(nm -D --defined-only "$lib/libngx_ipc.so.1" \
                          | sed -n 's/.* T \(ngx_[a-z0-9_]*\).*/\1/p') \
                    $(sed -n 's/.*`\(ngx_[a-z0-9_]*\)(.*/\1/p' "$top/docs/servers.md"); do
        [ -e "$tmp/man/man/man3/$function.3" ] || { echo "no page for $function"; return 1; }
    done
}

reference()
{
    (cd "$top" && awk -f docs/man/headers.awk -f docs/man/reference.awk include/ngx_*.h) \
        | diff "$top/docs/reference.md" -
}

# two_commands: succeeds if README.md shows the commands of demo and tests in
# lines of their own, and CI runs these commands
two_commands()
{
    grep -qx '    make demo' "$top/README.md" \
        && grep -qx '    make deps && make test' "$top/README.md" \
        && grep -qx 'make demo' "$top/.ci/run" && grep -qx 'make test' "$top/.ci/run"
}


mkdir "$tmp/blocks"
ok "the code blocks are found" sh -c \
    "python3 '$checks/documents.py' blocks '$tmp/blocks' > '$tmp/index'"

tab=$(printf '\t')

while IFS=$tab read -r place kind marker file; do
    case $kind in
        c)            c_block "$place" "$marker" "$file" ;;
        sh | command) commands "$place" "$file" ;;
        nginx)        nginx_block "$place" "$file" ;;
        cmake | meson | cpp | python | js | lua)
            ok "$place is ${marker#*: }" is_file "$file" "${marker#*: }"
        ;;
        text)         text_block "$place" "$marker" "$file" ;;
        *)            ok "$place is of a known class" echo_and_fail "kind: $kind" ;;
    esac
done < "$tmp/index"

[ -z "${master:-}" ] || ok "nginx quits" ended QUIT

ok "the server compiles" compiles "$tmp/echo" "$top/examples/echo.c" \
    "$top/nginx/status/ngx_counters_module.c"
ok "the server echoes and quits" echoes
ok "the two commands are what CI runs" two_commands
ok "commands, backends, directives and metrics are there" \
    python3 "$checks/documents.py" tables
ok "links lead somewhere" python3 "$checks/documents.py" links
ok "names are those of files, targets and functions" python3 "$checks/documents.py" names
ok "guarantees are tested" python3 "$checks/documents.py" guarantees
ok "D1 to D38 are explained and tested" python3 "$checks/documents.py" differences
ok "figures are those of the benchmarks" python3 "$checks/documents.py" figures
ok "the page of ipc_status is up to date, else \"make page\"" python3 "$checks/page.py"
ok "man pages are right" pages
ok "each function has a man page" has_pages
ok "docs/reference.md is up to date, else \"make headers\"" reference

end
