#!/bin/sh

# compare.sh LIBRARY NGINX OUT: calls functions of the library and nginx's own with the
# same random inputs, and compares the results.  LIBRARY is the directory of the library,
# NGINX the one of nginx's objects, and OUT the directory for the programs.
#
#   T_INPUTS=N     the inputs for each function, 100000
#   T_SEED=N       another seed
#   T_LONG=1       as many inputs also under valgrind, which takes several minutes

. "$(dirname "$0")/../harness/tap.sh"

library=$(cd "$1" && pwd)
nginx=$2
out=$3

T_INPUTS=${T_INPUTS:-100000}
export T_INPUTS

libs="-lutil -lrt -lpthread -lm -ldl"

# program NAME [VARIABLE=VALUE...]: builds the program OUT/NAME/compare
program()
{
    name=$1
    shift
    make -s -C "$top/c-tests" "$out/$name/compare" "OUT=$out" "NGINX=$nginx" \
        "CFLAGS_IPC=-I$library/include" "$@" || return 1
}

# with_csrc CSRC FLAGS: builds the program from the functions in C in the directory CSRC
with_csrc()
{
    program csrc "CSRC=$1" "CFLAGS=$2" "LIBS_IPC=$library/libngx_ipc.a $libs"
}

# first_difference WRAPPER PROGRAM: prints the first input with different results
first_difference()
{
    diff "$tmp/nginx" "$tmp/ours" | sed -n 's/^[<>] \(ngx_[^ ]* [0-9]*\) .*/\1/p' \
        | head -n 1 > "$tmp/block"
    read -r subject block < "$tmp/block" || return 0

    "$out/nginx/compare" "$subject" "$block" > "$tmp/nginx.shown"
    $1 "$2" "$subject" "$block" > "$tmp/ours.shown"
    echo "nginx (<) and the library (>):"
    diff "$tmp/nginx.shown" "$tmp/ours.shown" | grep '^[<>]' > "$tmp/shown"
    grep -m 1 '^<' "$tmp/shown"
    grep -m 1 '^>' "$tmp/shown"
}

# same PROGRAM [WRAPPER [SUBJECT]]: succeeds if the program and nginx have the same
# results
same()
{
    # shellcheck disable=SC2086
    "$out/nginx/compare" ${3:-} > "$tmp/nginx" || return 1
    # shellcheck disable=SC2086
    ${2:-} "$1" ${3:-} > "$tmp/ours" || { cat "$tmp/ours" | tail -n 1; return 1; }
    head -n 1 "$tmp/ours"
    cmp -s "$tmp/nginx" "$tmp/ours" || { first_difference "${2:-}" "$1"; return 1; }
}

# finds SUBJECT FILE SED_EXPRESSION: succeeds if the comparison finds a change of one of
# the functions in C
finds()
{
    rm -rf "$tmp/csrc"
    cp -r "$top/csrc" "$tmp/csrc"
    sed -i "$3" "$tmp/csrc/$2"
    ! cmp -s "$top/csrc/$2" "$tmp/csrc/$2" || { echo "\"$3\" changes nothing"; return 1; }
    with_csrc "$tmp/csrc" -O1 || return 1
    ! same "$out/csrc/compare" "" "$1"
}

# finds_all: succeeds if the comparison finds three mistakes, each of which few inputs show
finds_all()
{
    finds ngx_atoi ngx_atoi.c 's/value > (NGX_MAX_INT_T_VALUE - digit)/value >= (NGX_MAX_INT_T_VALUE - digit)/' \
        && finds ngx_utf8_decode ngx_utf8.c 's/0x800 :/0x900 :/' \
        && finds ngx_rbtree_insert_value ngx_rbtree.c 's/side = node->key >= parent/side = node->key > parent/'
}

ok "build with nginx's objects" program nginx
ok "build with the library" program ours \
    "LIBS_IPC=-L$library -lngx_ipc -Wl,-rpath,$library"
ok "$T_INPUTS random inputs for each function" same "$out/ours/compare"

ok "build with AddressSanitizer" with_csrc ../csrc \
    "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
ok "$T_INPUTS random inputs with AddressSanitizer" same "$out/csrc/compare"

ok "mistakes in three functions are found" finds_all

[ -n "${T_LONG:-}" ] || T_INPUTS=1000
valgrind="valgrind -q --error-exitcode=9"

if command -v valgrind > /dev/null; then
    ok "$T_INPUTS random inputs under valgrind" same "$out/ours/compare" "$valgrind"
else
    skip "random inputs under valgrind" "valgrind is not installed"
fi

end
