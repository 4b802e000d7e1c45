#!/bin/sh

# nginx-debian.sh DIR: builds ngx_ipc_module.so in DIR, for the nginx of Debian's
# packages nginx and nginx-dev.  Prints the path of the module.  If the packages are not
# installed, prints why the module cannot be built, and exits with 77.

set -eu

. "$(dirname "$0")/../run/quietly.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
src=/usr/share/nginx/src

for file in /usr/sbin/nginx $src/conf_flags; do
    if [ ! -f "$file" ]; then
        echo "there is no $file: install the packages nginx and nginx-dev"
        exit 77
    fi
done

mkdir -p "$1"
dir=$(cd "$1" && pwd)

# configure_here: runs Debian's configure with the options of its nginx, which are an
# array of bash
configure_here()
{
    cd $src
    # shellcheck disable=SC2016
    bash -c '. ./conf_flags && ./configure --builddir="$1" "${NGX_CONF_FLAGS[@]}" \
             --add-dynamic-module="$2"' bash "$dir" "$top/nginx/messages"
}

# make_here: compiles the module
make_here()
{
    cd $src
    make -f "$dir/Makefile" modules
}

# library: builds the library as nginx/messages/config does, if it has changed
library()
{
    (
        set +u
        # shellcheck disable=SC2034
        ngx_addon_dir=$top/nginx NGX_OBJS=$dir CFLAGS=-g NGX_IPC_HOST=
        . "$top/nginx/archive.sh"
    )
}

if [ ! -f "$dir/Makefile" ] \
    || [ -n "$(find "$top/nginx" -newer "$dir/Makefile" -type f ! -name '*.[ch]')" ]
then
    quietly "$dir.log" configure_here
else
    quietly "$dir.log" library
fi

quietly "$dir.log" make_here

echo "$dir/ngx_ipc_module.so"
