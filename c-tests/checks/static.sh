#!/bin/sh

# static.sh DIR: links programs with libngx_ipc.a in DIR. The linker prints no warning,
# and a program contains only the parts of the library that it uses. A static program
# finds users and groups in files.

. "$(dirname "$0")/../harness/tap.sh"

lib=$1
libs="-lutil -lrt -lpthread -lm -ldl"

# The largest sizes of stripped programs that are linked with the shared C library. A
# program without the library has 14 KB.
logs=75000
few=105000
spawns=120000
greet=190000
sends=340000

# The parts of the library. Each line has the name of a part, and how the names of its
# functions continue after "_ZN7ngx_ipc". The outputs of a log are JSON and syslog. The
# function that closes inherited messages is of no part, because a master without
# messages calls it.
cat > "$tmp/parts" <<'END'
processes 7process
channels 7channel
messages (7message|9messaging|4host8messages(5local|6region|7deliver|8register))
events 4host10standalone(10event_loop|11connections|14process_events)
server 4host10standalone(4main|6master|6worker|6helper|10init_cycle)
upgrade 4host(10standalone7upgrade|8messages10new_binary)
status 4host6status
outputs (4host10standalone(8log_json|10log_output6Output)|3sys10log_socket)
users 3sys10name_files
END


cat > "$tmp/logs.c" <<'END'
#include <ngx_ipc.h>

int main(void)
{
    ngx_open_file_t  file = { .fd = STDERR_FILENO };
    ngx_log_t        log = { .log_level = NGX_LOG_NOTICE, .file = &file };

    ngx_log_error(NGX_LOG_NOTICE, &log, 0, "%d lines", 1);
    return 0;
}
END

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

# A process with a descriptor of messages that it has inherited: the first spawn closes
# it, because this program has no messages.
cat > "$tmp/spawns.c" <<'END'
#include <ngx_ipc.h>
#include <sys/eventfd.h>

static void child(ngx_cycle_t *cycle, void *data)
{
    ngx_channel_t  ch;
    struct pollfd  fd = { .fd = ngx_channel, .events = POLLIN };

    (void) cycle;
    (void) poll(&fd, 1, -1);
    *(ngx_uint_t *) data =
        ngx_read_channel(ngx_channel, &ch, sizeof(ch), NULL) > 0 ? ch.command : 0;
    exit(0);
}

int main(void)
{
    int            fd = eventfd(0, 0), status;
    char           text[64];
    ngx_pid_t      pid;
    ngx_shm_t      shm = { .size = 4096 };
    ngx_channel_t  ch = { 31, 0, 0, -1 };

    snprintf(text, sizeof(text), "4:%d:0:1", fd);
    setenv("NGX_IPC_MESSAGES", text, 1);

    if (ngx_shm_alloc(&shm) != NGX_OK) {
        return 1;
    }
    pid = ngx_spawn_process(NULL, child, shm.addr, "child", NGX_PROCESS_NORESPAWN);
    if (pid == NGX_INVALID_PID
        || ngx_write_channel(ngx_processes[0].channel[0], &ch, sizeof(ch), NULL) != NGX_OK
        || waitpid(pid, &status, 0) != pid || status != 0
        || *(ngx_uint_t *) shm.addr != 31)
    {
        return 2;
    }
    ngx_shm_free(&shm);
    return fcntl(fd, F_GETFD) != -1 || getenv("NGX_IPC_MESSAGES") != NULL ? 3 : 0;
}
END

# Messages in a program with a loop of its own.
cat > "$tmp/sends.c" <<'END'
#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

static ngx_uint_t  got;

static void count(ngx_ipc_message_t *m)
{
    got += m->len;
}

static ngx_ipc_message_type_t  type = { .name = "sends_text", .handler = count };

static void child(ngx_cycle_t *cycle, void *data)
{
    (void) cycle;
    (void) data;
    exit(ngx_ipc_message_send(&type, NGX_IPC_TO_MASTER, "x", 1) != NGX_OK);
}

int main(void)
{
    struct pollfd  fd = { .events = POLLIN };

    if (ngx_ipc_message_register(&type) != NGX_OK
        || ngx_spawn_process(NULL, child, NULL, "child", NGX_PROCESS_NORESPAWN)
           == NGX_INVALID_PID)
    {
        return 1;
    }
    fd.fd = ngx_ipc_message_fd();
    while (got == 0) {
        (void) poll(&fd, 1, (int) ngx_ipc_message_process());
    }
    return got != 1;
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

# only FILE PART...: succeeds if a program or library contains the functions of these parts
# of the library, and of no others. The variables of all parts are one section, which takes
# no space in the file.
only()
{
    nm "$1" > "$tmp/names"
    shift
    result=0

    while read -r name pattern; do
        grep -E " [tT] _ZN7ngx_ipc$pattern" "$tmp/names" > "$tmp/found"
        found=$?
        case " $* " in
            *" $name "*) [ "$found" -eq 0 ] || { echo "no $name"; result=1; } ;;
            *) [ "$found" -ne 0 ] || { echo "$name:"; cat "$tmp/found"; result=1; } ;;
        esac
    done < "$tmp/parts"

    return $result
}

mkfifo "$tmp/fifo"

# user EXPECTED ARGUMENT...: succeeds if a worker that changes its user prints this line
user()
{
    expected=$1
    shift
    line=

    # the worker may not signal a master of another user
    timeout 30 "$tmp/user" "$@" > "$tmp/fifo" 2> "$tmp/log" &
    read -r line < "$tmp/fifo"
    kill $!
    wait $!

    echo "$line" | grep -x "$expected" || { cat "$tmp/log"; return 1; }
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
    ok "it has a server with messages" \
        only "$tmp/user" processes channels messages events server upgrade outputs users

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

# program NAME SIZE [PART...]: tests a program that contains only these parts
program()
{
    name=$1
    size=$2
    shift 2
    ok "$name is linked without warnings" links "$name"
    ok "$name runs" runs "$name"
    ok "$name has at most $size bytes" at_most "$name" "$size"
    ok "$name has only these parts of the library: ${*:-none}" only "$tmp/$name" "$@"
}

# shellcheck disable=SC2046
ok "the library has all parts" only "$lib/libngx_ipc.a" $(cut -d ' ' -f 1 "$tmp/parts")

program logs "$logs"
program few "$few" channels
program spawns "$spawns" processes channels
program greet "$greet" processes channels events
program sends "$sends" processes messages

for name in logs few spawns greet sends; do
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
