#!/bin/sh

# test-nginx.sh: the tests of "make test-nginx", which compare a stock nginx
# with one that is built with the library.  "make test" runs a short form of
# them.

. "$(dirname "$0")/../run/suites.sh"
. "$(dirname "$0")/../run/backends.sh"

unset T_SHORT

# with_version VERSION: runs the tests with another version of nginx
with_version()
{
    (
        export T_VERSION="$1"
        rust --test nginx
    )
}

# with_variant VARIANT: runs the tests with a variant of the nginx that is
# built with the library, see nginx-build.sh.  Tests that choose a variant
# themselves are left out
with_variant()
{
    (
        export T_NGINX="$1"
        rust --test nginx -- --include-ignored --skip backends:: --skip valgrind::
    )
}

for dir in "$build"/nginx-1.28.3 "$build"/nginx-1.22.1; do
    suite "symbols of $(basename "$dir")" sh "$tests/checks/nginx-symbols.sh" "$dir"
done

suite "nginx, and valgrind" rust --test nginx -- --include-ignored
suite "nginx of Debian" with_version bookworm
suite "nginx, AddressSanitizer" with_variant asan

for backend in $(backends); do
    [ -z "$(features_before "$backend")" ] \
        || suite "nginx, $backend" with_variant "$backend"
done

for script in config relatives rust versions; do
    suite "nginx-$script.sh" sh "$tests/checks/nginx-$script.sh"
done

# The modules do not compile with 1.18.0 of bullseye, which needs PCRE1.
for name in 1.28.3 bookworm trixie; do
    suite "nginx-modules.sh, $name" sh "$tests/checks/nginx-modules.sh" "$name"
done

total
