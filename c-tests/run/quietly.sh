# A function for the scripts that build nginx, which source this file.

# quietly LOG COMMAND...: runs the command and writes its output to the file
# LOG; if the command fails, prints the end of the output and exits
quietly()
{
    quietly_log=$1
    shift

    if ! "$@" > "$quietly_log" 2>&1; then
        tail -n 40 "$quietly_log" >&2
        echo "$0: \"$*\" failed, see $quietly_log" >&2
        exit 1
    fi
}
