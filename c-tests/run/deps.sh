#!/bin/sh

# deps.sh: installs the packages that the build and the tests need, on Debian
# and systems derived from it.  Rust is not installed: see https://rustup.rs.

set -e

packages="gcc g++ clang make pkg-config binutils valgrind strace wrk
          shellcheck libcrypt-dev libpcre2-dev zlib1g-dev libssl-dev libluajit2-5.1-dev curl
          python3 netcat-openbsd mandoc libuv1-dev libev-dev libfaketime"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null \
        | grep -q ' installed$' || missing="$missing $package"
done

[ -z "$missing" ] && exit 0

apt-get update
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
