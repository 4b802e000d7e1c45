# Functions that make system calls of a program fail with "strace -e inject=".
# The checks of failing system calls source this file.
#
# $program is the program under test.  Its argument is the name of a command,
# which is what the program does in this run.  The program calls lseek(-4242)
# before the part of the command that is under test and lseek(-4243) after that
# part.  The two calls are the marks.  Then the program prints "result=...
# log=...".
#
# A fault is a system call that strace makes fail, written CALL:ERRNO[:NTH].
# The NTH call of this name between the marks fails; NTH is 1 if it is omitted.
# In place of ERRNO, delay_exit=MICROSECONDS delays the return of the call, and
# signal=SIGNAL sends the process a signal when the call begins.
# With "child/" before CALL, strace makes the call fail in the forked child.
# With "!" after CALL, the call is one that the program makes only if another
# call fails.

. "$(dirname "$0")/../harness/tap.sh"

program=

# strace_works: succeeds if strace can make system calls fail on this system;
# prints the reason if it cannot
strace_works()
{
    command -v strace > /dev/null || { echo "strace is missing"; return 1; }

    strace -f -qq -o /dev/null true 2> /dev/null \
        || { echo "ptrace(2) is not permitted"; return 1; }
    strace -qq -o /dev/null -e inject=lseek:error=EPERM true 2> /dev/null \
        || { echo "this strace cannot inject"; return 1; }
}

# trace FILE COMMAND [ARGUMENT...]: runs the command of $program under strace,
# which gets the arguments and writes to FILE; the output of the command is in
# $tmp/printed and $tmp/errors
trace()
{
    trace_file=$1
    trace_command=$2
    shift 2

    timeout -k 5 60 strace -f -qq -o "$trace_file" "$@" "$program" "$trace_command" \
        > "$tmp/printed" 2> "$tmp/errors" < /dev/null
}

# dry_run COMMAND: runs the command once without faults, and records its system
# calls in $tmp/COMMAND.calls
dry_run()
{
    if [ ! -f "$tmp/$1.calls" ]; then
        trace "$tmp/$1.calls" "$1" || return 1
    fi
}

# count COMMAND CALL: prints the numbers "BEFORE WITHIN CHILD": how often the
# program makes the system call before its first mark and between its marks,
# and how often its children make the call
count()
{
    awk -v call="$2" '
        # When strace counts calls for "when=", it leaves out the execve() that
        # starts the program.
        NR == 1 { main = $1; next }

        {
            name = $2
            sub(/\(.*/, "", name)
        }

        $1 == main && /lseek\(-4242/ { within = 1; next }
        $1 == main && /lseek\(-4243/ { within = 0; over = 1; next }

        name != call        { next }
        $2 !~ /\(/          { next }
        $1 != main          { child++; next }
        within              { n++; next }
        !over               { before++ }

        END { print before + 0, n + 0, child + 0 }
    ' "$tmp/$1.calls"
}

# makes COMMAND CALL: succeeds if the command makes the system call between its
# marks
makes()
{
    dry_run "$1" || return 1

    # shellcheck disable=SC2046
    set -- $(count "$1" "$2")
    [ "$2" -ne 0 ]
}

# fork_call COMMAND: prints the name of the system call that the C library
# makes for fork()
fork_call()
{
    for call in clone clone3 fork vfork; do
        if makes "$1" $call; then
            echo $call
            return
        fi
    done

    echo clone
}

# injection COMMAND FAULT: prints the arguments of strace for the fault; prints
# the reason if the fault cannot happen
injection()
{
    call=${2%%:*}
    errno=${2#*:}
    nth=1

    case $errno in
        *:*) nth=${errno#*:}; errno=${errno%%:*} ;;
    esac

    case $errno in
        *=*) what=$errno ;;
        *)   what=error=$errno ;;
    esac

    where=main
    certain=1

    case $call in
        child/*) where=child; call=${call#child/} ;;
    esac

    case $call in
        *!) certain=0; call=${call%!} ;;
    esac

    if [ "$call" = fork ]; then
        call=$(fork_call "$1")
    fi

    # shellcheck disable=SC2046
    set -- $(count "$1" "$call")

    if [ $where = child ]; then
        injection_in_child "$@"
        return
    fi

    if [ $certain -eq 1 ] && [ "$2" -lt "$nth" ]; then
        echo "$call() is called $2 times, not $nth"
        return 1
    fi

    echo "-e inject=$call:$what:when=$(($1 + nth))"
}

# injection_in_child BEFORE WITHIN CHILD: prints the arguments of strace for a
# call of the child.  strace counts the calls of each process separately, so
# call number NTH would fail in the parent too.  The function fails if the
# parent makes so many calls
injection_in_child()
{
    if [ "$certain" -eq 1 ] && [ "$3" -lt "$nth" ]; then
        echo "the child does not call $call()"
        return 1
    fi

    if [ $(($1 + $2)) -ge "$nth" ]; then
        echo "$call() is called by the parent as well"
        return 1
    fi

    echo "-e inject=$call:$what:when=$nth"
}

# happened FAULTS: succeeds if strace has shown one of the faults
happened()
{
    case $1 in
        *signal=*)
            happened_signal=${1##*signal=}
            grep -q -e "--- ${happened_signal%%[:+]*} " "$tmp/calls"
        ;;
        *) grep -q 'INJECTED\|DELAYED' "$tmp/calls" ;;
    esac
}

# with_faults COMMAND FAULTS: runs the command with the faults, which are
# separated by "+", or with no fault if FAULTS is "-".  Succeeds if the command
# exits with code 0 and a call has failed
with_faults()
{
    dry_run "$1" || { echo "it fails without faults"; return 1; }

    injections=

    if [ "$2" != - ]; then
        for fault in $(echo "$2" | tr + ' '); do
            found=$(injection "$1" "$fault") || { echo "$found"; return 1; }
            injections="$injections $found"
        done
    fi

    # shellcheck disable=SC2086
    trace "$tmp/calls" "$1" $injections
    code=$?

    [ "$code" -eq 0 ] || { echo "it ended with code $code"; return 1; }

    [ "$2" = - ] || happened "$2" || { echo "the fault has not happened"; return 1; }
}
