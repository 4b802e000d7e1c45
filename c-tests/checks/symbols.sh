#!/bin/sh

# symbols.sh LIBRARY: compares the names that the shared library exports with
# the file c-tests/checks/symbols, which "make headers" updates, and checks the
# library's soname.

. "$(dirname "$0")/../harness/tap.sh"

library=$1
archive=$(cd "$(dirname "$library")" && pwd)/libngx_ipc.a

sed 's/$/@@NGX_IPC_1/' "$top/c-tests/checks/symbols" | sort > "$tmp/wanted"
nm -D --defined-only --with-symbol-versions "$library" \
    | awk '$2 != "A" { print $3 }' | sort > "$tmp/exported"

soname()
{
    readelf -d "$library" | grep -q 'SONAME.*\[libngx_ipc\.so\.1\]'
}

# interposable: succeeds if the library was linked without -Bsymbolic, so that
# it uses a variable that the program defines itself
interposable()
{
    ! readelf -d "$library" | grep -q SYMBOLIC
}

# without_allocation: prints the functions in C that can allocate no memory: their object
# calls nothing that allocates memory, and of the library only such functions.  Each round
# finds functions that call those of the round before
without_allocation()
{
    mkdir -p "$tmp/members"
    (cd "$tmp/members" && ar x "$archive" && rm ngx_ipc.o) || return 1
    : > "$tmp/round"

    for _ in 1 2 3; do
        for object in "$tmp/members"/*.o; do
            nm --undefined-only "$object" | awk '{ print $2 }' | grep -vxF -f "$tmp/round" \
                | grep -qE '^ngx_|alloc|dup|memalign' \
                || nm --defined-only --extern-only "$object" | awk '$2 == "T" { print $3 }'
        done > "$tmp/next"
        mv "$tmp/next" "$tmp/round"
    done

    cat "$tmp/round"
}

# tested_without_memory: succeeds if the tests of allocations that fail call each
# exported function that can allocate memory; prints the functions that they do not call
tested_without_memory()
{
    nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' > "$tmp/functions"
    test -s "$tmp/functions"
    without_allocation > "$tmp/pure"
    test -s "$tmp/pure"

    while read -r function; do
        grep -qx "$function" "$tmp/pure" \
            || grep -qw "$function" "$top"/c-tests/cases/standalone/test_no_memory*.c \
            || echo "$function"
    done < "$tmp/functions" > "$tmp/untested"

    cat "$tmp/untested"
    ! test -s "$tmp/untested"
}

ok "the list is not empty" test -s "$tmp/wanted"
ok "exactly the listed symbols are exported" diff "$tmp/wanted" "$tmp/exported"
ok "the soname is libngx_ipc.so.1" soname
ok "a program's own data wins" interposable
ok "each function that allocates is called without memory" tested_without_memory

end
