#!/bin/sh

# test-nginx.sh: everything that "make test-nginx" runs: nginx as it is beside
# nginx on the library, see parts.sh.  "make test" has a short form of it.

. "$(dirname "$0")/parts.sh"

build=$top/build

unset T_SHORT

# of VERSION: the same with another version of nginx
of()
{
    (
        export T_VERSION="$1"
        rust --test nginx
    )
}

# on VARIANT: the same with a variant of nginx on the library, see
# nginx-build.sh; what chooses one itself is left out
on()
{
    (
        export T_NGINX="$1"
        rust --test nginx -- --include-ignored --skip backends:: --skip valgrind::
    )
}

for dir in "$build"/nginx-1.28.3 "$build"/nginx-1.22.1; do
    part "symbols of $(basename "$dir")" sh "$tests/checks/nginx-symbols.sh" "$dir"
done

part "the same, and valgrind" rust --test nginx -- --include-ignored
part "the same of Debian's version" of bookworm
part "the same with AddressSanitizer" on asan
part "the same on /dev/zero" on map_devzero
part "the same on System V shared memory" on sysvshm

for script in nginx-config nginx-modules nginx-versions; do
    part "$script.sh" sh "$tests/checks/$script.sh"
done

total
