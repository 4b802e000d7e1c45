#!/bin/sh

# deps.sh: installs the packages that the build and the tests need, on Debian
# and systems derived from it.  Rust is not installed: see https://rustup.rs.

set -e

packages="gcc g++ clang make pkg-config binutils valgrind strace wrk
          shellcheck libcrypt-dev libpcre2-dev zlib1g-dev libssl-dev libluajit2-5.1-dev curl
          python3 netcat-openbsd mandoc libuv1-dev libev-dev libfaketime
          cmake meson ninja-build python3-cffi musl-tools gcc-aarch64-linux-gnu
          libc6-dev-arm64-cross qemu-user debhelper lintian fakeroot"

# Rust's standard libraries for other systems, if rustup manages Rust.  The tests of
# these systems are skipped without them.
if command -v rustup > /dev/null; then
    rustup target add i686-unknown-linux-gnu x86_64-unknown-linux-musl \
        aarch64-unknown-linux-gnu || echo "$0: no standard libraries for other systems" >&2
fi

# missing PACKAGE...: prints the packages that are not installed
missing()
{
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null \
            | grep -q ' installed$' || echo "$package"
    done
}

# lua_libraries: prints the libraries that this Debian's Lua module for nginx needs, other
# than LuaJIT, which is in the list above.  The tests unpack the module and do not install it
lua_libraries()
{
    apt-cache depends libnginx-mod-http-lua 2> /dev/null \
        | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | grep -v '^libnginx-\|^libluajit'
}

# Debian's nginx makes its directories there.  The tests unpack this nginx, so no package makes
# the directory.
mkdir -p /var/lib/nginx

# A fresh machine has no lists of packages.
libraries=$(lua_libraries) || apt-get update

# shellcheck disable=SC2086
wanted=$(missing $packages ${libraries:-$(lua_libraries)})

[ -z "$wanted" ] && exit 0

apt-get update
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted
