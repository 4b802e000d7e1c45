#!/bin/sh

# fetch.sh VERSION DIR [PACKAGE]: puts the unchanged sources of nginx into DIR.
#
#   1.28.3    from the crate nginx-src, whose checksum cargo verifies
#   SUITE     from the source package in a suite of Debian: bullseye (1.18.0),
#             bookworm (1.22.1), trixie (1.26.3)
#
# PACKAGE is the name of another source package of that suite.

set -eu

CRATE_VERSION=1.28.5+1.28.3

fail()
{
    echo "$0: $*" >&2
    exit 1
}

# from_crate: unpacks the crate with cargo, and prints the directory
from_crate()
{
    mkdir -p "$work/src"
    : > "$work/src/lib.rs"

    cat > "$work/Cargo.toml" << END
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"

[dependencies]
nginx-src = "=$CRATE_VERSION"

[workspace]
END

    cargo metadata --quiet --format-version 1 --manifest-path "$work/Cargo.toml" \
            > "$work/metadata.json" 2> "$work/log" \
        || { cat "$work/log" >&2; fail "fetching nginx-src failed"; }

    # tr puts each field on a line; the "manifest_path" of a package is the path
    # of its Cargo.toml
    tr ',' '\n' < "$work/metadata.json" \
        | sed -n 's|^"manifest_path":"\(.*\)/Cargo\.toml".*|\1/nginx|p' \
        | grep '/nginx-src-[^/]*/nginx$' \
        | head -n 1
}

# apt COMMAND...: runs apt with only the source packages of $suite, without
# changing the package lists and the cache of the system
apt()
{
    command=$1
    shift
    "$command" -q -o Dir::Etc::SourceList="$work/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

# from_debian PACKAGE: unpacks the original sources, without the patches of
# Debian, and prints the directory
from_debian()
{
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
                 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || fail "apt knows no Debian mirror: apt-get update?"

    mkdir -p "$work/lists/partial" "$work/cache" "$work/unpacked"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
        > "$work/sources.list"

    (
        cd "$work"
        apt apt-get update && apt apt-get source --download-only --tar-only "$1"
    ) > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "fetching $1 of $suite failed"; }

    tar -xf "$work/${1}"_*.orig.tar.?? -C "$work/unpacked"
    ls -d "$work"/unpacked/*
}

[ $# -ge 2 ] || fail "usage: $0 VERSION DIR [PACKAGE]"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $1 in
    1.28.3) tree=$(from_crate) ;;
    [0-9]*) fail "no source for nginx $1" ;;
    *)      suite=$1; tree=$(from_debian "${3:-nginx}") ;;
esac

[ -d "$tree" ] || fail "there is no $tree"

rm -rf "$2"
mkdir -p "$2"
cp -R "$tree/." "$2"
chmod -R u+w "$2"
