#!/bin/sh

# generated.sh INCLUDE: compares the headers of the repository with those that
# build.rs has generated in the directory INCLUDE; they must be equal.

. "$(dirname "$0")/../harness/tap.sh"

checked_in=$top/include

for h in "$1"/ngx_*.h; do
    case $h in *ngx_auto_config.h) continue ;; esac
    ok "include/$(basename "$h") is up to date, else \"make headers\"" \
        diff "$checked_in/$(basename "$h")" "$h"
done

end
