#!/bin/sh

# readme.sh [LIBRARY]: the programs in README.md are those in examples/; the
# first one compiles and does what the README says.

. "$(dirname "$0")/../harness/tap.sh"

lib=${1:-$top/build/map_anon}

# listing N: the Nth listing of the README
listing()
{
    awk -v n="$1" '/^```/ { inside = /^```c$/; if (inside) i++; next }
                   inside && i == n' "$top/README.md"
}

listing 1 > "$tmp/greet.c"
listing 2 > "$tmp/echo.c"
sed 1d "$top/examples/echo.c" > "$tmp/echo.examples.c"

compiles()
{
    cc -std=c11 -Wall -Wextra -Werror -pedantic "-I$lib/include" \
        "$tmp/greet.c" -o "$tmp/greet" "-L$lib" -lngx_ipc "-Wl,-rpath,$lib"
}

# greets: each worker has heard from the other, by its pid
greets()
{
    "$tmp/greet" 2> "$tmp/log" || { cat "$tmp/log"; return 1; }

    sed -n 's/.* \([0-9]*\)#0: hello from \([0-9]*\)$/\1 \2/p' "$tmp/log" > "$tmp/greetings"
    cat "$tmp/log"

    [ "$(wc -l < "$tmp/greetings")" -eq 2 ] || return 1
    [ "$(head -n 1 "$tmp/greetings")" = "$(tail -n 1 "$tmp/greetings" | awk '{ print $2, $1 }')" ]
}

commands()
{
    grep -qx '    make demo' "$top/README.md" \
        && grep -qx '    make deps && make test' "$top/README.md" \
        && grep -qx 'make demo' "$top/.ci/run" && grep -qx 'make test' "$top/.ci/run"
}

# each difference has its test: a case by that name
tested()
{
    for d in $(sed -n 's/^| \(D[0-9]*\) |.*/\1/p; s/^| \(DEMAND[0-9]*\) |.*/\1/p' "$top/README.md")
    do
        grep -q "\"$d \|//[/!].*\<$d\>" "$top"/c-tests/cases/*.c "$top"/c-tests/cases/*/*.c "$top"/tests/*.rs \
            "$top"/tests/*/*.rs || { echo "no test for $d"; return 1; }
    done
}

ok "the program is examples/greet.c" diff "$top/examples/greet.c" "$tmp/greet.c"
ok "the server is examples/echo.c" diff "$tmp/echo.examples.c" "$tmp/echo.c"
ok "it compiles without a warning" compiles
ok "the workers greet each other" greets
ok "the two commands are what CI runs" commands
ok "each row of the table of differences has a test" tested

end
