#!/bin/sh

# find.sh: checks that CMake and Meson find the installed library, in a PREFIX and
# with DESTDIR. Each builds examples/greet.c with the shared library and as a static
# program, and the programs run.

. "$(dirname "$0")/../harness/tap.sh"


run_make()
{
    make --no-print-directory -C "$top" "$@"
}

# project TOOL: makes a directory with examples/TOOL and the source of the program
project()
{
    mkdir "$tmp/$1"
    cp "$top/examples/$1"/* "$top/examples/greet.c" "$tmp/$1"
}

# builds_cmake ROOT [OPTION...]: builds the project with the library in ROOT/LIBDIR
builds_cmake()
{
    root=$1
    shift
    rm -rf "$tmp/cmake/build"
    cmake -S "$tmp/cmake" -B "$tmp/cmake/build" -G "Unix Makefiles" \
        -Dngx_ipc_DIR="$root/lib/cmake/ngx_ipc" "$@" \
        && cmake --build "$tmp/cmake/build"
}

# builds_meson ROOT SYSROOT: the same with Meson
builds_meson()
{
    rm -rf "$tmp/meson/build"
    env "PKG_CONFIG_PATH=$1/lib/pkgconfig" ${2:+"PKG_CONFIG_SYSROOT_DIR=$2"} \
        meson setup "$tmp/meson/build" "$tmp/meson" \
        && ninja -C "$tmp/meson/build"
}

# greets TOOL ROOT: both programs run, the static one without the library
greets()
{
    needs "$1/build/greet" && ! needs "$1/build/greet-static" \
        && LD_LIBRARY_PATH=$2/lib "$tmp/$1/build/greet" && "$tmp/$1/build/greet-static"
}

needs()
{
    readelf -d "$tmp/$1" | grep -q 'NEEDED.*libngx_ipc\.so\.1'
}

# version REQUEST: succeeds if CMake accepts the library for this version
version()
{
    sed "s/ngx_ipc [0-9.]*/ngx_ipc $1/" "$top/examples/cmake/CMakeLists.txt" \
        > "$tmp/cmake/CMakeLists.txt"
    cmake -S "$tmp/cmake" -B "$tmp/cmake/version" -Dngx_ipc_DIR="$usr/lib/cmake/ngx_ipc"
}

# other_version REQUEST: succeeds if CMake says that this version is not there
other_version()
{
    ! version "$1" > "$tmp/refused" 2>&1 && grep 'compatible with requested version' "$tmp/refused"
}

# The versions 0.1.y are one series, for example.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml")
series=${version%.*}

usr=$tmp/usr
dest=$tmp/dest

ok "build" run_make
ok "install into a PREFIX" run_make install "PREFIX=$usr"
ok "install with DESTDIR" run_make install PREFIX=/opt/x "DESTDIR=$dest"

if command -v cmake > /dev/null; then
    project cmake
    ok "CMake builds with a PREFIX" builds_cmake "$usr"
    ok "the programs run" greets cmake "$usr"
    ok "CMake builds with DESTDIR" builds_cmake "$dest/opt/x"
    ok "the programs run" greets cmake "$dest/opt/x"
    ok "CMake accepts the series $series" version "$series"
    ok "CMake accepts the version $version" version "$version"
    ok "CMake does not accept a newer version" other_version "$series.99"
    ok "CMake does not accept version 0.0" other_version 0.0
    ok "CMake does not accept version 1.0" other_version 1.0
    ok "a library without headers" mv "$usr/include/ngx_ipc" "$usr/include/moved"
    not_ok "CMake does not accept it" version "$series"
    ok "the headers are back" mv "$usr/include/moved" "$usr/include/ngx_ipc"
else
    skip "CMake" "cmake is not installed"
fi

if command -v meson > /dev/null; then
    project meson
    ok "Meson builds with a PREFIX" builds_meson "$usr" ""
    ok "the programs run" greets meson "$usr"
    ok "Meson builds with DESTDIR" builds_meson "$dest/opt/x" "$dest"
    ok "the programs run" greets meson "$dest/opt/x"
else
    skip "Meson" "meson is not installed"
fi

ok "uninstall" run_make uninstall "PREFIX=$usr"
not_ok "no file is left" sh -c "find '$usr' -type f -o -type l | grep ."

end
