#!/bin/sh

# symbols.sh LIBRARY: the shared library exports exactly the names of the file
# symbols beside this script, which "make headers" updates, and has its soname.

. "$(dirname "$0")/../harness/tap.sh"

library=$1

sed 's/$/@@NGX_IPC_1/' "$top/c-tests/checks/symbols" | sort > "$tmp/wanted"
nm -D --defined-only --with-symbol-versions "$library" \
    | awk '$2 != "A" { print $3 }' | sort > "$tmp/exported"

soname()
{
    readelf -d "$library" | grep -q 'SONAME.*\[libngx_ipc\.so\.1\]'
}

# interposable: the library uses data that the program defines itself
interposable()
{
    ! readelf -d "$library" | grep -q SYMBOLIC
}

ok "the list is not empty" test -s "$tmp/wanted"
ok "exactly the listed symbols are exported" diff "$tmp/wanted" "$tmp/exported"
ok "the soname is libngx_ipc.so.1" soname
ok "a program's own data wins" interposable

end
