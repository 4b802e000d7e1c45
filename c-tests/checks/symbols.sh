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

ok "the list is not empty" test -s "$tmp/wanted"
ok "exactly the listed symbols are exported" diff "$tmp/wanted" "$tmp/exported"
ok "the soname is libngx_ipc.so.1" soname
ok "a program's own data wins" interposable

end
