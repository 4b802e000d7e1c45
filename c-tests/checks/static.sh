#!/bin/sh

# static.sh DIR: links programs with libngx_ipc.a in DIR. The linker prints no warning,
# and a program contains only what it uses. A static program finds users and groups in
# files.

. "$(dirname "$0")/../harness/tap.sh"

lib=$1
libs="-lutil -lrt -lpthread -lm -ldl"

# The largest sizes of stripped programs that are linked with the shared C library.
few=260000
greet=420000


cat > "$tmp/few.c" <<'END'
#include <ngx_ipc.h>

int main(void)
{
    int            s[2];
    ngx_shm_t      shm = { .size = 4096 };
    ngx_channel_t  ch = { NGX_CMD_QUIT, 0, 0, -1 };

    if (ngx_shm_alloc(&shm) != NGX_OK || socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0) {
        return 1;
    }
    if (ngx_write_channel(s[0], &ch, sizeof(ch), NULL) != NGX_OK
        || ngx_read_channel(s[1], &ch, sizeof(ch), NULL) < 0)
    {
        return 1;
    }
    ngx_shm_free(&shm);
    return ch.command != NGX_CMD_QUIT;
}
END

cat > "$tmp/user.c" <<'END'
#include <ngx_ipc.h>

static ngx_int_t
init(ngx_cycle_t *cycle)
{
    int    n;
    gid_t  list[32];

    (void) cycle;
    n = getgroups(32, list);
    printf("uid %d, gid %d, groups", (int) getuid(), (int) getgid());
    for (int i = 0; i < n; i++) {
        printf(" %d", (int) list[i]);
    }
    printf("\n");
    fflush(stdout);
    kill(getppid(), SIGQUIT);
    return NGX_OK;
}

int main(int argc, char **argv)
{
    ngx_core_conf_t  conf;
    ngx_module_t     module = { NGX_MODULE_V1, NULL, NULL, NGX_CORE_MODULE, NULL, NULL, init,
                                NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING };
    ngx_module_t    *modules[] = { &module, NULL };

    ngx_ipc_conf_init(&conf);
    conf.worker_processes = 1;
    conf.modules = modules;
    conf.username = argv[1];
    conf.groupname = argc > 2 ? argv[2] : NULL;
    conf.error_log = argc > 3 ? argv[3] : NULL;
    return ngx_ipc_main(&conf, 1, argv);
}
END

cp "$top/examples/greet.c" "$tmp"

# links NAME [OPTION...]: links a program; succeeds if the linker prints nothing
links()
{
    name=$1
    shift
    # shellcheck disable=SC2086
    cc -O2 -Wl,--gc-sections "-I$lib/include" "$@" "$tmp/$name.c" -o "$tmp/$name" \
        "$lib/libngx_ipc.a" $libs > "$tmp/linker" 2>&1 || { cat "$tmp/linker"; return 1; }
    [ ! -s "$tmp/linker" ] || { cat "$tmp/linker"; return 1; }
}

runs()
{
    timeout 30 "$tmp/$1"
}

# at_most NAME SIZE: succeeds if the stripped program has at most SIZE bytes
at_most()
{
    strip -o "$tmp/stripped" "$tmp/$1"
    size=$(wc -c < "$tmp/stripped")
    echo "$size bytes"
    [ "$size" -le "$2" ]
}

# has NAME PART: succeeds if the program contains a part of the library
has()
{
    nm "$tmp/$1" | grep -q "7ngx_ipc.*$2"
}

# user EXPECTED ARGUMENT...: succeeds if a worker that changes its user prints this line
user()
{
    expected=$1
    shift
    timeout 30 "$tmp/user" "$@" > "$tmp/out" 2> "$tmp/log"
    grep -qx "$expected" "$tmp/out" || { cat "$tmp/out" "$tmp/log"; return 1; }
}

# refused TEXT ARGUMENT...: succeeds if the program does not start, with this text
refused()
{
    text=$1
    shift
    ! timeout 30 "$tmp/user" "$@" > "$tmp/out" 2> "$tmp/log" && grep "$text" "$tmp/log"
}

# users [OPTION]: tests of a program with users that is linked with this option
users()
{
    ok "a program with users is linked without warnings, ${1:-shared}" links user ${1:+"$1"}
    ok "it has code for reload" has user reload
    ok "it has code for users" has user name_files

    if [ "$(id -u)" -ne 0 ]; then
        skip "a worker changes its user" "only root changes its user"
        return
    fi

    groups=$(id -G nobody)
    ok "a worker gets user and groups, ${1:-shared}" \
        user "uid $(id -u nobody), gid $(id -g nobody), groups $groups" nobody
    ok "a worker gets another group, ${1:-shared}" \
        user "uid $(id -u nobody), gid $(getent group tty | cut -d : -f 3), groups .*" nobody tty
    ok "a user that does not exist, ${1:-shared}" refused 'no-such-user' no-such-user
}

ok "a program with memory and a channel is linked without warnings" links few
ok "it runs" runs few
ok "it has at most $few bytes" at_most few "$few"
not_ok "it has no code for reload" has few reload
not_ok "it has no code for users" has few name_files
not_ok "it has no code for status pages" has few 6status
ok "a program with workers is linked without warnings" links greet
ok "it runs" runs greet
ok "it has at most $greet bytes" at_most greet "$greet"
not_ok "it has no code for reload" has greet reload

for name in few greet; do
    ok "$name is linked without warnings, -static" links $name -static
    ok "it runs" runs $name
    not_ok "it has no name service" sh -c "nm '$tmp/$name' | grep -w getaddrinfo"
done

users ""
users -static
ok "a static program finds no host by its name" \
    refused 'host not found' nobody nogroup syslog:server=localhost
ok "the table of docs/linking.md has the sizes of the parts, else run sizes.py --write" \
    python3 "$top/c-tests/checks/sizes.py" "$lib/libngx_ipc.so.1" "$top/docs/linking.md"

end
