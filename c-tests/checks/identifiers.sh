#!/bin/sh

# identifiers.sh INCLUDE NGINX: docs/identifiers.md says which names of nginx's headers
# are in the headers of the library, in the directory INCLUDE.  NGINX is a directory with
# the sources of nginx.

. "$(dirname "$0")/../harness/tap.sh"

include=$1
nginx=$2

written()
{
    python3 "$top/c-tests/checks/identifiers.py" "$nginx" "$include" > "$tmp/page"
}

ok "each name that is absent has a reason, and each reason a name" written
ok "docs/identifiers.md is up to date, else \"make identifiers\"" \
    diff "$top/docs/identifiers.md" "$tmp/page"

end
