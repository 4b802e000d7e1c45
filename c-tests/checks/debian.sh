#!/bin/sh

# debian.sh: builds the Debian packages from a copy of the tree without a network, with
# the crates that "cargo vendor" has copied. lintian finds nothing, and a program is
# linked with the unpacked packages. It builds the library twice, and is a part of the
# long form: T_LONG=1.

. "$(dirname "$0")/../harness/tap.sh"

src=$tmp/packages/src


# copy: copies the tree and the crates; later commands of cargo use no network
copy()
{
    mkdir -p "$src/.cargo" && cd "$top" || return 1
    tar --exclude=./target --exclude=./build --exclude=./debian/build \
        --exclude=./debian/target --exclude=./.git -cf - . | tar -xf - -C "$src"
    cd "$src" && cargo vendor --locked vendor > .cargo/config.toml
}

# packages: builds the packages; -d, because cargo and rustc need not be packages
packages()
{
    cd "$src" && env CARGO_NET_OFFLINE=true "CARGO_HOME=$tmp/home" dpkg-buildpackage -us -uc -b -d
}

clean()
{
    lintian --fail-on error,warning "$tmp/packages"/*.changes
}

unpack()
{
    for package in libngx-ipc1 libngx-ipc-dev ngx-ipc-tools ngx-ipc-nginx-dev; do
        dpkg-deb -x "$tmp/packages/${package}"_*.deb "$tmp/root" || return 1
    done
}

# greets: a program is linked with the packages and runs
greets()
{
    multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
    libdir=$tmp/root/usr/lib/$multiarch
    flags=$(PKG_CONFIG_SYSROOT_DIR=$tmp/root PKG_CONFIG_PATH=$libdir/pkgconfig \
                pkg-config --cflags --libs ngx_ipc) || return 1
    # shellcheck disable=SC2086
    cc "$top/examples/greet.c" $flags -o "$tmp/greet" && LD_LIBRARY_PATH=$libdir "$tmp/greet"
}

# for_nginx: the package for nginx has its modules and their library
for_nginx()
{
    [ -f "$tmp/root/usr/share/ngx-ipc/nginx/config" ] \
        && nm "$libdir/libngx_ipc_nginx.a" | grep -q ' T ngx_spawn_process'
}

# shows_zones: the program of the packages runs
shows_zones()
{
    "$tmp/root/usr/bin/ngx-ipc-zone" --version
}

if [ -z "${T_LONG:-}" ]; then
    skip "Debian packages" "they are in the long form, T_LONG=1"
elif ! command -v dh > "$tmp/which" || ! command -v lintian > "$tmp/which"; then
    skip "Debian packages" "debhelper or lintian is not installed"
else
    ok "the sources and the crates are copied" copy
    ok "the packages build without a network" packages
    ok "lintian finds no error and no warning" clean
    ok "the packages are unpacked" unpack
    ok "a program is linked with them" greets
    ok "the package for nginx is complete" for_nginx
    ok "the program for zones runs" shows_zones
fi

end
