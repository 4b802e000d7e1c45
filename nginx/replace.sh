
# replace.sh: decides for nginx/config whether the library replaces ngx_process.c,
# ngx_channel.c and ngx_shmem.c of this nginx.  Sets
#
#   NGX_IPC_REPLACED    the files that the library replaces
#   NGX_IPC_HOST_SHM    YES if nginx's own ngx_shmem.c is kept
#
# The library replaces a file if it does the work of all parts of the file.  These
# parts are listed in nginx/known.  nginx's configure has set CORE_SRCS and NGX_OBJS.

# shellcheck disable=SC2034,SC2154

. "$ngx_addon_dir/fail.sh"

NGX_IPC_REPLACED=
NGX_IPC_HOST_SHM=NO


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


# decides whether the library replaces the file $1 or nginx's own file is kept; stops
# configure if neither is possible
ngx_ipc_decide()
{
    case " `echo $CORE_SRCS` " in
        *" $1 "*) ;;
        *) ngx_ipc_fail "$1 is not among the sources of this nginx,
so ngx_ipc cannot replace it." ;;
    esac

    ngx_ipc_compare "$1"

    if [ -z "$ngx_ipc_unknown" ]; then
        echo " + $1 is replaced"

    elif ngx_ipc_insisted; then
        echo " + $1 is replaced, and these parts of it are lost:"
        echo "$ngx_ipc_unknown"

    elif [ "$ngx_ipc_name" = shmem ]; then
        echo " + $1 is kept, since it has parts that ngx_ipc does not know:"
        echo "$ngx_ipc_unknown"
        NGX_IPC_HOST_SHM=YES
        return

    else
        ngx_ipc_fail "$1 of this nginx does more than ngx_ipc,
or does it in another way. With ngx_ipc, these parts of it would be lost:

$ngx_ipc_unknown

To build nginx without them, set NGX_IPC_REPLACE=$ngx_ipc_name in the environment."
    fi

    NGX_IPC_REPLACED="$NGX_IPC_REPLACED $1"
}


echo "checking for the files that ngx_ipc replaces"

for ngx_ipc_src in src/os/unix/ngx_process.c src/os/unix/ngx_channel.c \
                   src/os/unix/ngx_shmem.c
do
    ngx_ipc_decide $ngx_ipc_src
done


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
