#!/bin/sh

# symbols.sh LIBRARY: the shared library exports what src/abi/ngx_ipc.map
# lists, all of it and nothing else, and goes by its soname.

. "$(dirname "$0")/../harness/tap.sh"

library=$1
map=$top/src/abi/ngx_ipc.map

sed -n 's/^    \(ngx_[a-z_]*\);$/\1@@NGX_IPC_1/p' "$map" | sort > "$tmp/wanted"
nm -D --defined-only --with-symbol-versions "$library" \
    | awk '$2 != "A" { print $3 }' | sort > "$tmp/exported"

soname()
{
    readelf -d "$library" | grep -q 'SONAME.*\[libngx_ipc\.so\.1\]'
}

# data that a program may define itself is not bound inside the library
interposable()
{
    ! readelf -d "$library" | grep -q SYMBOLIC
}

ok "the list is not empty" test -s "$tmp/wanted"
ok "exactly the listed symbols are exported" diff "$tmp/wanted" "$tmp/exported"
ok "the soname is libngx_ipc.so.1" soname
ok "a program's own data wins" interposable

end
