#!/bin/sh

# probes.sh: checks build.rs and its probes, which are small programs that find
# out which features the system has.

. "$(dirname "$0")/../harness/tap.sh"
. "$(dirname "$0")/../run/backends.sh"


# build VARIABLE=VALUE...: builds the library with these environment variables;
# the output is in $tmp/build
build()
{
    env "CARGO_TARGET_DIR=$top/target/probes" "$@" \
        sh "$top/include/generator/build.sh" "$tmp/out" check --quiet > "$tmp/build" 2>&1
}

# stops MESSAGE VARIABLE=VALUE...: succeeds if the build fails and prints the
# message
stops()
{
    message=$1
    shift

    if build "$@"; then
        echo "the build succeeded"
        return 1
    fi

    grep -q "$message" "$tmp/build" || { cat "$tmp/build"; return 1; }
}

builds()
{
    build "$@" || { cat "$tmp/build"; return 1; }
}

answer()
{
    grep -qx "$1" "$tmp/out/probes.log" || { cat "$tmp/out/probes.log"; return 1; }
}

defines()
{
    grep -qx "#define $1  $2" "$tmp/out/include/ngx_auto_config.h"
}

# A compiler that fails to compile one of the probes.
cat > "$tmp/cc" <<EOF
#!/bin/sh
case "\$*" in
    *NGX_HAVE_POSIX_SEM.c*) echo "no semaphores here" >&2; exit 1 ;;
esac
exec cc "\$@"
EOF
chmod +x "$tmp/cc"

# A compiler for a probe that is compiled and then run.  With this compiler the probe
# compiles, but fails when it runs.
cat > "$tmp/cc-fails" <<EOF
#!/bin/sh
case "\$*" in
    *NGX_HAVE_SYSVSHM.c*)
        for out; do :; done
        echo 'int main(void) { return 3; }' > "$tmp/fails.c"
        exec cc "$tmp/fails.c" -o "\$out"
    ;;
esac
exec cc "\$@"
EOF
chmod +x "$tmp/cc-fails"

# The variables FEATURE=0 of all backends of shared memory, with which the
# build finds no backend.
no_backend=$(awk '{ print $2 "=0" }' "$top/src/shmem/backends")

# builds_with BACKEND: builds the library as on a system without the features
# of better backends
builds_with()
{
    # shellcheck disable=SC2046
    builds $(features_before "$1" | sed 's/$/=0/')
}

ok "the build runs all probes" builds
ok "probes.log has their answers" answer "NGX_HAVE_MAP_ANON: yes"
ok "ngx_auto_config.h has them" defines NGX_HAVE_MAP_ANON 1

ok "an answer in the environment" builds NGX_HAVE_MAP_ANON=0
ok "is in probes.log" answer "NGX_HAVE_MAP_ANON: no, given from outside"
ok "is in ngx_auto_config.h" defines NGX_HAVE_MAP_ANON 0

for backend in $(backends); do
    ok "$backend is used where the better ones are missing" builds_with "$backend"
done

ok "no shared memory stops the build" \
    stops "no shared memory: none of NGX_HAVE_MAP_ANON" $no_backend
ok "no msg_control stops the build" \
    stops "msg_accrights is not supported" NGX_HAVE_MSGHDR_MSG_CONTROL=0
ok "an invalid answer stops the build" \
    stops "NGX_HAVE_EPOLL=maybe: 1 or 0 is wanted" NGX_HAVE_EPOLL=maybe

ok "a probe that fails" builds "CC=$tmp/cc"
ok "is the answer \"no\"" answer "NGX_HAVE_POSIX_SEM: no"
ok "probes.log has the compiler's message" answer "no semaphores here"
ok "probes.log has the program" answer "#include <semaphore.h>"

ok "a probe that compiles and fails when it runs" builds "CC=$tmp/cc-fails"
ok "has the answer \"no\"" answer "NGX_HAVE_SYSVSHM: no"
ok "probes.log has the exit code" grep -q 'NGX_HAVE_SYSVSHM: exit status: 3' \
    "$tmp/out/probes.log"

end
