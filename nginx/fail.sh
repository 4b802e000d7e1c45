
# fail.sh: stops configure, for the other scripts of this directory.

ngx_ipc_fail()
{
    echo
    echo "$0: error: $1"
    echo
    exit 1
}
