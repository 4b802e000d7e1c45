
# archive.sh: finds or builds the library for nginx/config.  Sets
#
#   NGX_IPC_ARCHIVE    the path of libngx_ipc_nginx.a
#   NGX_IPC_INCLUDE    a directory with the headers for modules of nginx, and no others
#
# nginx's configure has set ngx_n, ngx_c, CFLAGS and NGX_OBJS, the directory of the
# objects; replace.sh has set NGX_IPC_HOST.  The library has debug information
# if CFLAGS make the compiler write debug information for nginx.

# shellcheck disable=SC2154

. "$ngx_addon_dir/fail.sh"

# With -P, the parent directory of a symbolic link is the parent of its target.
ngx_ipc_top=`cd -P "$ngx_addon_dir/.." && pwd`

mkdir -p "$NGX_OBJS/ngx_ipc/include"
ngx_ipc_out=`cd "$NGX_OBJS/ngx_ipc" && pwd`

NGX_IPC_INCLUDE=$ngx_ipc_out/include

for ngx_ipc_header in ngx_ipc.h ngx_ipc_message.h ngx_ipc_counters.h \
                      ngx_ipc_zone.h
do
    cp "$ngx_ipc_top/include/$ngx_ipc_header" "$NGX_IPC_INCLUDE"
done


# prints 1 if CFLAGS ask for debug information, else 0: the last option that begins
# with -g decides
ngx_ipc_debug()
{
    ngx_ipc_debug=0

    for ngx_ipc_option in $CFLAGS; do
        case $ngx_ipc_option in
            -g0) ngx_ipc_debug=0 ;;
            -g | -g[1-9] | -ggdb* | -gdwarf*) ngx_ipc_debug=1 ;;
        esac
    done

    echo $ngx_ipc_debug
}


ngx_ipc_build()
{
    echo $ngx_n "checking for cargo ...$ngx_c"

    ngx_ipc_version=`${CARGO:-cargo} --version 2>/dev/null`
    if [ -z "$ngx_ipc_version" ]; then
        echo " not found"
        ngx_ipc_fail "ngx_ipc is written in Rust: install Rust with cargo,
or set NGX_IPC_ARCHIVE to the path of a library that is already built."
    fi

    echo " found ($ngx_ipc_version)"

    ngx_ipc_target=${CARGO_TARGET_DIR:-$ngx_ipc_top/target}/nginx
    mkdir -p "$ngx_ipc_target" 2>/dev/null
    if [ ! -w "$ngx_ipc_target" ]; then
        ngx_ipc_target=$ngx_ipc_out/target
    fi

    echo $ngx_n "building ngx_ipc ...$ngx_c"

    if ! CARGO_TARGET_DIR=$ngx_ipc_target NGX_IPC_DEBUG=`ngx_ipc_debug` \
         sh "$ngx_ipc_top/include/generator/build.sh" "$ngx_ipc_out" \
             build --release --no-default-features > "$ngx_ipc_out/cargo.log" 2>&1
    then
        echo " failed"
        tail -n 20 "$ngx_ipc_out/cargo.log"
        ngx_ipc_fail "ngx_ipc cannot be built, see $ngx_ipc_out/cargo.log."
    fi

    NGX_IPC_ARCHIVE=$ngx_ipc_out/libngx_ipc_nginx.a
    cmp -s "$ngx_ipc_out/libngx_ipc.a" "$NGX_IPC_ARCHIVE" \
        || cp "$ngx_ipc_out/libngx_ipc.a" "$NGX_IPC_ARCHIVE"

    echo " done"
}


if [ -n "$NGX_IPC_ARCHIVE" ]; then
    echo $ngx_n "checking for ngx_ipc library ...$ngx_c"

    if [ ! -r "$NGX_IPC_ARCHIVE" ]; then
        echo " not found"
        ngx_ipc_fail "there is no $NGX_IPC_ARCHIVE."
    fi

    echo " found"
else
    ngx_ipc_build
fi


# Some of nginx's own files are kept.  The linker prefers their functions to the library's
# functions of the same names if the library's symbols are weak.
if [ -n "$NGX_IPC_HOST" ]; then
    ngx_ipc_weak=$ngx_ipc_out/libngx_ipc_weak.a
    ngx_ipc_options=`printf '%s\n' "$NGX_IPC_HOST" | sed 's/ / --weaken-symbol=/g'`

    # The shell does not replace the patterns: no file has the name of an option.
    ${OBJCOPY:-objcopy} --wildcard $ngx_ipc_options "$NGX_IPC_ARCHIVE" "$ngx_ipc_weak" \
        || ngx_ipc_fail "objcopy failed."

    NGX_IPC_ARCHIVE=$ngx_ipc_weak
fi
