#!/bin/sh

# debian-nginx.sh DIR: puts the nginx of this Debian, with its headers and its Lua module,
# into DIR as a Debian machine has them in /.  Nothing is installed, so no server starts.
# Prints why and fails if the packages are not to be had.
#
#   DIR/usr/sbin/nginx           the program
#   DIR/usr/share/nginx/src      the sources for modules, of the package nginx-dev
#   DIR/usr/lib/nginx/modules    its dynamic modules
#   DIR/usr/share/lua/5.1        lua-resty-core

set -eu

packages="nginx nginx-dev libnginx-mod-http-ndk libnginx-mod-http-lua lua-resty-core
          lua-resty-lrucache"

[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 1; }

command -v apt-get > /dev/null || { echo "this is no Debian" >&2; exit 1; }

[ ! -e "$1/complete" ] || exit 0

rm -rf "$1"
mkdir -p "$1/packages"

# The lists of packages can be missing on a fresh machine, or older than the packages.
(
    cd "$1/packages"
    # shellcheck disable=SC2086
    apt-get -q -o APT::Sandbox::User=root download $packages > log 2>&1 || {
        apt-get -q update > update.log 2>&1 || true
        # shellcheck disable=SC2086
        apt-get -q -o APT::Sandbox::User=root download $packages > log 2>&1
    }
) || { tail -n 3 "$1/packages/log" >&2; exit 1; }

for package in "$1"/packages/*.deb; do
    dpkg-deb -x "$package" "$1"
done

rm -rf "$1/packages"
touch "$1/complete"
