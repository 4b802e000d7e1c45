#!/bin/sh

# install.sh: checks "make install" with PREFIX, BINDIR, LIBDIR, INCLUDEDIR, MANDIR and
# DESTDIR.  With the installed files, a program outside the project builds with
# pkg-config, linked with the shared and with the static library.  "make
# uninstall" leaves no file.

. "$(dirname "$0")/../harness/tap.sh"


run_make()
{
    make --no-print-directory -C "$top" "$@"
}

cp "$top/examples/greet.c" "$tmp"

# builds LIBDIR [PKG_CONFIG_FLAG [CC_FLAG]]: builds greet.c with the library in
# LIBDIR
builds()
{
    flags=$(PKG_CONFIG_PATH=$1/pkgconfig pkg-config --cflags --libs ${2:-} ngx_ipc) \
        || return 1
    # shellcheck disable=SC2086
    (cd "$tmp" && cc greet.c ${3:-} $flags -o greet)
}

greets()
{
    (cd "$tmp" && env "LD_LIBRARY_PATH=$1" ./greet)
}

linked_shared()
{
    readelf -d "$tmp/greet" | grep -q 'NEEDED.*libngx_ipc\.so\.1'
}

linked_static()
{
    ! readelf -d "$tmp/greet" | grep -q NEEDED
}

# has_pages MANDIR: succeeds if MANDIR has the overview and a page for each
# header
has_pages()
{
    for page in ngx_ipc ngx_ipc.h ngx_channel ngx_process ngx_shmem ngx_cycle; do
        [ -s "$1/man3/$page.3" ] || { echo "no $page.3"; return 1; }
    done
}

# man_finds MANDIR FUNCTION: succeeds if the file that man(1) opens for the
# function describes it
man_finds()
{
    grep -q "\.SS $2()" "$1/man3/$2.3"
}

empty()
{
    left=$(find "$1" -type f -o -type l)
    [ -z "$left" ] || { echo "$left"; return 1; }
}

ok "build" run_make
ok "install into a PREFIX" run_make install "PREFIX=$tmp/usr"
ok "build with pkg-config" builds "$tmp/usr/lib"
ok "it is linked with the shared library" linked_shared
ok "it runs" greets "$tmp/usr/lib"
ok "build with pkg-config --static" builds "$tmp/usr/lib" --static
ok "it runs" greets "$tmp/usr/lib"
ok "build a static program" builds "$tmp/usr/lib" --static -static
ok "it needs no shared library" linked_static
ok "it runs" greets /nonexistent
ok "each header has a man page" has_pages "$tmp/usr/share/man"
ok "man finds the page of a function" man_finds "$tmp/usr/share/man" ngx_write_channel
ok "ngx-ipc-zone runs" "$tmp/usr/bin/ngx-ipc-zone" --version
ok "ngx-ipc-zone has a man page" test -s "$tmp/usr/share/man/man1/ngx-ipc-zone.1"
ok "uninstall" run_make uninstall "PREFIX=$tmp/usr"
ok "nothing is left" empty "$tmp/usr"

dirs="PREFIX=/opt/x BINDIR=/opt/sbin LIBDIR=/opt/lib64 INCLUDEDIR=/opt/inc MANDIR=/opt/man DESTDIR=$tmp/dest"

ok "install with BINDIR, LIBDIR, INCLUDEDIR, MANDIR and DESTDIR" run_make install $dirs
ok "the library is in LIBDIR" test -f "$tmp/dest/opt/lib64/libngx_ipc.so.1"
ok "ngx-ipc-zone is in BINDIR" test -x "$tmp/dest/opt/sbin/ngx-ipc-zone"
ok "the headers are in INCLUDEDIR" test -f "$tmp/dest/opt/inc/ngx_ipc/ngx_channel.h"
ok "the man pages are in MANDIR" test -f "$tmp/dest/opt/man/man3/ngx_ipc.3"
ok "ngx_ipc.pc does not know DESTDIR" fails grep -q "$tmp" "$tmp/dest/opt/lib64/pkgconfig/ngx_ipc.pc"
ok "ngx_ipc.pc knows LIBDIR" grep -q '^libdir=/opt/lib64$' "$tmp/dest/opt/lib64/pkgconfig/ngx_ipc.pc"
ok "uninstall" run_make uninstall $dirs
ok "nothing is left" empty "$tmp/dest"

end
