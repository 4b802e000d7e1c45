#!/bin/sh

# inject.sh PROGRAM: system calls of the real binary fail, one at a time.
#
# PROGRAM is inject.c, linked with the library.  Each of its commands is run
# once as it is, under strace, to see which calls it makes between its two
# marks and how many of the same kind come before; then once for each row of
# the table at the end, with strace having a call fail.
#
# Environment:
#
#   T_SHMEM=map_anon|map_devzero|sysvshm   the library's way to shared memory;
#                                          found by what it calls if not set
#   T_ONLY=text     only the rows whose names contain the text
#   T_VERBOSE=1     what the program says in each row

set -u

n=0
passed=0
failed=0
skipped=0


finish()
{
    echo "1..$n"
    printf '%d passed, %d failed' "$passed" "$failed"

    if [ "$skipped" -ne 0 ]; then
        printf ', %d skipped' "$skipped"
    fi

    echo
    [ "$failed" -eq 0 ]
    exit
}


skip_all()
{
    n=1
    skipped=1
    echo "ok 1 - fault injection # SKIP $1"
    finish
}


ok()
{
    n=$((n + 1))
    passed=$((passed + 1))
    echo "ok $n - $1"
}


not_ok()
{
    n=$((n + 1))
    failed=$((failed + 1))
    echo "not ok $n - $1"
}


# trace FILE COMMAND [ARGUMENT...]: runs the command under strace with the
# arguments; what the program says is in $dir/said.
trace()
{
    file=$1
    command=$2
    shift 2

    timeout -k 5 60 strace -f -qq -o "$file" "$@" "$program" "$command" \
        > "$dir/said" 2> "$dir/errors" < /dev/null
}


# The calls of a command, found by a run in which nothing fails.
dry_run()
{
    if [ ! -f "$dir/$1.calls" ]; then
        trace "$dir/$1.calls" "$1" || return 1
    fi
}


# count COMMAND CALL: "BEFORE WITHIN CHILD": how many calls the program makes
# before its marks and between them, and the first child of what is between.
count()
{
    awk -v call="$2" '
        # the execve() that starts the program; strace does not count it
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
    ' "$dir/$1.calls"
}


# made COMMAND CALL: does it make the call, between its marks?
made()
{
    dry_run "$1" || return 1

    # shellcheck disable=SC2046
    set -- $(count "$1" "$2")
    [ "$2" -ne 0 ]
}


# What the C library calls fork().
fork_call()
{
    for call in clone clone3 fork vfork; do
        if made "$1" $call; then
            echo $call
            return
        fi
    done

    echo clone
}


# injection COMMAND WHICH: the arguments for strace.  WHICH is CALL:ERRNO:NTH,
# NTH between the marks; "child/" before it is for the forked child, "!"
# behind the call's name for one that is made only if another one fails.
injection()
{
    call=${2%%:*}
    errno=${2#*:}
    nth=1

    case $errno in
        *:*) nth=${errno#*:}; errno=${errno%%:*} ;;
    esac

    where=main
    sure=1

    case $call in
        child/*) where=child; call=${call#child/} ;;
    esac

    case $call in
        *!) sure=0; call=${call%!} ;;
    esac

    if [ "$call" = fork ]; then
        call=$(fork_call "$1")
    fi

    # shellcheck disable=SC2046
    set -- $(count "$1" "$call")

    if [ $where = child ]; then

        # each process is counted by itself, and the parent must not be hit
        if [ "$sure" -eq 1 ] && [ "$3" -lt "$nth" ]; then
            echo "the child does not call $call()" > "$dir/why"
            return 1
        fi

        if [ $(($1 + $2)) -ge "$nth" ]; then
            echo "$call() is called by the parent as well" > "$dir/why"
            return 1
        fi

        echo "-e inject=$call:error=$errno:when=$nth"
        return
    fi

    if [ $sure -eq 1 ] && [ "$2" -lt "$nth" ]; then
        echo "$call() is called $2 times, not $nth" > "$dir/why"
        return 1
    fi

    echo "-e inject=$call:error=$errno:when=$(($1 + nth))"
}


said()
{
    sed -n '/^result=/p' "$dir/said"
}


complain()
{
    not_ok "$name"
    echo "#   $1"
    echo "#   $(said)"
    sed 's/^/#   /' "$dir/errors"
}


# row COMMAND FAULTS RESULT LOG [OTHER]: FAULTS is "-" or faults with "+"
# between them, RESULT and OTHER are patterns of grep for what the program
# says, LOG a text in the log or "-" for nothing worse than a notice.
row()
{
    name="$1, $2"
    faults=

    if [ -n "${T_ONLY:-}" ]; then
        case $name in
            *"$T_ONLY"*) ;;
            *)           return ;;
        esac
    fi

    : > "$dir/said"
    : > "$dir/errors"

    if ! dry_run "$1"; then
        complain "it does not work without faults"
        return
    fi

    if [ "$2" != - ]; then
        for fault in $(echo "$2" | tr + ' '); do

            if ! arguments=$(injection "$1" "$fault"); then
                complain "$(cat "$dir/why")"
                return
            fi

            faults="$faults $arguments"
        done
    fi

    # shellcheck disable=SC2086
    trace "$dir/calls" "$1" $faults
    code=$?

    if [ -n "${T_VERBOSE:-}" ]; then
        echo "# $(said)"
    fi

    if [ "$code" -ne 0 ]; then
        complain "it ended with code $code"
        return
    fi

    if [ "$2" != - ] && ! grep -q INJECTED "$dir/calls"; then
        complain "nothing has failed"
        return
    fi

    case ${5:-} in
        *leak=*) leak=' leak=' ;;
        *)       leak=' leak=0 ' ;;
    esac

    for pattern in "^result=$3 " "$leak" "${5:-.}"; do

        if ! said | grep -q -e "$pattern"; then
            complain "it does not say \"$pattern\""
            return
        fi
    done

    case $4 in
        -)
            if said | grep -q 'log=.*\[\(emerg\|alert\|crit\|error\|warn\)\]'
            then
                complain "it should have logged nothing"
                return
            fi
            ;;
        *)
            if ! said | grep -q -F -e "$4"; then
                complain "it has not logged \"$4\""
                return
            fi
            ;;
    esac

    ok "$name"
}


if [ $# -ne 1 ]; then
    echo "usage: $0 PROGRAM" >&2
    exit 2
fi

case $1 in
    */*) program=$1 ;;
    *)   program=./$1 ;;
esac

command -v strace > /dev/null || skip_all "strace is missing"
strace -f -qq -o /dev/null true 2> /dev/null \
    || skip_all "ptrace(2) is not permitted"
strace -qq -o /dev/null -e inject=lseek:error=EPERM true 2> /dev/null \
    || skip_all "this strace cannot inject"

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT


none="pid=-1 channel=-1,-1 "
live="pid=[1-9][0-9]* channel=[1-9][0-9]*,-1 "

# ngx_spawn_process()

row spawn - '[1-9][0-9]*' - "$live"
text='[alert] socketpair() failed while spawning "worker" '
row spawn socketpair:EMFILE -1 "$text(24: Too many open files)" "$none"
row spawn socketpair:ENFILE -1 "$text(23: Too many open files in system)" \
    "$none"
row spawn socketpair:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

row spawn ioctl:EPERM '[1-9][0-9]*' \
    '[warn] ioctl(FIOASYNC) failed while spawning "worker" (1: Operation' \
    "$live"
row spawn fcntl:EPERM '[1-9][0-9]*' \
    '[warn] fcntl(F_SETOWN) failed while spawning "worker" (1: Operation' \
    "$live"
row spawn child/setsockopt:EPERM '[1-9][0-9]*' \
    '[warn] setsockopt(SO_PASSCRED) failed while spawning "worker" (1: Oper' \
    "$live"

text='[alert] fork() failed while spawning "worker" '
row spawn fork:EAGAIN -1 "$text(11: Resource temporarily unavailable)" "$none"
row spawn fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"
row spawn fork:ENOSYS -1 "$text(38: Function not implemented)" "$none"

# strace does not close what it says it could not: this is no leak of ours
row spawn close:EIO '[1-9][0-9]*' - "${live}fds=.* leak=1 "

row spawn-detached - '[1-9][0-9]*' - 'pid=[1-9][0-9]* channel=-1,-1 '
row spawn-detached fork:EAGAIN -1 "$text(11: Resource temporarily" "$none"
row spawn-detached fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

# ngx_execute()

program_runs='pid=[1-9][0-9]* channel=-1,-1 '
row execute - '[1-9][0-9]*' - "$program_runs"
row execute pipe2:EMFILE '[1-9][0-9]*' - "$program_runs"
row execute pipe2:ENFILE '[1-9][0-9]*' - "$program_runs"
row execute read:EINTR '[1-9][0-9]*' - "$program_runs"

text='[alert] fork() failed while spawning "program" '
row execute fork:EAGAIN -1 "$text(11: Resource temporarily" "$none"
row execute fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

text='[alert] execve() failed while executing program "/bin/true" '
row execute child/execve:ENOEXEC -1 "$text(8: Exec format error)" "$none"
row execute child/execve:EACCES -1 "$text(13: Permission denied)" "$none"
row execute child/execve:E2BIG -1 "$text(7: Argument list too long)" "$none"
row execute child/execve:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"
row execute child/execve:ETXTBSY -1 "$text(26: Text file busy)" "$none"

# no pipe to tell the parent by: then the child logs it
row execute pipe2:EMFILE+child/execve:ENOEXEC '[1-9][0-9]*' \
    "$text(8: Exec format error)"

text='[alert] execve() failed while executing program "/nonexistent" '
row execute-missing - -1 "$text(2: No such file or directory)" "$none"
row execute-missing wait4:EINTR -1 "$text(2: No such file" "$none"
row execute-missing read:EINTR -1 "$text(2: No such file" "$none"

# ngx_write_channel(): a descriptor takes another call, which logs the same

for pair in write:sendto write-fd:sendmsg; do
    how=${pair%:*} call=${pair#*:}
    row $how - 0 - 'more=32 '
    row $how $call:EAGAIN -2 - 'more=-1 '
    row $how $call:ETOOMANYREFS -2 - 'more=-1 '
    row $how $call:EINTR 0 - 'more=32 '
    row $how $call:ENOBUFS -1 \
        '[alert] sendmsg() failed (105: No buffer space available)' 'more=-1 '
    row $how $call:EPIPE -1 \
        '[alert] sendmsg() failed (32: Broken pipe)' 'more=-1 '
    row $how $call:ENOMEM -1 \
        '[alert] sendmsg() failed (12: Cannot allocate memory)' 'more=-1 '
done

# ngx_read_channel()

row read - 32 - 'more=-1 '
row read recvmsg:EAGAIN -2 -
row read recvmsg:EINTR 32 - 'more=-1 '
row read recvmsg:ENOMEM -1 \
    '[alert] recvmsg() failed (12: Cannot allocate memory)'

# the other end was closed with something unread in it: no more than an end
row read recvmsg:ECONNRESET -1 -

# ngx_close_channel()

text='[alert] close() channel failed '
row close - -1 - 'more=-1 '
row close close:EIO:1 -1 "$text(5: Input/output error)" 'leak=1 more=-1 '
row close close:EIO:2 -1 "$text(5: Input/output error)" 'leak=1 more=-1 '
row close close:EINTR:1 -1 "$text(4: Interrupted system call)" \
    'leak=1 more=-1 '

# ngx_shm_alloc(), ngx_shm_free()

shmem=${T_SHMEM:-}

if [ -z "$shmem" ]; then
    if made shm shmget; then
        shmem=sysvshm
    elif made shm openat; then
        shmem=map_devzero
    else
        shmem=map_anon
    fi
fi

echo "# shared memory: $shmem"

row shm - 0 - 'more=1 '

case $shmem in
    map_anon)
        text='[alert] mmap(MAP_ANON|MAP_SHARED, 65536) failed '
        row shm mmap:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
        row shm mmap:EAGAIN -1 "$text(11: Resource temporarily" 'more=0 '
        row shm mmap:EPERM -1 "$text(1: Operation not permitted)" 'more=0 '
        ;;
    map_devzero)
        text='[alert] open("/dev/zero") failed '
        row shm openat:EACCES -1 "$text(13: Permission denied)" 'more=0 '
        row shm openat:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
        row shm openat:ENOENT -1 "$text(2: No such file or" 'more=0 '
        text='[alert] mmap(/dev/zero, MAP_SHARED, 65536) failed '
        row shm mmap:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
        row shm mmap:EAGAIN -1 "$text(11: Resource temporarily" 'more=0 '
        row shm close:EIO 0 '' 'leak=1 more=1 '
        ;;
    sysvshm)
        text='[alert] shmget(65536) failed '
        row shm shmget:ENOSPC -1 "$text(28: No space left on device)" \
            'more=0 '
        row shm shmget:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
        row shm shmget:EPERM -1 "$text(1: Operation not permitted)" 'more=0 '
        text='[alert] shmat() failed '
        row shm shmat:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
        row shm shmat:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
        row shm shmctl:EPERM 0 \
            '[alert] shmctl(IPC_RMID) failed (1: Operation not permitted)' \
            'more=11 '
        row shm shmdt:EINVAL 0 ') failed (22: Invalid argument)' 'more=11 '
        ;;
    *)
        not_ok "T_SHMEM=$shmem is none of the ways to shared memory"
        ;;
esac

case $shmem in
    map_*)
        row shm munmap:EINVAL 0 ', 65536) failed (22: Invalid argument)' \
            'more=1 '
        ;;
esac

# The log: a line that is lost, another one, and the disk that is full is
# left alone for the rest of the second.

row log - 2 - 'more=3 '
row log write:ENOSPC:1 0 - 'more=1 '
row log write:ENOSPC:2 1 - 'more=2 '
row log write:EIO:1 1 - 'more=2 '
row log write:EINTR:1 '[12]' - 'more=[23] '
row log write:EAGAIN:1 1 - 'more=2 '

text='[alert] could not open error log file: open() "/tmp/test_inject.log"'
row log-init - 0 -
row log-init openat:EMFILE 1 "$text failed (24: Too many open files)"
row log-init openat:EACCES 1 "$text failed (13: Permission denied)"
row log-init openat:EROFS 1 "$text failed (30: Read-only file system)"

# ngx_add_channel_event(): what has failed once succeeds the second time

text='[emerg] epoll_create() failed '
row event - 0 - 'more=0 '
row event epoll_create1:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
row event epoll_create1:ENOMEM -1 "$text(12: Cannot allocate memory)" \
    'more=0 '
row event eventfd2:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
row event epoll_ctl:ENOMEM:1 -1 "$text(12: Cannot allocate memory)" 'more=0 '
row event epoll_ctl:ENOSPC:1 -1 "$text(28: No space left on device)" 'more=0 '

text='[alert] epoll_ctl(1, '
row event epoll_ctl:ENOMEM:2 -1 "$text" 'more=0 .*) failed (12: Cannot'
row event epoll_ctl:ENOSPC:2 -1 "$text" 'more=0 .*) failed (28: No space'
row event epoll_ctl:EPERM:2 -1 "$text" 'more=0 .*) failed (1: Operation'

# ngx_process_events_and_timers(): the timer goes off all the same

wait=epoll_wait

if ! made wait epoll_wait; then
    wait=epoll_pwait
fi

row wait - 1 - 'more=1 '
row wait $wait:EINTR:1 1 '[info] epoll_wait() failed (4: Interrupted system' \
    'more=[12] '
row wait $wait:EBADF:1 1 '[alert] epoll_wait() failed (9: Bad file' \
    'more=[12] '

# Signals

row signals - 0 -
row signals rt_sigaction:EINVAL:1 -1 '[emerg] sigaction(SIG'
row signals rt_sigaction:EINVAL:5 -1 'failed (22: Invalid argument)'

text=', 9) failed '
row kill - 1 - 'more=0 '

if made kill pidfd_open; then
    row kill pidfd_open:ENOSYS 1 - 'more=0 '
    row kill pidfd_open:EMFILE 1 - 'more=0 '
    row kill pidfd_send_signal:EPERM 0 \
        "$text(1: Operation not permitted)" 'more=0 .*\[alert\] kill('
    row kill pidfd_send_signal:ESRCH 1 "$text(3: No such process)" 'more=1 '
    row kill pidfd_open:ENOSYS+kill!:EPERM 0 \
        "$text(1: Operation not permitted)" 'more=0 .*\[alert\] kill('
else
    row kill kill:EPERM 0 "$text(1: Operation not permitted)" \
        'more=0 .*\[alert\] kill('
    row kill kill:ESRCH 1 "$text(3: No such process)" 'more=1 '
fi

row os-signal - 0 -
row os-signal kill:EPERM 1 ', 1) failed (1: Operation not permitted)'
row os-signal kill:ESRCH 1 ', 1) failed (3: No such process)'

finish
