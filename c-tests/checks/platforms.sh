#!/bin/sh

# platforms.sh LIBRARY: checks other systems than x86-64 with glibc and a new kernel.
#
#   - The library in the directory LIBRARY works on a kernel without pidfd_open(),
#     close_range() and memfd_create(), which a seccomp filter refuses.
#   - A build for a system with addresses of 32 bits is refused by name.
#   - With musl, static programs run.
#   - Programs for aarch64 run in qemu-aarch64.
#
# The last two build the library again, and are a part of the long form: T_LONG=1.

. "$(dirname "$0")/../harness/tap.sh"

lib=$(cd "$1" && pwd)
musl=x86_64-unknown-linux-musl
arm=aarch64-unknown-linux-gnu
libs="-lutil -lrt -lpthread -lm -ldl"

# The programs of the C tests that run in other systems than this one.
cases="test_shmem test_channel test_process test_execute test_signals test_string
       standalone/test_messages standalone/test_workers standalone/test_queue"


# target NAME: succeeds if Rust has its standard library for the target
target()
{
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]
}

# programs OUT MAKE_ARGUMENT...: builds the programs of the C tests
programs()
{
    out=$1
    shift
    list=
    for name in $cases; do list="$list $out/ours/$name"; done
    # shellcheck disable=SC2086
    make -s -C "$top/c-tests" "OUT=$out" "$@" $list
}

# run OUT NAME [WRAPPER...]: runs one of these programs; succeeds if no case fails
run()
{
    program=$1/ours/$2
    shift 2
    timeout 300 "$@" "$program"
}

# old NAME: a test that the program runs on an old kernel
old()
{
    ok "an old kernel: $1" run "$tmp/here" "$1" "$tmp/old_kernel"
}

# says TEXT COMMAND...: succeeds if the command fails with this text
says()
{
    text=$1
    shift
    ! "$@" > "$tmp/error" 2>&1 && grep "$text" "$tmp/error" || { cat "$tmp/error"; return 1; }
}

# build DIR TARGET TOOLS: builds the static library for the target; TOOLS is the prefix
# of the names of the tools
build()
{
    (
        cd "$top" || exit 1
        export AR="$3ar" LD="$3ld" NM="$3nm" OBJCOPY="$3objcopy" READELF="$3readelf"
        make -s archive "B=build/$1" "CARGOFLAGS=--target $2" "CC=$4" "STRIP=$3strip"
    )
}

# greet_musl: a static program runs, and contains one C library only
greet_musl()
{
    musl-gcc -static -Wl,--gc-sections "-I$top/build/musl/include" "$top/examples/greet.c" \
        -o "$tmp/greet" "$top/build/musl/libngx_ipc.a" > "$tmp/linker" 2>&1 \
        && [ ! -s "$tmp/linker" ] || { cat "$tmp/linker"; return 1; }
    "$tmp/greet" && [ "$(nm "$tmp/greet" | grep -c ' [Tt] __libc_malloc$')" -le 1 ]
}

long_musl()
{
    ok "musl: the library builds" build musl "$musl" "" musl-gcc
    ok "musl: a static program runs" greet_musl
    # the headers of the kernel are not in the directory of musl
    ok "musl: the C tests build" programs "$tmp/musl" CC=musl-gcc \
        "CFLAGS=-O1 -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu" \
        "CFLAGS_IPC=-I$top/build/musl/include" \
        "LIBS_IPC=-static -Wl,--gc-sections $top/build/musl/libngx_ipc.a"
    for name in $cases; do
        case $name in
            test_channel)
                skip "musl: $name" "a case expects glibc's text of ENOTSOCK in the log"
            ;;
            *) ok "musl: $name" run "$tmp/musl" "$name" ;;
        esac
    done
}

long_arm()
{
    ok "aarch64: the library builds" build aarch64 "$arm" aarch64-linux-gnu- aarch64-linux-gnu-gcc
    ok "aarch64: the C tests build" programs "$tmp/arm" CC=aarch64-linux-gnu-gcc \
        "CFLAGS_IPC=-I$top/build/aarch64/include" \
        "LIBS_IPC=-static -Wl,--gc-sections $top/build/aarch64/libngx_ipc.a $libs"
    for name in $arm_cases; do
        ok "aarch64: $name" run "$tmp/arm" "$name" qemu-aarch64
    done
}

# qemu-user has no seccomp filters, and does not trace processes.
arm_cases="test_shmem test_channel test_string"

ok "the program that makes a kernel old" cc -Wall -Wextra -Werror \
    "$top/c-tests/fixtures/old_kernel.c" -o "$tmp/old_kernel"

if "$tmp/old_kernel" /bin/true; then
    ok "the C tests build" programs "$tmp/here" "CFLAGS_IPC=-I$lib/include" \
        "LIBS_IPC=-L$lib -lngx_ipc -Wl,-rpath,$lib"
    for name in $cases; do
        old "$name"
    done
else
    skip "an old kernel" "this kernel has no seccomp filters"
fi

echo '#include <ngx_config.h>' > "$tmp/config.c"
if cc -m32 -E -x c /dev/null > "$tmp/which" 2>&1; then
    ok "32 bits: a C program is refused" \
        says 'ngx_ipc needs a system with addresses of 64 bits' \
        cc -m32 "-I$lib/include" -E "$tmp/config.c"
else
    skip "32 bits: a C program is refused" "the compiler has no option -m32"
fi

if target i686-unknown-linux-gnu; then
    ok "32 bits: a build is refused" \
        says 'i686-unknown-linux-gnu has addresses of 32 bits, ngx_ipc needs 64' \
        cargo check --locked --manifest-path "$top/Cargo.toml" --lib --no-default-features \
        --target i686-unknown-linux-gnu
else
    skip "32 bits: a build is refused" "Rust has no target i686-unknown-linux-gnu"
fi

if [ -z "${T_LONG:-}" ]; then
    skip "musl and aarch64" "they are in the long form, T_LONG=1"
else
    if target $musl && command -v musl-gcc > "$tmp/which"; then
        long_musl
    else
        skip "musl" "musl-gcc or the target $musl is not installed"
    fi
    if target $arm && command -v aarch64-linux-gnu-gcc > "$tmp/which" \
        && command -v qemu-aarch64 > "$tmp/which"; then
        long_arm
    else
        skip "aarch64" "its compiler, qemu-aarch64 or the target $arm is not installed"
    fi
fi

end
