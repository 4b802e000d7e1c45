#!/bin/sh

# reports.sh: checks that run/programs.sh fails if valgrind or AddressSanitizer reports an
# error in any process of a test program.

. "$(dirname "$0")/../harness/tap.sh"

# program FAULT: writes a test that passes, and that has a child with this fault
program()
{
    cat > "$tmp/program.c" << END
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(void)
{
    char *volatile p = NULL;

    if (fork() == 0) {
        close(2);
        $1
        p = NULL;
        exit(0);
    }

    wait(NULL);
    printf("ok 1 - a test\\n1..1\\n");
    return p != NULL;
}
END
}

# passes [FLAG...]: compiles the program and runs it
passes()
{
    cc -O0 -g "$@" -o "$tmp/program" "$tmp/program.c" \
        && sh "$top/c-tests/run/programs.sh" "$tmp/program"
}

with_valgrind()
{
    WRAPPER="valgrind -q --error-exitcode=9 --child-silent-after-fork=no" passes
}

with_asan()
{
    passes -fsanitize=address
}

program "p = malloc(9); free(p);"
ok "no errors, valgrind" with_valgrind
ok "no errors, AddressSanitizer" with_asan

program "p = malloc(9); p[9] = 1; free(p);"
not_ok "a child writes behind its memory, valgrind" with_valgrind
not_ok "a child writes behind its memory, AddressSanitizer" with_asan

program "p = malloc(9); p[0] = 1;"
not_ok "a child loses memory, AddressSanitizer" with_asan

end
