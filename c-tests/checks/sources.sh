#!/bin/sh

# sources.sh INCLUDE NGINX: compiles programs that are written for the library
# twice: with the library's headers, and unchanged with nginx's headers and the
# library's headers for modules of nginx.

. "$(dirname "$0")/../harness/tap.sh"

ours=$1
nginx=$2

mkdir "$tmp/include"
cp "$ours/ngx_ipc.h" "$ours/ngx_ipc_message.h" "$ours/ngx_ipc_counters.h" "$tmp/include"

theirs="-isystem $nginx/src/core -isystem $nginx/src/event
        -isystem $nginx/src/event/modules -isystem $nginx/src/os/unix
        -isystem $nginx/objs -I$tmp/include"

compiles()
{
    gcc -std=gnu11 -Wall -Wextra -Werror -c -o "$tmp/o" "$@"
}

for source in examples/greet.c examples/demo.c nginx/status/ngx_counters_module.c c-tests/fixtures/abi.c
do
    ok "$source with the library's headers" compiles "-I$ours" "$top/$source"
    ok "$source with nginx's headers" compiles $theirs "$top/$source"
done

end
