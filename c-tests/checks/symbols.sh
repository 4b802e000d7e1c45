#!/bin/sh

# symbols.sh LIBRARY: compares the names that the shared library exports with
# the file c-tests/checks/symbols, which "make headers" updates, and checks the
# library's soname.

. "$(dirname "$0")/../harness/tap.sh"

library=$1

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

# tested_without_memory: succeeds if the tests of allocations that fail call each
# exported function; prints the functions that they do not call
tested_without_memory()
{
    nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' > "$tmp/functions"
    test -s "$tmp/functions"

    while read -r function; do
        grep -qw "$function" "$top"/c-tests/cases/standalone/test_no_memory*.c \
            || echo "$function"
    done < "$tmp/functions" > "$tmp/untested"

    cat "$tmp/untested"
    ! test -s "$tmp/untested"
}

ok "the list is not empty" test -s "$tmp/wanted"
ok "exactly the listed symbols are exported" diff "$tmp/wanted" "$tmp/exported"
ok "the soname is libngx_ipc.so.1" soname
ok "a program's own data wins" interposable
ok "each function is called without memory" tested_without_memory

end
