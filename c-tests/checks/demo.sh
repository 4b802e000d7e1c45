#!/bin/sh

# demo.sh DIR: runs "make demo" with the library in DIR.  The demo checks its
# own results.

. "$(dirname "$0")/../harness/tap.sh"

ok "make demo" make -s -C "$top" "B=$1" demo

end
