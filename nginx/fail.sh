
# fail.sh: a function with which the other scripts of this directory stop configure.

ngx_ipc_fail()
{
    echo
    echo "$0: error: $1"
    echo
    exit 1
}
