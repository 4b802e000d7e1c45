#!/bin/sh

# debian-nginx.sh DIR: puts the nginx of this Debian, with its headers and its Lua module,
# into DIR, and installs nothing, see debian-packages.sh.
#
#   DIR/usr/sbin/nginx           the program
#   DIR/usr/share/nginx/src      the sources for modules, of the package nginx-dev
#   DIR/usr/lib/nginx/modules    its dynamic modules
#   DIR/usr/share/lua/5.1        lua-resty-core

packages="nginx nginx-dev libnginx-mod-http-ndk libnginx-mod-http-lua lua-resty-core
          lua-resty-lrucache"

# shellcheck disable=SC2086
exec sh "$(dirname "$0")/debian-packages.sh" "$1" $packages
