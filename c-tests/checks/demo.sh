#!/bin/sh

# demo.sh DIR: "make demo" succeeds with the library in DIR.  The demo verifies
# its own results.

. "$(dirname "$0")/../harness/tap.sh"

ok "make demo" make -s -C "$top" "B=$1" demo

end
