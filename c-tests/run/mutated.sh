# Functions for the scripts that test changed copies of the library, which source this
# file.

# copy_project FROM TO: makes TO a copy of the project in FROM, and keeps the files that
# cargo has built in TO.  cargo compares times of files.  It would not rebuild a file
# whose change was undone, because the file is old again.  So src/lib.rs is touched
copy_project()
{
    mkdir -p "$2"
    find "$2" -mindepth 1 -maxdepth 1 ! -name target ! -name build -exec rm -rf '{}' +

    git -C "$1" ls-files -z --cached --others --exclude-standard \
        | tar -C "$1" --null -T - --ignore-failed-read -c | tar -C "$2" -x

    touch "$2/src/lib.rs"
}

# contain SCRIPT [ARGUMENT...]: runs the script with the arguments once more, in a PID
# namespace of its own, and exits; does nothing in that run.  A changed library can send
# a signal to all processes, or start processes without end: it reaches only those in
# the namespace, which end with the script
contain()
{
    [ -z "${T_CONTAINED:-}" ] || return 0

    export T_CONTAINED=1
    contain_user=
    [ "$(id -u)" = 0 ] || contain_user='--user --map-root-user'

    # shellcheck disable=SC2086
    exec unshare $contain_user --pid --ipc --fork --kill-child --mount-proc sh "$@"
}

# mutated_library DIR: builds the library of the current directory with the cargo
# profile "mutants", which takes little time.  Creates in DIR libngx_ipc.so, include/ and
# ngx_ipc.map, as "make lib" does
mutated_library()
{
    cargo build --locked --quiet --profile mutants --lib

    mutated_target=${CARGO_TARGET_DIR:-target}/mutants
    # shellcheck disable=SC2012
    mutated_out=$(ls -td "$mutated_target"/build/ngx_ipc-*/out/include | head -n 1)

    rm -rf "$1/include"
    mkdir -p "$1"
    cp -R "$mutated_out" "$1/include"
    cp "$mutated_out/../ngx_ipc.map" "$1"

    link_library "$mutated_target/libngx_ipc.a" "$1/ngx_ipc.map" "$1"
}

# link_library ARCHIVE MAP DIR: links libngx_ipc.so in DIR, as the Makefile does
link_library()
{
    cc -shared -o "$3/libngx_ipc.so.1" -Wl,-soname,libngx_ipc.so.1 -Wl,--gc-sections \
        -Wl,-z,defs,-z,now,-S "-Wl,--version-script=$2" \
        -Wl,--whole-archive "$1" -Wl,--no-whole-archive \
        -lutil -lrt -lpthread -lm -ldl -static-libgcc -lgcc_eh
    ln -sf libngx_ipc.so.1 "$3/libngx_ipc.so"
}

# link_server_library ARCHIVE DIR: links the library of the directory DIR/lib anew, in
# DIR/server, in which the tests of whole servers look for it
link_server_library()
{
    mkdir -p "$2/server"
    ln -sfn "$2/lib/include" "$2/server/include"
    link_library "$1" "$2/lib/ngx_ipc.map" "$2/server"
}
