#!/bin/sh

# generated.sh INCLUDE: the headers that are checked in are what build.rs has
# just made, in the folder INCLUDE.

. "$(dirname "$0")/../harness/tap.sh"

checked_in=$top/include

for h in "$1"/ngx_*.h; do
    case $h in *ngx_auto_config.h) continue ;; esac
    ok "include/$(basename "$h") is up to date, else \"make headers\"" \
        diff "$checked_in/$(basename "$h")" "$h"
done

end
