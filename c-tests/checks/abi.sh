#!/bin/sh

# abi.sh INCLUDE NGINX: compares the library's headers in the directory INCLUDE
# with those of the configured nginx in the directory NGINX: types, sizes,
# offsets and constants (fixtures/abi.c), and the prototypes and variables that
# both declare.

. "$(dirname "$0")/../harness/tap.sh"

ours=$1
nginx=$2

flags="-std=gnu11 -w"
theirs="-I$nginx/src/core -I$nginx/src/event -I$nginx/src/event/modules
        -I$nginx/src/os/unix -I$nginx/objs"
headers="config core event channel md5 sha1"


# facts NAME INCLUDES...: compiles fixtures/abi.c with these options, and
# writes its output to $tmp/NAME.txt
facts()
{
    name=$1
    shift
    gcc $flags "$@" "$top/c-tests/fixtures/abi.c" -o "$tmp/$name" && "$tmp/$name" > "$tmp/$name.txt"
}

# prototypes INCLUDE: prints the functions and variables that the headers in
# INCLUDE declare
prototypes()
{
    for h in $headers; do echo "#include <ngx_$h.h>"; done > "$tmp/all.c"

    gcc $flags "-I$1" -aux-info "$tmp/aux" -c "$tmp/all.c" -o "$tmp/all.o" \
        || return 1

    sed -n 's,^/\* .*/ngx_[a-z0-9_]*\.h:.* \*/ extern,extern,p' "$tmp/aux" \
        | sed 's/__va_list_tag \*/va_list/' | grep ' \**ngx_'
    cat "$1"/ngx_*.h | grep '^extern [^"]*;'
}

# against_nginx INCLUDE: compiles the declarations of the headers in INCLUDE
# together with nginx's headers; the compiler refuses a name with two different
# types
against_nginx()
{
    {
        for h in $headers; do echo "#include <ngx_$h.h>"; done
        # types that nginx does not have
        echo 'typedef struct { int own; } ngx_slab_usage_t;'
        echo 'typedef int (*ngx_slab_evict_pt)(void);'
        prototypes "$1"
    } > "$tmp/against.c" && gcc $flags $theirs -c "$tmp/against.c" -o "$tmp/against.o"
}

# asserted INCLUDE: compiles nginx/ngx_ipc_asserts.h, whose assertions are
# about nginx's headers, with the headers in INCLUDE
asserted()
{
    {
        for h in $headers; do echo "#include <ngx_$h.h>"; done
        echo '#include <ngx_ipc_asserts.h>'
    } > "$tmp/asserts.c"
    gcc $flags -DNGX_IPC_ZONES=1 "-I$1" "-I$top/nginx" -c "$tmp/asserts.c" -o "$tmp/asserts.o"
}

# mutated HEADER SED_EXPRESSION: copies the library's headers to $tmp/headers,
# and changes one of them
mutated()
{
    rm -rf "$tmp/headers"
    cp -r "$ours" "$tmp/headers"
    sed -i "$2" "$tmp/headers/$1"
    ! cmp -s "$ours/$1" "$tmp/headers/$1" || {
        echo "\"$2\" changes nothing in $1"
        return 1
    }
}

# caught HEADER SED_EXPRESSION: succeeds if the comparison with nginx finds the
# change of the header
caught()
{
    mutated "$1" "$2" || return 1
    ! { facts mutated "-I$tmp/headers" && cmp "$tmp/ours.txt" "$tmp/mutated.txt" \
        && against_nginx "$tmp/headers"; }
}

# breaks_assertion HEADER SED_EXPRESSION: succeeds if an assertion fails after
# the change of the header
breaks_assertion()
{
    mutated "$1" "$2" || return 1
    ! asserted "$tmp/headers"
}

# all_compared: succeeds if each exported name that nginx's headers declare is
# declared by the library's headers too, and so was compared.  A name that
# nginx declares in a C file only is not compared
all_compared()
{
    prototypes "$ours" > "$tmp/prototypes" || return 1

    while read -r name; do
        grep -qw "$name" "$tmp/prototypes" && continue
        ! grep -rqw "$name" "$nginx/src/core" "$nginx/src/event" "$nginx/src/os/unix" \
            --include='*.h' || { echo "$name is declared by nginx only"; return 1; }
    done < "$top/c-tests/checks/symbols"
}


ok "the library's layout is the expected one" facts ours "-I$ours"
ok "nginx's layout is the expected one" facts nginx $theirs
ok "bit-fields have the same bits" cmp "$tmp/ours.txt" "$tmp/nginx.txt"
ok "prototypes and variables are nginx's" against_nginx "$ours"
ok "all that nginx declares was compared" all_compared
ok "the add-on's assertions hold for our headers" asserted "$ours"

not_ok "a changed comment is no difference" \
    caught ngx_channel.h 's, \*/, (changed) */,'
ok "a moved field is caught" \
    caught ngx_channel.h '/ngx_pid_t pid;/d; s/ngx_fd_t fd;/ngx_fd_t fd; ngx_pid_t pid;/'
ok "a widened field is caught" \
    caught ngx_process.h 's/ int  *status;/ long status;/'
ok "swapped bit-fields are caught" \
    caught ngx_process.h 's/respawn:1/exited:1/; t; s/exited:1/respawn:1/'
ok "a changed constant is caught" \
    caught ngx_process_cycle.h 's/NGX_CMD_QUIT 3/NGX_CMD_QUIT 4/'
ok "a changed constant fails an assertion" \
    breaks_assertion ngx_process_cycle.h 's/NGX_CMD_QUIT 3/NGX_CMD_QUIT 4/'
ok "a changed parameter is caught" \
    caught ngx_process.h 's/ngx_int_t respawn)/int respawn)/'
ok "a changed result is caught" \
    caught ngx_shmem.h 's/^void ngx_shm_free/int ngx_shm_free/'
ok "a changed variable is caught" \
    caught ngx_process.h 's/ngx_int_t  *ngx_last_process/int ngx_last_process/'

end
