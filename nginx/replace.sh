
# replace.sh: decides for nginx/config which files of this nginx the library replaces:
# ngx_process.c, ngx_channel.c, ngx_shmem.c, and the files of zones, ngx_shmtx.c,
# ngx_slab.c and ngx_rwlock.c.  Sets
#
#   NGX_IPC_REPLACED    the files that the library replaces
#   NGX_IPC_HOST        patterns of the library's functions that this nginx has
#                       itself, because its own file is kept
#
# The library replaces a file if it does the work of all parts of the file.  These
# parts are listed in nginx/known.  nginx's configure has set CORE_SRCS, NGX_OBJS and
# NGX_AUTO_CONFIG_H.

# shellcheck disable=SC2034,SC2154

. "$ngx_addon_dir/fail.sh"

NGX_IPC_REPLACED=
NGX_IPC_HOST=


# sets ngx_ipc_unknown to the names of the parts of the file $1 that nginx/known
# does not have
ngx_ipc_compare()
{
    ngx_ipc_name=`basename "$1" .c | sed 's/^ngx_//'`
    ngx_ipc_parts=$NGX_OBJS/ngx_ipc/parts

    rm -rf "$ngx_ipc_parts"
    mkdir -p "$ngx_ipc_parts"
    sh "$ngx_addon_dir/parts.sh" "$1" "$ngx_ipc_parts" > "$ngx_ipc_parts/list"

    if [ ! -s "$ngx_ipc_parts/list" ]; then
        ngx_ipc_fail "$1 cannot be read."
    fi

    ngx_ipc_unknown=`awk -v file="$ngx_ipc_name" '
        FNR == NR { if ($1 == file) known[$2 " " $3] = 1; next }
        !(($1 " " $2) in known) { sub(/^[0-9]+ [0-9]+ /, ""); print "    " $0 }
    ' "$ngx_addon_dir/known" "$ngx_ipc_parts/list"`
}


# succeeds if NGX_IPC_REPLACE names this file
ngx_ipc_insisted()
{
    case " $NGX_IPC_REPLACE " in
        *" $ngx_ipc_name "*) return 0 ;;
        *) return 1 ;;
    esac
}


# succeeds if the file $1 is among the sources of this nginx
ngx_ipc_has()
{
    case " `echo $CORE_SRCS` " in
        *" $1 "*) return 0 ;;
        *) return 1 ;;
    esac
}


# succeeds if the library can replace the file $1, or NGX_IPC_REPLACE names the file
ngx_ipc_can_replace()
{
    ngx_ipc_compare "$1"
    [ -z "$ngx_ipc_unknown" ] || ngx_ipc_insisted
}


# replaces the file $1, which ngx_ipc_can_replace has examined
ngx_ipc_replace()
{
    if [ -z "$ngx_ipc_unknown" ]; then
        echo " + $1 is replaced"
    else
        echo " + $1 is replaced, and these parts of it are lost:"
        echo "$ngx_ipc_unknown"
    fi

    NGX_IPC_REPLACED="$NGX_IPC_REPLACED $1"
}


# decides whether the library replaces the file $1 of the process layer or nginx's own
# file is kept; stops configure if neither is possible
ngx_ipc_decide()
{
    ngx_ipc_has "$1" || ngx_ipc_fail "$1 is not among the sources of this nginx,
so ngx_ipc cannot replace it."

    if ngx_ipc_can_replace "$1"; then
        ngx_ipc_replace "$1"

    elif [ "$ngx_ipc_name" = shmem ]; then
        echo " + $1 is kept, since it has parts that ngx_ipc does not know:"
        echo "$ngx_ipc_unknown"
        NGX_IPC_HOST="$NGX_IPC_HOST ngx_shm_*"

    else
        ngx_ipc_fail "$1 of this nginx does more than ngx_ipc,
or does it in another way. With ngx_ipc, these parts of it would be lost:

$ngx_ipc_unknown

To build nginx without them, set NGX_IPC_REPLACE=$ngx_ipc_name in the environment."
    fi
}


# succeeds if nginx's configure has found the feature $1
ngx_ipc_found()
{
    grep "^#define $1  *1" "$NGX_AUTO_CONFIG_H" > /dev/null
}


# sets ngx_ipc_why to the reason why the library cannot replace the files $@ of zones,
# or to nothing
ngx_ipc_examine_zones()
{
    ngx_ipc_why=
    ngx_ipc_unknown=

    case " $NGX_IPC_KEEP " in
        *" zones "*) ngx_ipc_why="NGX_IPC_KEEP names them"; return ;;
    esac

    if ! grep 'pfree;' src/core/ngx_slab.h > /dev/null; then
        ngx_ipc_why="the pools of this nginx do not count their free pages"

    elif ! ngx_ipc_found NGX_HAVE_GCC_ATOMIC; then
        ngx_ipc_why="this nginx has no atomic operations"

    elif ! ngx_ipc_found NGX_HAVE_POSIX_SEM || [ "$NGX_HAVE_POSIX_SEM" = 0 ]; then
        ngx_ipc_why="the locks of this nginx have no semaphore"
    fi

    for ngx_ipc_src; do
        [ -z "$ngx_ipc_why" ] || return

        if ! ngx_ipc_has $ngx_ipc_src; then
            ngx_ipc_why="this nginx has no $ngx_ipc_src"

        elif ! ngx_ipc_can_replace $ngx_ipc_src; then
            ngx_ipc_why="$ngx_ipc_src has parts that ngx_ipc does not know:"
        fi
    done
}


# decides whether the library replaces the files $@ of zones.  It replaces all or none,
# because they use the same words of a lock in different ways than nginx's files
ngx_ipc_decide_zones()
{
    ngx_ipc_examine_zones "$@"

    if [ -n "$ngx_ipc_why" ]; then
        for ngx_ipc_src; do
            if ngx_ipc_has $ngx_ipc_src; then
                echo " + $ngx_ipc_src is kept, since"
            fi
        done

        echo "   $ngx_ipc_why"
        [ -z "$ngx_ipc_unknown" ] || echo "$ngx_ipc_unknown"

        NGX_IPC_HOST="$NGX_IPC_HOST ngx_shmtx_* ngx_slab_* ngx_rwlock_*"
        have=NGX_IPC_NO_TYPED_ZONES . auto/have
        return
    fi

    for ngx_ipc_src; do
        ngx_ipc_compare $ngx_ipc_src
        ngx_ipc_replace $ngx_ipc_src
    done

    have=NGX_IPC_ZONES . auto/have

    # a typed zone has its type in this field, which came with nginx 1.13.9
    if ! grep 'sync;' src/core/ngx_cycle.h > /dev/null; then
        have=NGX_IPC_NO_TYPED_ZONES . auto/have
    fi
}


echo "checking for the files that ngx_ipc replaces"

for ngx_ipc_src in src/os/unix/ngx_process.c src/os/unix/ngx_channel.c \
                   src/os/unix/ngx_shmem.c
do
    ngx_ipc_decide $ngx_ipc_src
done

ngx_ipc_decide_zones src/core/ngx_shmtx.c src/core/ngx_slab.c src/core/ngx_rwlock.c


# Some relatives of nginx have features that nginx does not have.  If this nginx has
# one of them, the library does what the relative does.

# Angie's zones without a slab pool
if grep '[[:space:]]noslab[[:space:]]*:' src/core/ngx_cycle.h > /dev/null; then
    have=NGX_IPC_NOSLAB . auto/have
fi

# OpenResty: a process without a master exits at SIGHUP
if sed -n '/case ngx_signal_value(NGX_RECONFIGURE_SIGNAL)/,/break;/p' \
       src/os/unix/ngx_process.c | grep NGX_PROCESS_SINGLE > /dev/null
then
    have=NGX_IPC_SINGLE_EXITS . auto/have
fi
