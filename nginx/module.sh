#!/bin/sh

# module.sh build|install DIR: builds ngx_ipc_module.so for an nginx that is installed, in
# DIR, or copies the result to the directory from which this nginx loads modules, and the
# library for programs in Lua to LUADIR.
# Environment:
#
#   NGINX=FILE       the program, "nginx" by default
#   NGINX_SRC=DIR    the sources of the same version; by default those of the Debian
#                    package nginx-dev
#   LUADIR=DIR       by default /usr/local/share/lua/5.1, in which LuaJIT looks for modules
#   DESTDIR=DIR      is put before both directories
#
# The output of configure and make is in DIR/configure.log and DIR/make.log.

set -eu

top=$(cd -P "$(dirname "$0")/.." && pwd)

fail()
{
    echo "$0: error: $*" >&2
    exit 1
}

usage="usage: $0 build|install DIR"

[ $# -eq 2 ] || fail "$usage"

mkdir -p "$2"
dir=$(cd "$2" && pwd)
module=$dir/ngx_ipc_module.so

nginx=$(command -v "${NGINX:-nginx}" || PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "${NGINX:-nginx}") \
    || fail "there is no program ${NGINX:-nginx}: set NGINX to the path of the nginx that loads the module."

about=$("$nginx" -V 2>&1) || fail "\"$nginx -V\" has failed: $about"
version=$(printf '%s\n' "$about" | sed -n 's|^nginx version: nginx/\([0-9.]*\).*|\1|p')
arguments=$(printf '%s\n' "$about" | sed -n 's/^configure arguments: *//p')

[ -n "$version" ] || fail "$nginx is no nginx, it says: $(printf '%s\n' "$about" | head -n 1)"

# value OPTION DEFAULT: prints the value of an option with which this nginx was configured
value()
{
    (
        eval "set -- \"\$1\" \"\$2\" $arguments"
        option=$1 found=$2
        shift 2

        for argument; do
            case $argument in "$option="*) found=${argument#*=} ;; esac
        done

        printf '%s\n' "$found"
    )
}

prefix=$(value --prefix /usr/local/nginx)
modules=$(value --modules-path "$prefix/modules")

# sources: prints the directory of the sources, whose version is that of this nginx
sources()
{
    found=${NGINX_SRC:-/usr/share/nginx/src}

    [ -f "$found/src/core/nginx.h" ] || fail "there are no sources of nginx in $found: install the
Debian package nginx-dev, or set NGINX_SRC to the sources of nginx $version."

    has=$(sed -n 's/^#define NGINX_VERSION  *"\(.*\)"/\1/p' "$found/src/core/nginx.h")
    [ "$has" = "$version" ] \
        || fail "$nginx is nginx $version, and the sources in $found are those of nginx $has."

    (cd "$found" && pwd)
}

# configure SOURCES: configures the module as this nginx was configured.  Modules of others
# are left out, because --with-compat makes nginx accept a module that was built without
# them.
configure()
{
    script=$1/configure
    [ -f "$script" ] || script=$1/auto/configure

    (
        eval "set -- $arguments"

        for argument; do
            shift
            case $argument in
                --builddir=* | --add-module=* | --add-dynamic-module=* | *=dynamic) ;;
                --with-http_perl_module | --with-google_perftools_module | --with-perl*) ;;
                *) set -- "$@" "$argument" ;;
            esac
        done

        cd "$(dirname "$script" | sed 's|/auto$||')"
        sh "$script" "$@" --builddir="$dir/objs" --add-dynamic-module="$top/nginx/messages"
    ) > "$dir/configure.log" 2>&1 || {
        tail -n 5 "$dir/configure.log" >&2
        fail "configure has failed, see $dir/configure.log."
    }
}

# accepts: succeeds if this nginx loads the module; what it says is in $said
accepts()
{
    trial=$(mktemp -d)
    printf 'load_module %s;\nerror_log stderr;\npid pid;\nevents {}\n' "$module" > "$trial/conf"
    said=$("$nginx" -t -q -p "$trial" -c "$trial/conf" 2>&1) && is_accepted=0 || is_accepted=1
    rm -rf "$trial"
    return $is_accepted
}

# has_changed: succeeds if configure, which builds the library, has not run since the
# library has changed
has_changed()
{
    [ ! -f "$dir/objs/Makefile" ] || [ -n "$(find "$top/src" "$top/nginx" "$top/include" \
        "$top/Cargo.toml" "$top/build.rs" -newer "$dir/stamp" -type f)" ]
}

build()
{
    case " $arguments " in
        *" --with-compat "*) ;;
        *) fail "$nginx was built without --with-compat, so it accepts only modules that were
built with it. Add --add-dynamic-module=$top/nginx/messages when you build nginx." ;;
    esac

    sources=$(sources)
    stamp="$sources $about"

    if [ "$stamp" != "$(cat "$dir/stamp" 2> /dev/null)" ] || has_changed; then
        rm -f "$dir/stamp"
        configure "$sources"
        echo "$stamp" > "$dir/stamp"
    fi

    (cd "$sources" && make -f "$dir/objs/Makefile" modules) > "$dir/make.log" 2>&1 || {
        tail -n 20 "$dir/make.log" >&2
        fail "make has failed, see $dir/make.log."
    }

    cp "$dir/objs/ngx_ipc_module.so" "$module"
    accepts || fail "$nginx does not load the module:
$said"

    echo "nginx/$version: $module"
}

install_module()
{
    [ -f "$module" ] || fail "there is no $module: run \"make nginx-module\" first."

    # The users of the workers read what root installs.
    umask 022
    install -d "${DESTDIR:-}$modules"

    # Another file: an nginx that runs still uses the old one.
    install -m 644 "$module" "${DESTDIR:-}$modules/ngx_ipc_module.so.new"
    mv "${DESTDIR:-}$modules/ngx_ipc_module.so.new" "${DESTDIR:-}$modules/ngx_ipc_module.so"

    echo "${DESTDIR:-}$modules/ngx_ipc_module.so"
    install_lua
    echo
    echo "The first line of nginx.conf loads the module:"
    echo
    echo "    load_module $modules/ngx_ipc_module.so;"

    [ "$luadir" = /usr/local/share/lua/5.1 ] || {
        echo
        echo "With this line in the block \"http\", programs in Lua find resty.ngx_ipc:"
        echo
        echo "    lua_package_path \"$luadir/?.lua;;\";"
    }
}

# install_lua: copies the files in lua/, which the user of the workers can read
install_lua()
{
    luadir=${LUADIR:-/usr/local/share/lua/5.1}

    (cd "$top/lua" && find . -name '*.lua') | while read -r file; do
        install -D -m 644 "$top/lua/$file" "${DESTDIR:-}$luadir/${file#./}"
    done

    echo "${DESTDIR:-}$luadir/resty/ngx_ipc.lua"
}

case $1 in
    build) build ;;
    install) install_module ;;
    *) fail "$usage" ;;
esac
