#!/bin/sh

# debian-packages.sh DIR PACKAGE...: puts the files of packages of this Debian into DIR, as
# they are in / if the packages are installed.  Nothing is installed, so no server starts.
# Prints why and fails if the packages are not to be had.  What they depend on must be
# named too, unless it is installed.

set -eu

dir=$1
shift

command -v apt-get > /dev/null || { echo "this is no Debian" >&2; exit 1; }

[ "$*" != "$(cat "$dir/complete" 2> /dev/null)" ] || exit 0

rm -rf "$dir"
mkdir -p "$dir/packages"

# download PACKAGE...: downloads the packages to the current directory
download()
{
    apt-get -q -o APT::Sandbox::User=root download "$@" > log 2>&1
}

# The lists of packages can be missing on a fresh machine, or older than the packages.
(
    cd "$dir/packages"
    download "$@" || { apt-get -q update > update.log 2>&1; download "$@"; }
) || { tail -n 3 "$dir/packages/log" >&2; exit 1; }

for package in "$dir"/packages/*.deb; do
    dpkg-deb -x "$package" "$dir"
done

rm -rf "$dir/packages"
echo "$*" > "$dir/complete"
